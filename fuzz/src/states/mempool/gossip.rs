//! What was asked of whom, and what was served.

use crate::nouns::Name;
use drystone_actors::mempool::GossipConfig;
use drystone_engine::{scheme::fixture::Free, types::Digest};
use std::collections::{BTreeMap, BTreeSet};

type P = Name<Free>;

/// A request that is open.
pub struct Open {
    pub to: P,
    pub number: u64,
    pub ids: Vec<Digest>,
    due_ms: u64,
}

/// The dialog with the peers.
#[derive(Default)]
pub struct Gossip {
    /// Who announced what.
    announced: BTreeSet<(Digest, P)>,
    pub open: Vec<Open>,
    /// Ids that are asked for, by who is asked, as far as it is known that they still are.
    asked: BTreeMap<Digest, P>,
    served: BTreeMap<P, usize>,
    tick_ms: u64,
}

impl Gossip {
    pub fn announced(&mut self, from: &P, ids: &[Digest]) {
        let pairs = ids.iter().map(|id| (*id, from.clone()));
        self.announced.extend(pairs);
    }

    /// Peers are asked, each id of one at a time, and of one that announced it.
    pub fn ask(
        &mut self,
        now_ms: u64,
        config: &GossipConfig,
        to: P,
        number: u64,
        ids: Vec<Digest>,
    ) {
        for id in &ids {
            let known = self.announced.contains(&(*id, to.clone()));
            assert!(known, "asked for what was not announced");
            let before = self.asked.insert(*id, to.clone());
            assert!(before.is_none(), "{id} is asked of two at a time");
        }
        let of_it = self.asked.values().filter(|it| **it == to).count();
        assert!(
            of_it <= config.requested_max,
            "{of_it} ids asked of one peer"
        );
        self.open.push(Open {
            to,
            number,
            ids,
            due_ms: now_ms + config.fetch_timeout_ms,
        });
    }

    /// These are not asked for any more, as far as is known.
    pub fn forget<'a>(&mut self, ids: impl IntoIterator<Item = &'a Digest>) {
        for id in ids {
            self.asked.remove(id);
        }
    }

    /// Nothing is.
    pub fn clear(&mut self) {
        self.asked.clear();
    }

    /// Ends a request, and those that are late.
    pub fn end(&mut self, now_ms: u64, number: Option<u64>) {
        let is_over = |it: &mut Open| it.due_ms <= now_ms || number == Some(it.number);
        for over in self.open.extract_if(.., is_over).collect::<Vec<_>>() {
            self.forget(&over.ids);
        }
    }

    /// Bytes are served, within what one peer is served between two ticks.
    pub fn serve(&mut self, config: &GossipConfig, to: &P, bytes: usize) {
        let served = self.served.entry(to.clone()).or_default();
        *served += bytes;
        let max = config.served_bytes_max;
        assert!(*served <= max, "{served} bytes served to one peer");
    }

    /// A new period of serving begins when it is due.
    pub fn tick(&mut self, now_ms: u64, config: &GossipConfig) {
        if self.tick_ms <= now_ms {
            self.tick_ms = now_ms + config.reannounce_ms;
            self.served.clear();
        }
    }

    /// Peers left: what is served to one that comes back is counted anew.
    pub fn keep(&mut self, peers: &BTreeSet<P>) {
        self.served.retain(|it, _| peers.contains(it));
    }
}
