//! Certificates are unique and real.

use super::by_height::ByHeight;
use crate::{
    Property, Stamped, Violation,
    lanes::observation::{Seen, Short},
    property::{Kinds, Verdict},
};
use std::collections::{BTreeMap, BTreeSet};

/// There is at most one certified header for an epoch, a lane and a height, by what nodes take for certified: a forgery
/// that is believed counts.
#[derive(Default)]
pub struct OneCertificate {
    /// By epoch. The lanes are everybody's, so there is one row of nodes.
    certified: BTreeMap<u64, ByHeight<Short>>,
}

impl Property<Seen> for OneCertificate {
    fn name(&self) -> &'static str {
        "one certificate"
    }

    fn sentence(&self) -> &'static str {
        "at most one header of a lane is certified at a height in an epoch"
    }

    fn kinds(&self) -> Kinds {
        Some(&["certified"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Certified {
            epoch,
            lane,
            height,
            digest,
            ..
        } = &seen.what
        else {
            return Ok(0);
        };
        let before = *self
            .certified
            .entry(*epoch)
            .or_default()
            .at(0, *lane, *height)
            .get_or_insert(*digest);
        if before != *digest {
            return Err(Violation::by(
                seen,
                format!(
                    "{:016x} and {:016x} are both certified at height {height} of lane {lane} in epoch {epoch}",
                    before.0, digest.0
                ),
            ));
        }
        Ok(1)
    }
}

/// Every certificate that an honest node takes has 2f+1 valid signatures.
pub struct GenuineCertificates {
    healthy: BTreeSet<usize>,
}

impl GenuineCertificates {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self { healthy }
    }
}

impl Property<Seen> for GenuineCertificates {
    fn name(&self) -> &'static str {
        "genuine certificates"
    }

    fn sentence(&self) -> &'static str {
        "every certificate an honest node takes has valid signatures of 2f+1 validators of its epoch"
    }

    fn kinds(&self) -> Kinds {
        Some(&["certified"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (
            Some(node),
            Seen::Certified {
                epoch,
                lane,
                height,
                genuine,
                ..
            },
        ) = (seen.node, &seen.what)
        else {
            return Ok(0);
        };
        if !self.healthy.contains(&node) {
            return Ok(0);
        }
        if !genuine {
            let message = format!(
                "took a forged certificate at height {height} of lane {lane}, epoch {epoch}"
            );
            return Err(Violation::by(seen, message));
        }
        Ok(1)
    }
}
