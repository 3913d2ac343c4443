//! What the engine tells the rest of the node.

use crate::types::{Certificate, Evidence, Header, Payload, Signed, Tip, Types};
use commonware_utils::channel::oneshot;
use std::sync::Arc;

/// Something a node did or learned, each once per object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity<T: Types> {
    /// This node's sequencer made a header durable and sent it.
    Proposed(Arc<Signed<T>>),
    /// A new header of a lane was locked here.
    Tip(Arc<Signed<T>>),
    /// A header that nobody locks here any more, of a chain that a certificate vouches for: fetched below the certificate,
    /// or found in the journal at a start, as the locks are that were found there.
    Linked(Arc<Signed<T>>),
    /// This validator acked a header in an epoch.
    Acked {
        /// The epoch.
        epoch: u64,
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The place acked.
        tip: Tip,
    },
    /// A lane's newest certificate, verified or assembled here, or found in the journal at a start.
    Certified(Arc<Certificate<T>>),
    /// A sequencer is proven faulty.
    Evidence(Evidence<T>),
    /// A validator entered an epoch.
    Entered(u64),
}

/// Takes activities. Reporting never blocks and never fails.
pub trait Reporter<T: Types>: Clone + Send + Sync + 'static {
    /// Takes one.
    fn report(&self, activity: Activity<T>);
}

/// The application's verdict on a chunk. It depends on the chunk's bytes and the genesis alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The chunk is valid and its body is durable here.
    Valid,
    /// The chunk is invalid, for ever.
    Invalid,
    /// Not known yet: quota, a missing body, overload. It is asked again.
    Pending,
}

/// A verdict, now or later.
pub enum Judgement {
    /// Known at once.
    Now(Verdict),
    /// Told later. Dropping the sender is the same as [`Verdict::Pending`].
    Later(oneshot::Receiver<Verdict>),
}

/// Where the next chunk of a lane goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The height it will get.
    pub height: u64,
    /// The lowest slot it can get.
    pub slot: u64,
}

/// What the engine asks of the chunks' owner: bodies are its business, the engine sees digests.
pub trait Automaton<T: Types>: Clone + Send + 'static {
    /// Asks for the next chunk of this node's own lane. Its body must be durable here before the
    /// payload is answered. The answer may take as long as it likes; dropping the sender means that
    /// there is none for now, and it is asked again at the next rebroadcast interval.
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload>;

    /// Asks for the verdict on a chunk.
    fn judge(&mut self, header: &Header<T::PublicKey>) -> Judgement;

    /// The header of an own chunk is on its way to the validators: push the body after it. Said once. After a restart,
    /// push again what an earlier life may not have pushed: its header is sent again, too.
    fn relay(&mut self, header: &Header<T::PublicKey>);
}
