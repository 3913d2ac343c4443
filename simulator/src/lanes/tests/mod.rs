//! What the issue of certified lanes asks for, as scenarios: each test writes down what happens, lets the properties
//! judge, and then asserts on the observations that what it is about was in fact reached.

mod broadcast;
mod chain;
mod draws;
mod epochs;
mod kit;
mod loss;
mod restarts;
mod verdicts;
