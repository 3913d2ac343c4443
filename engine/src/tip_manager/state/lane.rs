//! One lane as one validator holds it.

use crate::{
    ahead::Ahead,
    canary::Canary,
    patience::Patience,
    types::{Certificate, Digest, Genesis, Signed, Tip, Types},
    wire::{Ack, HEADERS_MAX},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

/// What the application thinks of a locked chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opinion {
    /// Asked, not answered yet.
    Asked,
    /// Valid, and the body is durable.
    Valid,
    /// Invalid for ever.
    Invalid,
    /// To be asked again when something moved.
    Pending,
}

/// A header locked at its height in the current epoch.
pub(super) struct Lock<T: Types> {
    pub header: Arc<Signed<T>>,
    /// The journal position that makes it durable.
    pub position: u64,
    pub opinion: Opinion,
    pub expiry_ms: u64,
    /// The ack, once given: a resend gets the same one.
    pub ack: Option<Ack<T>>,
}

/// The newest certified place of a lane.
pub(super) struct Base<T: Types> {
    pub tip: Tip,
    /// `None` for the lane's root and for an entry of the executed lane table.
    pub certificate: Option<Arc<Certificate<T>>>,
    pub position: u64,
    /// Another header was locked at this height in the current epoch: this one gets no ack in it.
    pub contested: bool,
    /// The ack of the base header in the current epoch, once given.
    pub ack: Option<Ack<T>>,
}

impl<T: Types> Base<T> {
    /// Height, then epoch; a certificate ranks above a bare entry.
    pub fn rank(&self) -> (u64, Option<u64>) {
        (
            self.tip.height,
            self.certificate.as_ref().map(|it| it.epoch),
        )
    }
}

/// One lane. The linked run is the base and the locks that chain from it without a gap, up to `top`.
pub(super) struct Lane<T: Types> {
    pub base: Base<T>,
    /// Locks of the current epoch above the base. Those above `top` belong to a fork that a
    /// certificate overtook: they are kept because they were acked.
    pub locks: BTreeMap<u64, Lock<T>>,
    /// The end of the linked run.
    pub top: Tip,
    /// The run is acked up to here.
    pub acked: u64,
    /// Headers above a hole, or held back: signatures checked, nothing promised.
    pub waiting: BTreeMap<u64, Arc<Signed<T>>>,
    /// The certified headers between the executed inclusion and the base that are here.
    pub chain: BTreeMap<u64, Arc<Signed<T>>>,
    /// The last headers that were executed: for nodes that are behind.
    pub past: BTreeMap<u64, Arc<Signed<T>>>,
    /// Headers whose locks were dropped, off the chain.
    pub spare: BTreeMap<(u64, Digest), Arc<Signed<T>>>,
    pub ahead: Ahead,
    /// The lane's entry in the executed lane table.
    pub executed: Tip,
    /// Heights asked for since the last tick.
    pub fetching: BTreeSet<(u64, u64)>,
    /// A height acked here and not certified yet, and when it was.
    pub promised: Option<(u64, u64)>,
    /// How long certificates take to come back: if one takes much longer, it was lost.
    pub patience: Patience,
}

impl<T: Types> Lane<T> {
    pub fn new(genesis: &Genesis, sequencer: &T::PublicKey) -> Self {
        let root = genesis.root(sequencer);
        Self {
            base: Base {
                tip: root,
                certificate: None,
                position: 0,
                contested: false,
                ack: None,
            },
            locks: BTreeMap::new(),
            top: root,
            acked: 0,
            waiting: BTreeMap::new(),
            chain: BTreeMap::new(),
            past: BTreeMap::new(),
            spare: BTreeMap::new(),
            ahead: Ahead::new(genesis),
            executed: root,
            fetching: BTreeSet::new(),
            promised: None,
            patience: Patience::default(),
        }
    }

    /// Waits for the certificate of what was acked last, unless it waits for an earlier one.
    pub fn promise(&mut self, now_ms: u64) {
        if self.promised.is_none() && self.acked > self.base.tip.height {
            self.promised = Some((self.acked, now_ms));
            self.patience.start(now_ms);
        }
    }

