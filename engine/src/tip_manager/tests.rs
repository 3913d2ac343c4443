//! What one validator does with lanes, told message by message.

mod acks;
mod certificates;
mod epochs;
mod evidence;
mod headers;
mod jumps;
mod model;
mod restart;
