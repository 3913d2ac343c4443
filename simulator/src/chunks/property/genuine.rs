//! A body is the one asked for.

use crate::{Property, Stamped, Violation, chunks::observation::Seen, property::Verdict};
use std::collections::BTreeSet;

/// What an honest node hands out as a body has the digest that its header names. // R-02
pub struct GenuineBodies {
    healthy: BTreeSet<usize>,
}

impl GenuineBodies {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self { healthy }
    }
}

impl Property<Seen> for GenuineBodies {
    fn name(&self) -> &'static str {
        "genuine bodies"
    }

    fn sentence(&self) -> &'static str {
        "what an honest node hands out as the body of a chunk is the one its header names"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (
            Seen::Fetched {
                lane,
                height,
                genuine,
            },
            Some(node),
        ) = (&seen.what, seen.node)
        else {
            return Ok(0);
        };
        if *genuine || !self.healthy.contains(&node) {
            return Ok(1);
        }
        let message =
            format!("it handed out something else as the body at height {height} of lane {lane}");
        Err(Violation::by(seen, message))
    }
}
