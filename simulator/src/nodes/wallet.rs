//! The clients: each account's wallet wants transfers, signs them, and comes back until they are executed.

use super::{
    money,
    observation::{Answer, Fate, Seen},
    options::{FEE_MIN, Intent, Noise, Options},
};
use crate::{Observer, lanes::Short, time::millis};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use ledger::{Genesis, Signed, Transfer, UNNUMBERED};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How long a wallet waits before it comes back.
const RETRY_US: u64 = millis(2_000);
/// And to one that was busy or down.
const SOON_US: u64 = millis(400);

/// A transfer that is wanted.
struct Wish {
    intent: Intent,
    /// The version that is out.
    bytes: Bytes,
    id: Short,
    expiry_ms: u64,
    /// How often it was brought.
    times: usize,
    /// When to come back.
    due_us: u64,
}

/// The wallets of a run.
pub struct Wallets {
    genesis: Arc<Genesis>,
    options: Arc<Options>,
    observer: Observer<Seen>,
    nodes: usize,
    healthy: BTreeSet<usize>,
    start_ms: u64,
    /// Numbered transfers that each account ever wanted.
    counts: BTreeMap<u16, u64>,
    /// Others that anybody did.
    unnumbered: u64,
    /// What is not executed yet, by account and nonce.
    wishes: BTreeMap<(u16, u64), Wish>,
    /// The wish of each version that is out.
    versions: BTreeMap<Short, (u16, u64)>,
    /// The first version of each account's first transfer.
    first: BTreeMap<u16, Bytes>,
    /// When to come back: when, for what.
    schedule: BTreeSet<(u64, u16, u64)>,
    /// The newest chain time that a healthy node executed.
    chain_ms: u64,
    noises: u64,
}

impl Wallets {
    pub fn new(
        genesis: Arc<Genesis>,
        options: Arc<Options>,
        observer: Observer<Seen>,
        nodes: usize,
        healthy: BTreeSet<usize>,
        start_ms: u64,
    ) -> Self {
        Self {
            genesis,
            options,
            observer,
            nodes,
            healthy,
            start_ms,
            counts: BTreeMap::new(),
            unnumbered: 0,
            wishes: BTreeMap::new(),
            versions: BTreeMap::new(),
            first: BTreeMap::new(),
            schedule: BTreeSet::new(),
            chain_ms: start_ms,
            noises: 0,
        }
    }

    const fn now_ms(&self, now_us: u64) -> u64 {
        self.start_ms + now_us / 1_000
    }

    /// A transfer is wanted. Returns whom it is brought to.
    pub fn want(&mut self, now_us: u64, intent: &Intent) -> Vec<(usize, Bytes)> {
        let nonce = if intent.unnumbered {
            self.unnumbered += 1;
            UNNUMBERED + self.unnumbered
        } else {
            let count = self.counts.entry(intent.from).or_default();
            *count += 1;
            *count - 1
        };
        let expiry_ms = self.now_ms(now_us) + intent.lifetime_ms;
        let (id, bytes) = self.sign(intent, nonce, expiry_ms);
        self.first
            .entry(intent.from)
            .or_insert_with(|| bytes.clone());
        let wish = Wish {
            intent: intent.clone(),
            bytes: bytes.clone(),
            id,
            expiry_ms,
            times: intent.to.len(),
            due_us: now_us + RETRY_US,
        };
        self.schedule.insert((wish.due_us, intent.from, nonce));
        self.wishes.insert((intent.from, nonce), wish);
        let to = intent.to.iter();
        to.map(|node| (*node, bytes.clone())).collect()
    }

    fn sign(&mut self, intent: &Intent, nonce: u64, expiry_ms: u64) -> (Short, Bytes) {
        let transfer = Transfer {
            from: money::address(intent.from),
            to: money::address(intent.payee),
            amount: intent.amount,
            fee: FEE_MIN + intent.tip,
            nonce,
            expiry_ms,
        };
        let bytes: Bytes = money::sign(transfer, &self.genesis).into();
        let id = Short::of(&Sha256::hash(&[&bytes]));
        self.observer.report(Seen::Signed {
            id,
            from: intent.from,
            to: intent.payee,
            amount: intent.amount,
            fee: transfer.fee,
            nonce,
            expiry_ms,
        });
        self.versions.insert(id, (intent.from, nonce));
        (id, bytes)
    }

