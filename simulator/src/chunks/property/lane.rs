//! The properties of lanes, over the lanes of these nodes.

use crate::{Property, Stamped, chunks::observation::Seen, lanes, property::Verdict, trace::Event};

/// Sees of these observations what lanes report.
struct OfLanes(Box<dyn Property<lanes::Seen>>);

/// A property of lanes as one of chunks.
pub fn of_lanes(property: Box<dyn Property<lanes::Seen>>) -> Box<dyn Property<Seen>> {
    Box::new(OfLanes(property))
}

impl Property<Seen> for OfLanes {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn sentence(&self) -> &'static str {
        self.0.sentence()
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let what = match &seen.what {
            Seen::Lane(seen) => seen.clone(),
            // A body whose quota is reserved is stored before it counts; that it is durable is shown after a restart.
            Seen::Kept { payload, .. }
            | Seen::Asked {
                payload,
                found: true,
                ..
            } => lanes::Seen::Stored { payload: *payload },
            _ => return Ok(0),
        };
        self.0.observe(&seen.with(what))
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        self.0.event(event)
    }

    fn finish(&mut self) -> Verdict {
        self.0.finish()
    }
}
