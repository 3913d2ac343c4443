//! What honest sequencers sign.

use crate::{
    Property, Stamped, Violation,
    lanes::observation::{Seen, Short},
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// No honest sequencer signs two headers for one height, whatever it forgets and whatever certificates arrive.
pub struct ProposesOnce {
    healthy: BTreeSet<usize>,
    /// By lane and height. A validator's lock shows a header as well as the sequencer's own word.
    signed: BTreeMap<(usize, u64), Short>,
}

impl ProposesOnce {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            signed: BTreeMap::new(),
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
        let before = *self.signed.entry((*lane, *height)).or_insert(*digest);
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
    signed: BTreeMap<(usize, u64), BTreeSet<Short>>,
}

impl CertifiesProposed {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            signed: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for CertifiesProposed {
    fn name(&self) -> &'static str {
        "certifies what was proposed"
    }

    fn sentence(&self) -> &'static str {
        "a certified header of an honest sequencer's lane is one that a validator locked"
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
                self.signed
                    .entry((*lane, *height))
                    .or_default()
                    .insert(*digest);
                Ok(0)
            }
            Seen::Certified {
                lane,
                height,
                digest,
                ..
            } if self.healthy.contains(lane) => {
                let signed = self.signed.get(&(*lane, *height));
                if signed.is_some_and(|it| it.contains(digest)) {
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