    /// A certificate came.
    pub fn redeem(&mut self, now_ms: u64) {
        let base = self.base.tip.height;
        if let Some((_, since_ms)) = self.promised.take_if(|(height, _)| *height <= base) {
            self.patience.took(now_ms.saturating_sub(since_ms));
            self.patience.stop();
        }
        self.promise(now_ms);
    }

    /// Locks the header above `top`.
    pub fn lock(&mut self, genesis: &Genesis, header: Arc<Signed<T>>, position: u64) {
        assert!(header.extends(&self.top), "a lock extends the run");
        assert!(
            self.top.height >= self.base.tip.height,
            "the run starts at the base"
        );
        let expiry_ms = genesis
            .expiry_ms(header.header().slot)
            .expect("well-formed");
        self.top = header.tip();
        self.ahead.push(genesis, &header);
        let lock = Lock {
            header,
            position,
            opinion: Opinion::Asked,
            expiry_ms,
            ack: None,
        };
        let before = self.locks.insert(self.top.height, lock);
        assert!(before.is_none(), "one lock a height in an epoch");
    }

    /// Moves the base. Locks at or below it are dropped, their headers kept: on the chain if the new
    /// base descends from them, beside it otherwise.
    pub fn rebase(
        &mut self,
        genesis: &Genesis,
        tip: Tip,
        certificate: Option<Arc<Certificate<T>>>,
        position: u64,
    ) {
        let contested = match self.locks.get(&tip.height) {
            Some(lock) => lock.header.digest() != tip.digest,
            None => self.base.contested && self.base.tip.height == tip.height,
        };
        let on_run =
            tip.height <= self.top.height && self.digest_at(tip.height) == Some(tip.digest);
        let same_place = self.base.tip == tip;
        let ack = if same_place {
            self.base.ack.take()
        } else {
            None
        };
        self.base = Base {
            tip,
            certificate,
            position,
            contested,
            ack,
        };
        let above = self.locks.split_off(&tip.height.saturating_add(1));
        let dropped = std::mem::replace(&mut self.locks, above);
        let mut expected = tip.digest;
        for (height, lock) in dropped.into_iter().rev() {
            if lock.header.digest() == expected {
                expected = lock.header.header().previous;
                self.chain.insert(height, lock.header);
            } else {
                self.spare
                    .insert((height, lock.header.digest()), lock.header);
            }
        }
        self.waiting = self.waiting.split_off(&tip.height.saturating_add(1));
        if !on_run {
            self.prune_chain();
        }
        self.relink(genesis, on_run);
    }

    /// Removes what the base does not descend from. Called after a jump.
    fn prune_chain(&mut self) {
        let mut expected = Some(self.base.tip.digest);
        let mut at = self.base.tip.height;
        let chain = std::mem::take(&mut self.chain);
        for (height, header) in chain.into_iter().rev() {
            // Across a hole the link is unknown: what is below it is fetched again.
            let linked = height == at && Some(header.digest()) == expected;
            if linked {
                expected = Some(header.header().previous);
                at = height.saturating_sub(1);
                self.chain.insert(height, header);
            } else {
                self.spare.insert((height, header.digest()), header);
            }
        }
    }

    /// Finds the end of the run again, and counts what is ahead from what is here.
    fn relink(&mut self, genesis: &Genesis, on_run: bool) {
        let mut top = self.base.tip;
        let mut acked = top.height;
        for (height, lock) in &self.locks {
            if !lock.header.extends(&top) {
                break;
            }
            if acked + 1 == *height && lock.ack.is_some() {
                acked = *height;
            }
            top = lock.header.tip();
        }
        self.acked = acked;
        if on_run && top == self.top {
            return;
        }
        self.top = top;
        self.recount(genesis);
    }

    /// Counts what is ahead of the chain from the headers that are here.
    pub fn recount(&mut self, genesis: &Genesis) {
        self.ahead.truncate(0);
        self.ahead.jump(self.base.tip.height);
        for header in self.chain.values() {
            self.ahead.fill(genesis, header);
        }
        for (_, lock) in self.locks.range(..=self.top.height) {
            self.ahead.push(genesis, &lock.header);
        }
    }

