//! `pure` drives the decisions by hand, `runtime` the handles on the deterministic runtime.

mod faults;
mod lab;
mod pure;
mod runtime;
