//! The rules of blocks, written once more and without any of the code that enforces them.

mod limits;
#[cfg(test)]
mod tests;

use crate::{
    Plan, Property, Stamped, Violation, lanes,
    lanes::Short,
    nodes::{
        observation::{Seen, Tip},
        system::Nodes,
    },
    property::Verdict,
};
use limits::{Ahead, Limits};
use std::collections::{BTreeMap, BTreeSet};

/// A final block, as it was reported first.
struct Final<'a> {
    height: u64,
    digest: Short,
    parent: Short,
    time_ms: u64,
    executed: u64,
    root: Short,
    tips: &'a [Tip],
}

/// Every final block obeys the rules that voters check, as recomputed from what is observed.
pub struct KeepsRules {
    healthy: BTreeSet<usize>,
    limits: Limits,
    ahead: Ahead,
    start_ms: u64,
    height: u64,
    /// The newest block; of the one that the chain begins with nobody tells.
    digest: Option<Short>,
    time_ms: u64,
    executed: u64,
    /// The last inclusion of each lane.
    lanes: BTreeMap<usize, (u64, Short)>,
    /// The height of each header that was locked, and what it links to.
    links: BTreeMap<Short, (u64, Short)>,
    /// The root at each height, as named or executed.
    roots: BTreeMap<u64, Short>,
    /// The headers that each block moves lanes on by.
    moved: BTreeMap<u64, u64>,
}

impl KeepsRules {
    pub fn new(plan: &Plan<Nodes>, start_ms: u64) -> Self {
        Self {
            healthy: plan.healthy(),
            limits: Limits::of(&plan.options),
            ahead: Ahead::of(plan),
            start_ms,
            height: 0,
            digest: None,
            time_ms: start_ms,
            executed: 0,
            lanes: BTreeMap::new(),
            links: BTreeMap::new(),
            roots: BTreeMap::new(),
            moved: BTreeMap::new(),
        }
    }

    fn root(&mut self, height: u64, root: Short) -> Result<(), String> {
        let known = *self.roots.entry(height).or_insert(root);
        if known == root {
            return Ok(());
        }
        Err(format!(
            "the state of height {height} has root {root:?} and {known:?}"
        ))
    }

    fn finalized(&mut self, at_us: u64, block: &Final<'_>) -> Result<(), String> {
        let height = block.height;
        if self.digest.is_some_and(|it| it != block.parent) {
            return Err(format!(
                "block {height} is built on {:?}, not on block {}",
                block.parent, self.height
            ));
        }
        let latest_ms = self.start_ms + self.ahead.latest_ms(at_us) + self.limits.skew_ms;
        if block.time_ms <= self.time_ms || block.time_ms > latest_ms {
            return Err(format!(
                "the time of block {height} is {}: it must be above its parent's, {}, and at most {latest_ms}",
                block.time_ms, self.time_ms
            ));
        }
        self.names(block)?;
        let mut headers = 0_u64;
        let mut lanes = BTreeMap::new();
        for tip in block.tips {
            let run = self.tip(block, tip);
            let run =
                run.map_err(|why| format!("block {height} has a tip of lane {}: {why}", tip.lane))?;
            headers = headers.saturating_add(run);
            if lanes.insert(tip.lane, (tip.height, tip.digest)).is_some() {
                return Err(format!("block {height} has two tips of lane {}", tip.lane));
            }
        }
        if headers > self.limits.headers_max {
            return Err(format!(
                "block {height} moves lanes on by {headers} headers, {} are allowed",
                self.limits.headers_max
            ));
        }
        self.lanes.append(&mut lanes);
        self.moved.insert(height, headers);
        (self.height, self.digest) = (height, Some(block.digest));
        (self.time_ms, self.executed) = (block.time_ms, block.executed);
        Ok(())
    }

    fn names(&mut self, block: &Final<'_>) -> Result<(), String> {
        let Final {
            height, executed, ..
        } = *block;
        if executed >= height || executed < self.executed {
            return Err(format!(
                "block {height} names the state of {executed}, the one below that of {}",
                self.executed
            ));
        }
        let lag_max = self.limits.execution_lag_max;
        if !block.tips.is_empty() && height - executed > lag_max {
            return Err(format!(
                "block {height} has tips and names the state of {executed}: {lag_max} below it is allowed"
            ));
        }
        self.root(executed, block.root)
    }

