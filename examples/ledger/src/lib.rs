//! Accounts, and signed transfers between them: the application that the reference node runs.
//!
//! ```text
//!   client: Transfer --sign--> bytes     mempool: check (signatures in batches, nonce, balance), Bonds (admission)
//!   block: signatures in batches --> nonce is the next one, if it has a turn --> balance covers amount and fee --> moved
//! ```
//!
//! A transfer names the next nonce of its account and when it expires; or it has no turn ([`UNNUMBERED`]), so that whoever
//! sends many at once waits for none of them. Its fee goes to an account that the genesis names,
//! so that the invariant needs no exception: **the sum of all balances is what the genesis made it, after every
//! transaction.**
//!
//! Signatures are checked by whoever executes, not when bytes are decoded: a block's are checked together, which is half
//! the work, and a chunk whose producer packs what nobody signed costs it its place and changes nothing.
//!
//! Execution alone is measured by `cargo bench -p ledger`; see `benches/execution.rs` for what it does and what it came
//! to.

mod account;
mod bonds;
mod genesis;
mod ledger;
mod load;
mod nonces;
mod program;
mod signatures;
#[cfg(test)]
mod tests;
mod transfer;
mod verified;

pub use account::{Account, Address};
pub use bonds::Bonds;
pub use genesis::Genesis;
pub use ledger::{Ledger, PIPELINE_MAX};
pub use program::{Node, Section};
pub use signatures::Signatures;
pub use transfer::{Signed, Transfer, UNNUMBERED};
