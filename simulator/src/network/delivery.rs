//! What the outside learns about messages.

use commonware_runtime::IoBuf;
use serde::Serialize;

/// What became of one copy of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Reached its inbox.
    Delivered,
    /// Drawn as lost by the link.
    Lost,
    /// The link was cut when it was sent, or was cut while it was under way.
    Cut,
    /// The inbox, or the clogged link's store, was full.
    Overflow,
    /// One end blocks the other.
    Blocked,
    /// Nobody was registered at the inbox.
    Down,
}

/// The end of one copy of a message, at the moment it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Microseconds since the runtime's epoch.
    pub at_us: u64,
    /// Index of the sending node.
    pub from: usize,
    /// Index of the receiving node.
    pub to: usize,
    /// The channel's number.
    pub channel: u64,
    /// The message's number on the link (from, to), counted from 0 over all channels. It does not
    /// depend on what became of other messages.
    pub sequence: u64,
    /// Whether this is the second copy of a duplicated message.
    pub duplicate: bool,
    /// What became of it.
    pub fate: Fate,
    /// The message itself.
    pub body: &'a IoBuf,
}

impl Delivery<'_> {
    /// Bytes of the message.
    pub fn length(&self) -> usize {
        self.body.len()
    }
}

/// Counts of messages since the network was made. `sent + duplicated` is at all times the sum of the
/// six fates and `in_flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Messages offered to links, one for each recipient.
    pub sent: u64,
    /// Second copies made by links.
    pub duplicated: u64,
    /// Copies that reached an inbox.
    pub delivered: u64,
    /// Copies dropped: see [`Fate::Lost`].
    pub lost: u64,
    /// Copies dropped: see [`Fate::Cut`].
    pub cut: u64,
    /// Copies dropped: see [`Fate::Overflow`].
    pub overflow: u64,
    /// Copies dropped: see [`Fate::Blocked`].
    pub blocked: u64,
    /// Copies dropped: see [`Fate::Down`].
    pub down: u64,
    /// Copies under way or held by a clogged link.
    pub in_flight: u64,
    /// Bytes of the copies that reached an inbox.
    pub delivered_bytes: u64,
}

impl Stats {
    /// Copies that ended anywhere but in an inbox.
    pub const fn dropped(&self) -> u64 {
        self.lost + self.cut + self.overflow + self.blocked + self.down
    }
}

/// See [`Network::set_hook`](super::Network::set_hook).
pub(super) type Hook = Box<dyn FnMut(&Delivery<'_>) + Send>;

/// Counts ends and shows them to the hook.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) stats: Stats,
    pub(super) hook: Option<Hook>,
}

impl Ledger {
    pub(super) fn record(&mut self, delivery: &Delivery<'_>) {
        let stats = &mut self.stats;
        match delivery.fate {
            Fate::Delivered => {
                stats.delivered += 1;
                stats.delivered_bytes += delivery.length() as u64;
            }
            Fate::Lost => stats.lost += 1,
            Fate::Cut => stats.cut += 1,
            Fate::Overflow => stats.overflow += 1,
            Fate::Blocked => stats.blocked += 1,
            Fate::Down => stats.down += 1,
        }
        if let Some(hook) = &mut self.hook {
            hook(delivery);
        }
    }
}
