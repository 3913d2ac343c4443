mod dialog;
mod fetches;
mod model;
mod node;
mod packing;
mod pool;
mod wire;
