//! A certified tip can be included.

use crate::{
    Property, Stamped, Violation,
    lanes::{observation::Seen, options::Options},
    property::{Kinds, Verdict},
};

/// What a lane certified since its last inclusion fits an empty block.
pub struct FitsABlock {
    ahead_max: u64,
    headers_max: u64,
}

impl FitsABlock {
    pub const fn new(options: &Options) -> Self {
        Self {
            ahead_max: options.ahead_max,
            headers_max: options.headers_max,
        }
    }
}

impl Property<Seen> for FitsABlock {
    fn name(&self) -> &'static str {
        "fits a block"
    }

    fn sentence(&self) -> &'static str {
        "the certified run of a lane above its last inclusion never holds more than a block can take"
    }

    fn kinds(&self) -> Kinds {
        Some(&["included"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Included {
            lane,
            height,
            headers,
            live,
            ..
        } = &seen.what
        else {
            return Ok(0);
        };
        if *headers > self.headers_max || *live > self.ahead_max {
            let message = format!(
                "lane {lane} at height {height} brings {headers} headers and {live} live chunks, \
                 a block takes {} and {}",
                self.headers_max, self.ahead_max
            );
            return Err(Violation {
                node: Some(*lane),
                message,
            });
        }
        Ok(1)
    }
}
