//! What the issue of chunks asks for, as scenarios: each test writes down what happens, lets the properties judge, and
//! then asserts on the observations that what it is about was in fact reached.

mod bodies;
mod byzantine;
mod crashes;
mod gossip;
mod kit;
mod packing;
