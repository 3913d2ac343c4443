//! What honest sequencers sign.

use super::by_height::ByHeight;
use crate::{
    Property, Stamped, Violation,
    lanes::observation::{Seen, Short},
    property::{Kinds, Verdict},
};
use std::collections::BTreeSet;

/// No honest sequencer signs two headers for one height, whatever it forgets and whatever certificates arrive.
pub struct ProposesOnce {
    healthy: BTreeSet<usize>,
    /// A validator's lock shows a header as well as the sequencer's own word.
    signed: ByHeight<Short>,
}

impl ProposesOnce {
    pub fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            signed: ByHeight::default(),
        }
    }
}

impl Property<Seen> for ProposesOnce {
    fn name(&self) -> &'static str {
        "proposes once"
    }

    fn sentence(&self) -> &'static str {
        "no honest sequencer signs two headers for one height of its lane"
    }

    fn kinds(&self) -> Kinds {
        Some(&["proposed", "locked"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (Seen::Proposed {
            lane,
            height,
            digest,
            ..
        }
        | Seen::Locked {
            lane,
            height,
            digest,
            ..
        }) = &seen.what
        else {
            return Ok(0);
        };
        if !self.healthy.contains(lane) {
            return Ok(0);
        }
        // Its own node locks a header before it is durable: what a crash takes of it, nobody has seen.
        let own = matches!(seen.what, Seen::Locked { .. }) && seen.node == Some(*lane);
        let signed = self.signed.at(0, *lane, *height);
        let before = if own {
            signed.unwrap_or(*digest)
        } else {
            *signed.get_or_insert(*digest)
        };
        if before != *digest {
            return Err(Violation {
                node: Some(*lane),
                message: format!(
                    "signed {:016x} at height {height} of its lane, and {:016x} before",
                    digest.0, before.0
                ),
            });
        }
        Ok(1)
    }
}

/// What is certified of an honest sequencer's lane is what it signed, however good the proof is: this one does not trust
/// the scheme, whose verification the engine and the harness share.
pub struct CertifiesProposed {
    healthy: BTreeSet<usize>,
    signed: ByHeight<Short>,
    /// Second headers at a height: an equivocator's.
    more: BTreeSet<(usize, u64, Short)>,
}

impl CertifiesProposed {
    pub fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            signed: ByHeight::default(),
            more: BTreeSet::new(),
        }
    }
}

impl Property<Seen> for CertifiesProposed {
    fn name(&self) -> &'static str {
        "certifies what was proposed"
    }

    fn sentence(&self) -> &'static str {
        "a certified header of an honest sequencer's lane is one that it proposed or that a validator locked"
    }

    fn kinds(&self) -> Kinds {
        Some(&["proposed", "locked", "certified"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        match &seen.what {
            Seen::Proposed {
                lane,
                height,
                digest,
                ..
            }
            | Seen::Locked {
                lane,
                height,
                digest,
                ..
            } => {
                let first = self.signed.at(0, *lane, *height).get_or_insert(*digest);
                if first != digest {
                    self.more.insert((*lane, *height, *digest));
                }
                Ok(0)
            }
            Seen::Certified {
                lane,
                height,
                digest,
                ..
            } if self.healthy.contains(lane) => {
                if self.signed.get(0, *lane, *height) == Some(*digest)
                    || self.more.contains(&(*lane, *height, *digest))
                {
                    return Ok(1);
                }
                let message = format!(
                    "{:016x} is certified at height {height} of lane {lane}, nobody saw it",
                    digest.0
                );
                Err(Violation::by(seen, message))
            }
            _ => Ok(0),
        }
    }
}