    /// Starts again from the executed entry, on entering an epoch: the base is out of bounds or does
    /// not descend from it.
    pub fn restart(&mut self, genesis: &Genesis, position: u64) {
        let tip = self.executed;
        self.base = Base {
            tip,
            certificate: None,
            position,
            contested: false,
            ack: None,
        };
        for (height, header) in self.chain.split_off(&(tip.height + 1)) {
            self.spare.insert((height, header.digest()), header);
        }
        self.drop_locks(genesis);
    }

    /// Drops the locks on entering an epoch; the run starts again at the base.
    pub fn drop_locks(&mut self, genesis: &Genesis) {
        for (height, lock) in std::mem::take(&mut self.locks) {
            self.spare
                .insert((height, lock.header.digest()), lock.header);
        }
        self.base.contested = false;
        self.base.ack = None;
        self.waiting.clear();
        self.fetching.clear();
        self.promised = None;
        self.patience.stop();
        self.top = self.base.tip;
        self.acked = self.top.height;
        self.recount(genesis);
    }

    /// Whether the base is known not to descend from the lane's executed entry.
    pub fn departs_from_executed(&self) -> bool {
        if self.executed.height == self.base.tip.height {
            return self.executed.digest != self.base.tip.digest;
        }
        let next = self.executed.height + 1;
        self.chain
            .get(&next)
            .is_some_and(|it| it.header().previous != self.executed.digest)
    }

    /// Whether the chain has a place for this very header: a certificate above it vouches for it
    /// through the links.
    pub fn lacks(&self, header: &Signed<T>) -> bool {
        let height = header.height();
        if height <= self.executed.height || self.chain.contains_key(&height) {
            return false;
        }
        let expected = if height == self.base.tip.height {
            self.base.tip.digest
        } else {
            match self.chain.get(&(height + 1)) {
                Some(above) => above.header().previous,
                None => return false,
            }
        };
        header.digest() == expected
    }

    /// Takes a header that the chain lacks.
    pub fn fill(&mut self, genesis: &Genesis, header: &Arc<Signed<T>>) {
        self.ahead.fill(genesis, header);
        self.chain.insert(header.height(), header.clone());
        // What a dropped lock left behind below it may link now.
        let mut below = header.clone();
        while let Some(spare) = self
            .spare
            .remove(&(below.height() - 1, below.header().previous))
        {
            self.ahead.fill(genesis, &spare);
            self.chain.insert(spare.height(), spare.clone());
            below = spare;
        }
    }

    /// A header of this lane that is here, wherever it stands.
    pub fn find(&self, height: u64, digest: &Digest) -> Option<&Arc<Signed<T>>> {
        let linked = self.chain.get(&height).or_else(|| self.past.get(&height));
        let locked = self.locks.get(&height).map(|it| &it.header);
        let linked = linked.into_iter().chain(locked);
        let mut standing = linked.chain(self.waiting.get(&height));
        standing
            .find(|it| it.digest() == *digest)
            .or_else(|| self.spare.get(&(height, *digest)))
    }

    /// The heights between the executed inclusion and the base whose headers are not here, highest
    /// first hole only: what is below it can be judged only once it is filled.
    pub fn missing(&self) -> Option<RangeInclusive<u64>> {
        let span = self.base.tip.height.saturating_sub(self.executed.height);
        if self.chain.len() as u64 == span {
            return None;
        }
        let mut height = self.base.tip.height;
        while height > self.executed.height && self.chain.contains_key(&height) {
            height -= 1;
        }
        if height <= self.executed.height {
            return None;
        }
        let below = self
            .chain
            .range(..height)
            .next_back()
            .map_or(self.executed.height, |(it, _)| *it);
        let from = (below + 1).max(height.saturating_sub(HEADERS_MAX as u64 - 1));
        Some(from..=height)
    }

    /// Heights above the run that are missing below a waiting header.
    pub fn hole(&self) -> Option<RangeInclusive<u64>> {
        let (lowest, _) = self.waiting.first_key_value()?;
        (*lowest > self.top.height + 1).then(|| self.top.height + 1..=*lowest - 1)
    }