    /// Something comes that no wallet sends.
    pub fn annoy(&mut self, now_us: u64, account: u16, noise: Noise) -> Bytes {
        self.noises += 1;
        let transfer = Transfer {
            from: money::address(account),
            to: money::address((account + 1) % self.options.accounts),
            amount: 1,
            fee: FEE_MIN,
            // Never due: nothing of this could be taken for what a wallet wants.
            nonce: UNNUMBERED - self.noises,
            expiry_ms: self.now_ms(now_us) + 10_000,
        };
        let signed = |transfer| money::sign(transfer, &self.genesis).into();
        match noise {
            Noise::Garbage => Bytes::from(self.noises.to_be_bytes().repeat(12)),
            Noise::Unsigned => Bytes::from(Signed {
                transfer,
                signature: [0; 64],
            }),
            Noise::Overdrawn => {
                let count = self.counts.get(&account).copied().unwrap_or_default();
                signed(Transfer {
                    amount: u64::MAX / 2,
                    nonce: count,
                    ..transfer
                })
            }
            Noise::Replayed => match self.first.get(&account) {
                Some(bytes) => bytes.clone(),
                None => signed(transfer),
            },
            Noise::Late => signed(Transfer {
                expiry_ms: transfer.expiry_ms + 2 * self.options.transaction_window_ms,
                ..transfer
            }),
        }
    }

    /// A node answered, or is down.
    pub fn answered(&mut self, now_us: u64, id: Short, answer: Answer) {
        let Some((account, nonce)) = self.versions.get(&id).copied() else {
            return;
        };
        if !matches!(answer, Answer::Busy | Answer::Down | Answer::Closed) {
            return;
        }
        if let Some(wish) = self.wishes.get_mut(&(account, nonce))
            && wish.id == id
        {
            self.schedule.remove(&(wish.due_us, account, nonce));
            wish.due_us = wish.due_us.min(now_us + SOON_US);
            self.schedule.insert((wish.due_us, account, nonce));
        }
    }

    /// A healthy node executed a block.
    pub fn executed(&mut self, time_ms: u64, results: &[(Short, Fate)]) {
        self.chain_ms = self.chain_ms.max(time_ms);
        let executed = results.iter().filter(|it| it.1 == Fate::Executed);
        for (id, _) in executed {
            if let Some(wish) = self.versions.get(id) {
                self.wishes.remove(wish);
            }
        }
    }

    /// Who comes back by now, and to whom.
    pub fn due(&mut self, now_us: u64) -> Vec<(usize, Short, Bytes)> {
        let mut due = Vec::new();
        while self.schedule.first().is_some_and(|it| it.0 <= now_us) {
            let (_, account, nonce) = self.schedule.pop_first().expect("just seen");
            let Some(mut wish) = self.wishes.remove(&(account, nonce)) else {
                continue;
            };
            if wish.expiry_ms < self.chain_ms {
                // What expired was given too little time.
                let longest_ms = self.options.transaction_window_ms * 3 / 4;
                wish.intent.lifetime_ms = (2 * wish.intent.lifetime_ms).min(longest_ms);
                wish.expiry_ms = self.now_ms(now_us) + wish.intent.lifetime_ms;
                (wish.id, wish.bytes) = self.sign(&wish.intent, nonce, wish.expiry_ms);
            }
            (wish.times, wish.due_us) = (wish.times + 1, now_us + RETRY_US);
            let node = self.next(&wish);
            due.push((node, wish.id, wish.bytes.clone()));
            self.schedule.insert((wish.due_us, account, nonce));
            self.wishes.insert((account, nonce), wish);
        }
        due
    }

    /// The node that a wish is brought to next.
    fn next(&self, wish: &Wish) -> usize {
        let Intent { to, loyal, .. } = &wish.intent;
        let known = to.iter().filter(|it| *loyal && self.healthy.contains(it));
        let known: Vec<_> = known.copied().collect();
        if known.is_empty() {
            return (to[0] + wish.times) % self.nodes;
        }
        known[wish.times % known.len()]
    }

    pub fn next_us(&self) -> Option<u64> {
        self.schedule.first().map(|it| it.0)
    }
}
