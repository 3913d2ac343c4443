//! What swarms would show only by luck. Every property of the system holds in each of these runs.

mod catching_up;
mod directory;
mod disks;
mod epochs;
mod faulty;
mod forging;
mod gossip;
mod kit;
mod latency;
mod links;
mod pressure;
mod recovery;
mod trial;