    /// The digest at a height of the certified chain or the run.
    pub fn digest_at(&self, height: u64) -> Option<Digest> {
        if height == self.base.tip.height {
            return Some(self.base.tip.digest);
        }
        if height < self.base.tip.height {
            return self.chain.get(&height).map(|it| it.digest());
        }
        self.locks.get(&height).map(|it| it.header.digest())
    }

    /// The headers of a range that are here and durable, lowest first, at most one message of them: the certified
    /// chain, the run, and what links to it of those whose locks an epoch dropped.
    pub fn serve(&self, from: u64, to: u64, durable: u64) -> Vec<Arc<Signed<T>>> {
        let to = to.min(from.saturating_add(HEADERS_MAX as u64 - 1));
        if to < from {
            return Vec::new();
        }
        // What was executed lies below the chain.
        let past = self
            .past
            .range(from..)
            .take_while(|(height, _)| **height <= to);
        let chain = past.chain(self.chain.range(from..=to));
        let chain = chain.map(|(_, it)| it.clone());
        let run = self
            .locks
            .range(from..=to)
            .take_while(|(height, lock)| **height <= self.top.height && lock.position <= durable)
            .map(|(_, lock)| lock.header.clone());
        let last = self.locks.get(&self.top.height);
        // The epoch that dropped their locks came after them in the journal: they are durable.
        let dropped = last
            .is_none_or(|it| it.position <= durable)
            .then(|| self.dropped());
        let dropped = dropped
            .into_iter()
            .flatten()
            .skip_while(|it| it.height() < from)
            .take_while(|it| it.height() <= to);
        chain.chain(run).chain(dropped.cloned()).collect()
    }

    /// The headers above the run whose locks were dropped, as far as they link.
    fn dropped(&self) -> impl Iterator<Item = &Arc<Signed<T>>> {
        let mut tip = self.top;
        std::iter::from_fn(move || {
            let next = tip.height.checked_add(1)?;
            let beside = (next, Digest::from([0; 32]))..=(next, Digest::from([u8::MAX; 32]));
            let mut beside = self.spare.range(beside).map(|(_, it)| it);
            let header = beside.find(|it| it.extends(&tip))?;
            tip = header.tip();
            Some(header)
        })
    }

    /// The chain executed the lane up to a place.
    pub fn execute(&mut self, tip: Tip, past_max: u64) {
        self.executed = tip;
        let above = self.chain.split_off(&(tip.height + 1));
        // One by one: joining and splitting maps costs as much as all that they hold.
        self.past.extend(std::mem::replace(&mut self.chain, above));
        while self.past.len() as u64 > past_max {
            self.past.pop_first();
        }
        self.spare = self
            .spare
            .split_off(&(tip.height + 1, Digest::from([0; 32])));
    }

    /// Drops headers off the chain that expired in executed time: nobody walks them any more. Says at which heights
    /// none is left.
    pub fn expire_spare(&mut self, genesis: &Genesis, executed_ms: u64) -> BTreeSet<u64> {
        let is_expired = |header: &Arc<Signed<T>>| {
            let expiry = genesis.expiry_ms(header.header().slot);
            expiry.is_none_or(|it| it < executed_ms)
        };
        // Slots rise with the height.
        while self
            .past
            .first_key_value()
            .is_some_and(|(_, it)| is_expired(it))
        {
            self.past.pop_first();
        }
        let expired = |_: &(u64, Digest), header: &mut Arc<Signed<T>>| is_expired(header);
        let mut heights: BTreeSet<_> = self
            .spare
            .extract_if(.., expired)
            .map(|((height, _), _)| height)
            .collect();
        for (height, _) in self.spare.keys() {
            heights.remove(height);
        }
        heights
    }

    /// Whether a lock may be acked now.
    pub fn is_ready(
        &self,
        lock: &Lock<T>,
        durable: u64,
        finalized_ms: u64,
        canary: Canary,
    ) -> bool {
        let synced = lock.position <= durable || canary.is(Canary::AckBeforeSync);
        let body = lock.opinion == Opinion::Valid
            || lock.expiry_ms < finalized_ms
            || canary.is(Canary::AckWithoutBody);
        synced && body
    }
}
