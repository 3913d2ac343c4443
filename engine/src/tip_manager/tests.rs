//! What one validator does with lanes, told message by message.

mod acks;
mod certificates;
mod epochs;
mod evidence;
mod flood;
mod headers;
mod jumps;
mod model;
mod restart;
mod walks;
