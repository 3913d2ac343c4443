//! What the world sees of one life of a node.

use super::{
    deployment::{Block, Key, Known, Nouns, World},
    forger::Forger,
    observation::{Leaving, Seen, Tip},
};
use crate::{
    Observer,
    lanes::{self, Short, Witness},
};
use commonware_utils::sync::Mutex;
use drystone_actors::{
    Reference,
    block::{Included, rules::Invalid},
    chain::Order,
    mempool::{Activity as Fate, Source, Verdict},
    node,
};
use drystone_engine::{Activity, scheme::fixture::Free, types::Digest};
use std::sync::Arc;

/// Reports what a node does.
#[derive(Clone)]
pub struct Watcher {
    pub node: usize,
    pub world: Arc<World>,
    pub witness: Arc<Witness<Free, Nouns>>,
    pub observer: Observer<Seen>,
    /// Forges what this node proposes, if it is to.
    pub forger: Option<Arc<Forger>>,
    pub known: Known,
    pub epoch_blocks: u64,
    /// The height up to which somebody reported what blocks include.
    pub included: Arc<Mutex<u64>>,
}

impl Watcher {
    /// The node of a key.
    pub fn lane(&self, key: &Key) -> usize {
        self.world.nodes[key]
    }

    fn tip(&self, included: &Included<Nouns>) -> Tip {
        let certificate = included.certificate();
        Tip {
            lane: self.lane(included.sequencer()),
            epoch: certificate.epoch,
            height: certificate.tip.height,
            slot: certificate.tip.slot,
            digest: Short::of(&certificate.tip.digest),
            previous: Short::of(&included.header().previous),
            genuine: self.witness.is_genuine(certificate),
        }
    }
}

impl node::Watcher<Nouns> for Watcher {
    fn opened(&self, height: u64) {
        self.known.learn((height + 1) / self.epoch_blocks);
    }

    fn lanes(&self, activity: &Activity<Nouns>) {
        // A node's own bodies were durable before their headers were.
        if let Activity::Tip(header) = activity
            && self.lane(&header.header().sequencer) == self.node
        {
            let payload = Short::of(&header.header().payload.digest);
            self.observer.report(Seen::Kept { payload });
        }
        if let Some(seen) = self.witness.seen(activity) {
            self.observer.report(Seen::Lane(seen));
        }
    }

    fn transaction(&self, activity: &Fate<Key>) {
        self.observer.report(match activity {
            Fate::Accepted { id, source } => Seen::Accepted {
                id: Short::of(id),
                client: *source == Source::Client,
            },
            Fate::Left { id, verdict } => Seen::Left {
                id: Short::of(id),
                verdict: match verdict {
                    Verdict::Executed => Leaving::Executed,
                    Verdict::Expired => Leaving::Expired,
                    Verdict::Invalid(_) => Leaving::Invalid,
                },
            },
        });
    }

    fn kept(&self, reference: &Reference<Key>, _: &[Digest]) {
        let payload = Short::of(&reference.place.digest);
        self.observer.report(Seen::Kept { payload });
    }

    fn refused(&self, invalid: &Invalid<Key>) {
        let reason = invalid.to_string();
        self.observer.report(Seen::Refused { reason });
    }

    fn proposes(&self, order: &Order<Nouns>, block: Block) -> Block {
        let forged = self.forger.as_ref().and_then(|it| it.forge(order, &block));
        let Some((forgery, forged)) = forged else {
            return block;
        };
        self.observer.report(Seen::Forged {
            digest: Short::of(&forged.digest()),
            forgery,
        });
        forged
    }

    fn finalized(&self, block: &Block) {
        let is_new = {
            let mut included = self.included.lock();
            let is_new = *included < block.height;
            *included = block.height.max(*included);
            is_new
        };
        for it in block.tips.iter().filter(|_| is_new) {
            // How many headers that moves its lane on by is known once it is executed.
            self.observer.report(Seen::Lane(lanes::Seen::Included {
                block_ms: block.timestamp_ms,
                lane: self.lane(it.sequencer()),
                height: it.tip().height,
                headers: 0,
                live: 0,
            }));
        }
        self.observer.report(Seen::Lane(lanes::Seen::Told {
            to: self.node,
            finalized_ms: block.timestamp_ms,
        }));
        self.observer.report(Seen::Finalized {
            height: block.height,
            digest: Short::of(&block.digest()),
            parent: Short::of(&block.parent),
            time_ms: block.timestamp_ms,
            tips: block.tips.iter().map(|it| self.tip(it)).collect(),
            executed: block.executed.height,
            root: Short::of(&block.executed.root),
        });
    }
}
