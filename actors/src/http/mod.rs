//! What clients and operators of a node ask, over HTTP.
//!
//! | request | answer |
//! |---|---|
//! | `POST /transactions` | what became of one transaction or of a batch: accepted, duplicate, invalid, busy, closed (a node that takes none) |
//! | `GET /transactions/{id}?wait=MS` | pending, certified, final with block and result, expired, invalid, unknown |
//! | `GET /blocks/{height or digest}?proof=1` | a final block; with what its transactions came to once it is executed here |
//! | `GET /state/{key}?proof=1` | the value of a key of the application's, and what proves it |
//! | `POST /query` | what the application answers to a request of its own |
//! | `GET /status` | heights, root, epoch, role, mode, peers, version |
//! | `GET /events?ids=1` | server-sent: blocks as they become final, and as they are executed |
//! | `GET /health/live`, `GET /health/ready` | whether the process works; whether it is in step with the chain |
//! | `GET /metrics` | for Prometheus |
//!
//! Keys, digests and bytes are hexadecimal. Every error is JSON: `{"error": {"code": ..., "message": ...}}`.
//!
//! Invariants:
//! 1. Size, number and time of requests are bounded before a body is read; beyond them the answer is *busy*, not silence.
//! 2. Nobody waits for a client: one that reads its events slowly loses some, and is told how many.
//! 3. A client was told *final* only of what is executed and durable here.
//! 4. Handlers of the network know nothing of this module.

mod blocks;
mod error;
mod events;
mod health;
mod index;
mod limits;
mod server;
mod status;
#[cfg(test)]
mod tests;
mod transactions;
mod values;
mod watch;

pub use error::{Code, Fault};
pub use index::{Index, Phase};
pub use server::{About, Api, Served, serve};
pub use watch::{Event, Watch};

/// The media type of a batch: the body of a [chunk](crate::chunk).
pub const BATCH: &str = "application/x-drystone-batch";
