mod dialog;
mod fetches;
mod mailbox;
mod model;
mod node;
mod packing;
mod pool;
mod wire;
