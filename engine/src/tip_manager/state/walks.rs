//! Runs of headers that a voter or the executor of this node waits for.

use super::{Effect, State, To, lane::Lane};
use crate::{
    types::{Digest, Signed, Tip, Types},
    wire::{Envelope, HEADERS_MAX},
};
use commonware_utils::channel::oneshot;
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

/// Headers of one lane, lowest first.
pub type Run<T> = Vec<Arc<Signed<T>>>;

/// Runs waited for at once, at most. Who is turned away asks again.
const WALKS_MAX: usize = 1 << 10;

/// A run that is not complete yet.
pub(super) struct Walk<T: Types> {
    sequencer: T::PublicKey,
    above: u64,
    to: Tip,
    /// The highest header that is missing.
    lacks: (u64, Digest),
    /// What came that the lane has no place for: it has gone another way, or further.
    found: BTreeMap<(u64, Digest), Arc<Signed<T>>>,
    responder: oneshot::Sender<Run<T>>,
}

impl<T: Types> Walk<T> {
    /// Follows the links down from the end of the run. Either all of it is here, or the highest that is not.
    fn follow(&self, lane: &Lane<T>) -> Result<Run<T>, (u64, Digest)> {
        let mut run = Vec::new();
        let (mut height, mut digest) = (self.to.height, self.to.digest);
        while height > self.above {
            let place = (height, digest);
            let header = lane
                .find(height, &digest)
                .or_else(|| self.found.get(&place));
            let header = header.ok_or(place)?;
            (height, digest) = (height - 1, header.header().previous);
            run.push(header.clone());
        }
        run.reverse();
        Ok(run)
    }

    /// As many heights as one message answers, down from the one that is missing.
    fn missing(&self) -> RangeInclusive<u64> {
        let (height, _) = self.lacks;
        let lowest = height.saturating_sub(HEADERS_MAX as u64 - 1);
        lowest.max(self.above + 1)..=height
    }
}

impl<T: Types> State<T> {
    /// Somebody needs the headers above a height that a place leads down to: they are given once all are here.
    pub(super) fn asked(
        &mut self,
        sequencer: T::PublicKey,
        above: u64,
        to: Tip,
        responder: oneshot::Sender<Run<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        if self.walks.len() >= WALKS_MAX {
            return;
        }
        let mut walk = Walk {
            sequencer,
            above,
            to,
            lacks: (to.height, to.digest),
            found: BTreeMap::new(),
            responder,
        };
        match walk.follow(self.lane(&walk.sequencer)) {
            Ok(run) => effects.push(Effect::Walked(walk.responder, run)),
            Err(lacks) => {
                walk.lacks = lacks;
                self.fetch(&walk.sequencer, walk.missing(), To::AnyValidator, effects);
                self.walks.push(walk);
            }
        }
    }

    /// Takes the headers that complete runs, whatever the lane makes of them.
    pub(super) fn found(&mut self, envelope: &Envelope<T>) {
        if self.walks.is_empty() {
            return;
        }
        // A fetch is answered lowest first, and each header names the one below it.
        for header in envelope.headers.iter().rev() {
            let place = (header.height(), header.digest());
            let wants = |it: &Walk<T>| it.lacks == place && it.sequencer == envelope.sequencer;
            if !self.walks.iter().any(wants)
                || !header.is_well_formed(&self.genesis)
                || !header.verify(&self.header_namespace)
            {
                continue;
            }
            for walk in self.walks.iter_mut().filter(|it| wants(it)) {
                walk.found.insert(place, header.clone());
                walk.lacks = (place.0 - 1, header.header().previous);
            }
        }
    }

    /// Gives the runs that are complete by now, and asks for the rest.
    pub(super) fn walk_on(&mut self, effects: &mut Vec<Effect<T>>) {
        for mut walk in std::mem::take(&mut self.walks) {
            if walk.responder.is_closed() {
                continue;
            }
            let sequencer = walk.sequencer.clone();
            let (height, digest) = walk.lacks;
            let lane = self.lane(&sequencer);
            let news = height <= walk.above || lane.find(height, &digest).is_some();
            if news {
                match walk.follow(lane) {
                    Ok(run) => {
                        effects.push(Effect::Walked(walk.responder, run));
                        continue;
                    }
                    Err(lacks) => walk.lacks = lacks,
                }
            }
            // Once until the next tick: what is asked for already is not asked for again.
            self.fetch(&sequencer, walk.missing(), To::AnyValidator, effects);
            self.walks.push(walk);
        }
    }
}
