mod node;
mod packing;
mod pool;
