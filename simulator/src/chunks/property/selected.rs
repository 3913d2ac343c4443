//! What the pool hands out fits the block it is for.

use crate::{
    Plan, Property, Stamped, Violation,
    chunks::{observation::Seen, system::Chunks},
    property::Verdict,
};

/// A tip that an honest node's certificate pool hands out is genuine, links to the lane's last inclusion, and is unexpired
/// at the block's time, unless its run is long.
pub struct SelectsFitting {
    slot_ms: u64,
    window_ms: u64,
    headers_max: u64,
}

impl SelectsFitting {
    pub fn new(plan: &Plan<Chunks>) -> Self {
        let lanes = &plan.options.lanes;
        Self {
            slot_ms: lanes.slot_ms,
            window_ms: lanes.window_ms,
            headers_max: lanes.headers_max,
        }
    }
}

impl Property<Seen> for SelectsFitting {
    fn name(&self) -> &'static str {
        "selects what fits"
    }

    fn sentence(&self) -> &'static str {
        "what a certificate pool hands out for a block is genuine, links, and is unexpired unless it moves a lane on"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Selected {
            lane,
            height,
            slot,
            at_ms,
            headers,
        } = &seen.what
        else {
            return Ok(0);
        };
        let Some(headers) = headers else {
            let message = format!(
                "the tip of lane {lane} at height {height} does not link, or nobody certified it"
            );
            return Err(Violation::of_all(message));
        };
        let expired = (slot + 1) * self.slot_ms + self.window_ms < *at_ms;
        if expired && headers * 2 < self.headers_max {
            let message = format!(
                "the tip of lane {lane} at height {height} expired before chain time {at_ms}"
            );
            return Err(Violation::of_all(message));
        }
        Ok(1)
    }
}
