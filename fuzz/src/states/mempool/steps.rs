//! What happens to a mempool.

use super::{Driver, LIFE_MAX_MS, P};
use arbitrary::{Result, Unstructured};
use commonware_utils::channel::oneshot;
use drystone_actors::{
    mempool::{Built, Client, Executed, Members, Message, Rank, Sighting},
    transaction::{Invalid, Transaction},
};
use drystone_engine::types::Digest;
use std::{collections::BTreeMap, sync::Arc};

/// Peers there may be; whoever has a name beyond them is a stranger.
const PEERS: usize = 3;

impl Driver {
    fn name(&self, u: &mut Unstructured<'_>) -> Result<P> {
        Ok(u.choose(&self.names[1..])?.clone())
    }

    fn pick(&self, u: &mut Unstructured<'_>) -> Result<Arc<Transaction>> {
        Ok(u.choose(&self.universe)?.clone())
    }

    /// Ids as a message may carry them: repeated ones, and some of nothing.
    fn ids(&self, u: &mut Unstructured<'_>) -> Result<Vec<Digest>> {
        let mut ids = Vec::new();
        for _ in 0..u.int_in_range(1..=self.config.wire.ids_max)? {
            ids.push(if u.ratio(1, 16)? {
                Digest::from([u.arbitrary()?; 32])
            } else {
                self.pick(u)?.facts.id
            });
        }
        Ok(ids)
    }