    /// How many headers a tip moves its lane on by.
    fn tip(&self, block: &Final<'_>, tip: &Tip) -> Result<u64, String> {
        let Limits {
            slot_ms, window_ms, ..
        } = self.limits;
        if !tip.genuine {
            return Err("nobody certified it".into());
        }
        let epoch = block.height / self.limits.epoch_blocks;
        if tip.epoch != epoch && tip.epoch.checked_add(1) != Some(epoch) {
            return Err(format!(
                "its certificate is of epoch {}, the block of {epoch}",
                tip.epoch
            ));
        }
        let base = self.lanes.get(&tip.lane).copied();
        let below = base.map_or(0, |it| it.0);
        let run = tip.height.saturating_sub(below);
        if run == 0 {
            return Err(format!(
                "its height is {}, {below} was included before",
                tip.height
            ));
        }
        let begins_ms = u128::from(tip.slot) * u128::from(slot_ms);
        if begins_ms > u128::from(block.time_ms + self.limits.skew_ms) {
            return Err(format!(
                "its slot begins at {begins_ms}, after the block, {}",
                block.time_ms
            ));
        }
        let expires_ms = begins_ms + u128::from(slot_ms + window_ms);
        if expires_ms < u128::from(block.time_ms) && run < self.limits.long_run {
            return Err(format!(
                "it expired at {expires_ms}, before the block, {}",
                block.time_ms
            ));
        }
        self.descends(tip, base)?;
        Ok(run)
    }

    /// Follows a tip down to the last inclusion, as far as headers are known.
    fn descends(&self, tip: &Tip, base: Option<(u64, Short)>) -> Result<(), String> {
        let (below, digest) = base.map_or((0, None), |(height, digest)| (height, Some(digest)));
        let (mut height, mut previous) = (tip.height, tip.previous);
        while height > below + 1 {
            let Some((lower, link)) = self.links.get(&previous) else {
                return Ok(());
            };
            if lower + 1 != height {
                return Err(format!("its header at {height} links to one at {lower}"));
            }
            (height, previous) = (*lower, *link);
        }
        if digest.is_some_and(|it| it != previous) {
            return Err(format!("it does not descend from the inclusion at {below}"));
        }
        Ok(())
    }

    /// What a block stands for is known once it is executed.
    fn executed(
        &self,
        height: u64,
        [headers, chunks, bytes, items]: [u64; 4],
    ) -> Result<(), String> {
        if self.moved.get(&height).is_some_and(|it| *it != headers) {
            return Err(format!(
                "block {height} moves lanes on by {} headers, and {headers} were walked",
                self.moved[&height]
            ));
        }
        let max = &self.limits;
        if chunks > max.chunks_max || bytes > max.bytes_max || items > max.items_max {
            return Err(format!(
                "block {height} stands for {chunks} chunks, {bytes} bytes and {items} transfers: {}, {} and {} are allowed",
                max.chunks_max, max.bytes_max, max.items_max
            ));
        }
        Ok(())
    }
}

impl Property<Seen> for KeepsRules {
    fn name(&self) -> &'static str {
        "keeps the rules"
    }

    fn sentence(&self) -> &'static str {
        "a final block obeys the rules of its time, of the state that it names, of its tips, and of how much it stands for"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        if let Seen::Lane(lanes::Seen::Locked {
            height,
            digest,
            previous,
            ..
        }) = &seen.what
        {
            self.links.insert(*digest, (*height, *previous));
            return Ok(0);
        }
        if seen.node.is_none_or(|it| !self.healthy.contains(&it)) {
            return Ok(0);
        }
        let judged = match &seen.what {
            Seen::Opened { height, root } => self.root(*height, *root),
            Seen::Executed {
                height,
                root,
                headers,
                chunks,
                bytes,
                items,
                ..
            } => self
                .root(*height, *root)
                .and_then(|()| self.executed(*height, [*headers, *chunks, *bytes, *items])),
            // Each node tells of every height in order: whoever is first tells of the next one.
            Seen::Finalized {
                height,
                digest,
                parent,
                time_ms,
                tips,
                executed,
                root,
            } if *height > self.height => self.finalized(
                seen.at_us,
                &Final {
                    height: *height,
                    digest: *digest,
                    parent: *parent,
                    time_ms: *time_ms,
                    executed: *executed,
                    root: *root,
                    tips,
                },
            ),
            _ => return Ok(0),
        };
        match judged {
            Ok(()) => Ok(1),
            Err(message) => Err(Violation::by(seen, message)),
        }
    }
}