    pub fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=15)?;
        match u.int_in_range(0..=23)? {
            0..=3 => self.submit(u)?,
            4..=6 => {
                let (from, ids) = (self.name(u)?, self.ids(u)?);
                self.gossip.announced(&from, &ids);
                self.apply(Message::Announced { from, ids });
            }
            7 => self.request(u)?,
            8..=10 => self.reply(u)?,
            11 => self.lie(u)?,
            12 | 13 if self.check.is_some() => self.checked(u.arbitrary()?),
            14 => {
                let lane = u.int_in_range(1..=PEERS)?;
                let sighting = self.sighting(u, lane)?;
                self.gossip.forget(&sighting.ids);
                self.apply(Message::Sighted(sighting));
            }
            15 => {
                let sequencer = self.name(u)?;
                let height = self.heights.get(&sequencer).copied().unwrap_or(0);
                self.apply(Message::Certified { sequencer, height });
            }
            16 | 17 => self.block(u)?,
            18 => {
                if u.ratio(1, 3)? {
                    self.enter(u.arbitrary()?, u.arbitrary()?);
                } else if u.ratio(1, 3)? {
                    self.follow(u.arbitrary()?);
                } else {
                    self.charge(u)?;
                }
            }
            19 | 20 => self.ask(),
            21 => self.seal(u)?,
            22 if u.ratio(1, 4)? => self.fail(),
            _ => self.apply(Message::Woken),
        }
        self.charges();
        Ok(())
    }

    fn submit(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let submission = self.submissions;
        self.submissions += 1;
        let mut transactions = Vec::new();
        for index in 0..u.int_in_range(1..=3)? {
            let transaction = if u.ratio(1, 16)? {
                Err(Invalid::because("noise"))
            } else {
                Ok(self.pick(u)?)
            };
            if let Ok(transaction) = &transaction {
                self.gossip.forget([&transaction.facts.id]);
            }
            self.clients.insert(Client { submission, index });
            transactions.push(transaction);
        }
        self.apply(Message::Submitted {
            submission,
            transactions,
        });
        Ok(())
    }

    fn request(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let (from, request, ids) = (self.name(u)?, u.arbitrary()?, self.ids(u)?);
        if self.peers.contains(&from) {
            self.asking = Some((from.clone(), request, ids.clone()));
        }
        self.apply(Message::Requested { from, request, ids });
        Ok(())
    }

    /// A peer answers what it was asked: with contents, with what is missing, or with some of each.
    fn reply(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if self.gossip.open.is_empty() {
            return Ok(());
        }
        let at = u.choose_index(self.gossip.open.len())?;
        let open = &self.gossip.open[at];
        let (from, request, all) = (open.to.clone(), open.number, open.ids.clone());
        let ids = all[..u.int_in_range(1..=all.len())?].to_vec();
        self.gossip.forget(&ids);
        let found = ids.iter().map(|it| self.by_id.get(it).cloned().map(Ok));
        let found: Option<Vec<_>> = found.collect();
        match found.filter(|_| !u.ratio(1, 4).unwrap_or(false)) {
            Some(transactions) => self.apply(Message::Delivered {
                from,
                request,
                transactions,
            }),
            None => self.apply(Message::Missed { from, request, ids }),
        }
        Ok(())
    }

    /// A peer answers what it was not asked, or with noise. Its request, if there is one, is over.
    fn lie(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let (mut from, mut request) = (self.name(u)?, u.arbitrary()?);
        if !self.gossip.open.is_empty() && u.ratio(3, 4)? {
            let open = u.choose(&self.gossip.open)?;
            (from, request) = (open.to.clone(), open.number);
            self.gossip.end(self.now_ms, Some(request));
        }
        self.liar = Some(from.clone());
        if u.ratio(1, 4)? {
            let ids = self.ids(u)?;
            self.apply(Message::Missed { from, request, ids });
            return Ok(());
        }
        let mut transactions = Vec::new();
        for _ in 0..u.int_in_range(1..=4)? {
            transactions.push(if u.ratio(1, 8)? {
                Err(Invalid::because("noise"))
            } else {
                Ok(self.pick(u)?)
            });
        }
        self.apply(Message::Delivered {
            from,
            request,
            transactions,
        });
        Ok(())
    }

    /// The application answers: for each bit that is set, it refuses.
    pub fn checked(&mut self, bits: u8) {
        let transactions = self.check.take().expect("a check is under way");
        let mut checks = Vec::new();
        for (at, transaction) in transactions.iter().enumerate() {
            // Two of eight, or nearly all would be refused.
            let refused = bits >> 6 == 0 && bits >> (at % 6) & 1 == 1;
            checks.push(if refused {
                self.refused.insert(transaction.facts.id);
                Err(Invalid::because("no money"))
            } else {
                Ok(())
            });
        }
        self.apply(Message::Checked(checks));
    }

    /// The next chunk of a lane.
    fn sighting(&mut self, u: &mut Unstructured<'_>, lane: usize) -> Result<Sighting<P>> {
        let sequencer = self.names[lane].clone();
        let mut ids = Vec::new();
        for _ in 0..u.int_in_range(1..=6)? {
            ids.push(self.pick(u)?.facts.id);
        }
        let height = self.heights.entry(sequencer.clone()).or_default();
        *height += 1;
        Ok(Sighting {
            sequencer,
            height: *height,
            digest: Digest::from([*height as u8; 32]),
            expiry_ms: self.chain_ms + u.int_in_range(0..=LIFE_MAX_MS)?,
            ids,
        })
    }

    fn block(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let time_ms = self.chain_ms + u.int_in_range(1..=300)?;
        let mut transactions = Vec::new();
        for _ in 0..u.int_in_range(0..=5)? {
            let facts = self.pick(u)?.facts;
            transactions.push((facts.id, facts.expiry_ms));
        }
        let mut lanes = BTreeMap::new();
        for (name, upto) in &self.heights {
            if u.ratio(1, 3)? {
                lanes.insert(name.clone(), u.int_in_range(0..=*upto)?);
            }
        }
        self.execute(time_ms, transactions, lanes);
        Ok(())
    }

    pub fn execute(
        &mut self,
        time_ms: u64,
        transactions: Vec<(Digest, u64)>,
        lanes: BTreeMap<P, u64>,
    ) {
        self.chain_ms = time_ms;
        let ids = transactions.iter().map(|(id, _)| id);
        self.executed.extend(ids.clone());
        self.gossip.forget(ids);
        let executed = lanes.get(&self.names[0]).copied().unwrap_or(0);
        self.own
            .retain(|it| it.height > executed && it.expiry_ms > time_ms);
        self.apply(Message::Executed(Executed {
            time_ms,
            transactions,
            lanes,
        }));
    }

    /// Another epoch: who is a peer, and whether this node is a sequencer.
    pub fn enter(&mut self, bits: u8, ranked: bool) {
        let named = self.names[1..=PEERS].iter().enumerate();
        let peers = named.filter(|(at, _)| bits >> at & 1 == 1);
        let peers: Vec<_> = peers.map(|(_, name)| name.clone()).collect();
        self.peers = peers.iter().cloned().collect();
        self.gossip.clear();
        self.gossip.keep(&self.peers);
        let open = &mut self.gossip.open;
        open.retain(|it| self.peers.contains(&it.to));
        self.ranked = ranked;
        let rank = ranked.then_some(Rank { index: 0, count: 4 });
        self.apply(Message::Entered(Members { peers, rank }));
    }

    pub fn follow(&mut self, on: bool) {
        self.blocks_only = on;
        if on {
            self.gossip.clear();
        }
        self.apply(Message::BlocksOnly(on));
    }

    /// Admission changes its mind about a transaction.
    fn charge(&self, u: &mut Unstructured<'_>) -> Result<()> {
        let id = self.pick(u)?.facts.id;
        let mut refused = self.ledger.refused.lock();
        if !refused.remove(&id) {
            refused.insert(id);
        }
        Ok(())
    }

    /// The builder asks for a chunk's transactions.
    fn ask(&mut self) {
        if self.building.is_some() {
            return;
        }
        let (batch, mut transactions) = oneshot::channel();
        self.apply(Message::Asked(batch));
        let transactions = transactions.try_recv().expect("answered at once");
        let ids = self.taken(&transactions);
        self.building = Some(ids).filter(|it| !it.is_empty());
    }

    fn seal(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if self.building.is_none() {
            return Ok(());
        }
        let mut sighting = self.sighting(u, 0)?;
        sighting.ids = self.building.take().expect("just seen");
        sighting.expiry_ms += 1;
        self.own.push(sighting.clone());
        self.apply(Message::Built(Built::Sealed(sighting)));
        Ok(())
    }

    pub fn fail(&mut self) {
        if self.building.take().is_some() {
            self.apply(Message::Built(Built::Failed));
        }
    }
}
