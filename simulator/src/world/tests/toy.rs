//! A small system: every node keeps a counter on its disk and tells the others.
//!
//! A client adds one; the node appends a byte to a blob, syncs, reports the new count and broadcasts it, and repeats
//! itself now and then. Each bug breaks one thing that a property or the goal must notice.

use crate::{
    Goal, Observation, Observer, Plan, Property, Seat, Span, Stamped, Stop, System, Violation,
    draw::Draw,
    plan::Timed,
    property::{StopsOnlyOnDiskErrors, Verdict},
    system::{Receiver, Sender},
    time::millis,
};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{
    Blob as _, Clock as _, Quota, ReadOptions, Spawner as _, Storage as _, Supervisor as _,
    WriteOptions,
};
use futures::{FutureExt as _, StreamExt as _, channel::mpsc, select_biased};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::Duration,
};

/// What is wrong with every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bug {
    /// It reports a count before it is durable.
    ReportsBeforeSync,
    /// It never repeats itself.
    NeverRepeats,
    /// A task of it panics at a count of three.
    PanicsAtThree,
    /// Its disk fails, and it panics of something else.
    PanicsBesideAnError,
    /// It gives up without reason at a count of three.
    StopsAtThree,
    /// It sends without end.
    Floods,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Options {
    /// How often a node repeats itself; never if zero.
    pub(crate) repeat_us: u64,
    pub(crate) bug: Option<Bug>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Role {
    #[default]
    Honest,
    /// Tells counts it never stored.
    Liar,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Add {
    pub(crate) node: usize,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) enum Seen {
    Recovered {
        count: u64,
    },
    Stored {
        count: u64,
    },
    Heard {
        from: usize,
        count: u64,
    },
    /// A double of another component noticed a multiple of ten.
    Tenth,
}

impl Observation for Seen {
    const KINDS: &'static [&'static str] =
        &["recovered", "stored", "heard", "tenth", "unreachable"];

    fn kind(&self) -> &'static str {
        match self {
            Self::Recovered { .. } => "recovered",
            Self::Stored { .. } => "stored",
            Self::Heard { .. } => "heard",
            Self::Tenth => "tenth",
        }
    }
}

pub(crate) struct Toy {
    options: Options,
    keys: Vec<ed25519::PublicKey>,
    clients: BTreeMap<usize, mpsc::UnboundedSender<()>>,
    observer: Observer<Seen>,
    stored: u64,
    tenth_at_us: Option<u64>,
}

impl System for Toy {
    const NAME: &'static str = "toy";
    type Options = Options;
    type Role = Role;
    type Action = Add;
    type Observation = Seen;
    type PublicKey = ed25519::PublicKey;

    fn draw_options(draw: &mut Draw, _nodes: usize) -> Options {
        Options {
            repeat_us: draw.within(millis(50)..=millis(500)),
            bug: None,
        }
    }

    fn draw_byzantine(_draw: &mut Draw, _options: &Options, _honest: &Role) -> Option<Role> {
        Some(Role::Liar)
    }

    fn draw_actions(
        draw: &mut Draw,
        _options: &Options,
        nodes: usize,
        span: Span,
    ) -> Vec<Timed<Add>> {
        let add = |_| Timed {
            at_us: draw.below(span.safety_us + 1),
            action: Add {
                node: draw.index(nodes),
            },
        };
        (0..20).map(add).collect()
    }

    fn is_byzantine(role: &Role) -> bool {
        *role == Role::Liar
    }

    fn liveness_us(_options: &Options) -> u64 {
        millis(10_000)
    }

    fn properties(plan: &Plan<Self>) -> Vec<Box<dyn Property<Seen>>> {
        vec![
            Box::new(NeverForgets {
                healthy: plan.healthy(),
                stored: BTreeMap::new(),
            }),
            Box::new(StopsOnlyOnDiskErrors::new(plan)),
        ]
    }

    fn goal(_plan: &Plan<Self>) -> Box<dyn Goal<Seen>> {
        Box::new(AllHearAll::default())
    }

    fn new(plan: &Plan<Self>, observer: Observer<Seen>) -> Self {
        let key = |node: usize| ed25519::PrivateKey::from_seed(node as u64).public_key();
        Self {
            options: plan.options.clone(),
            keys: (0..plan.nodes.len()).map(key).collect(),
            clients: BTreeMap::new(),
            observer,
            stored: 0,
            tenth_at_us: None,
        }
    }

    fn key(&self, node: usize) -> ed25519::PublicKey {
        self.keys[node].clone()
    }

    fn start(&mut self, seat: Seat<Self>) -> impl Future<Output = Result<(), Stop>> + Send + use<> {
        let (client, requests) = mpsc::unbounded();
        self.clients.insert(seat.node, client);
        let (options, keys) = (self.options.clone(), self.keys.clone());
        let quota = Quota::per_second(NonZeroU32::MAX);
        let channel = seat.network.register(0, quota);
        live(seat, options, keys, requests, channel)
    }

    fn act(&mut self, _at_us: u64, action: &Add) {
        if let Some(client) = self.clients.get(&action.node) {
            // The node may be down: then the client is refused.
            let _ = client.unbounded_send(());
        }
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        if matches!(seen.what, Seen::Stored { .. }) {
            self.stored += 1;
            if self.stored.is_multiple_of(10) {
                self.tenth_at_us = Some(seen.at_us + millis(5));
            }
        }
    }

    fn tick(&mut self, now_us: u64) -> Option<u64> {
        if self.tenth_at_us.is_some_and(|at_us| at_us <= now_us) {
            self.tenth_at_us = None;
            self.observer.report(Seen::Tenth);
        }
        self.tenth_at_us
    }
}

type Channel = (Sender<ed25519::PublicKey>, Receiver<ed25519::PublicKey>);

async fn live(
    seat: Seat<Toy>,
    options: Options,
    keys: Vec<ed25519::PublicKey>,
    mut requests: mpsc::UnboundedReceiver<()>,
    (mut sender, mut receiver): Channel,
) -> Result<(), Stop> {
    let Seat {
        host,
        observer,
        role,
        ..
    } = seat;
    let (blob, length) = host.open("counter", b"journal").await?;
    let journal = if length == 0 {
        Vec::new()
    } else {
        blob.read_at(0, usize::try_from(length)?, ReadOptions::default())
            .await?
            .coalesce()
            .as_ref()
            .to_vec()
    };
    // Entry i holds i + 1: a hole in a torn journal ends it.
    let mut count = journal
        .iter()
        .zip(1u8..)
        .take_while(|(byte, expected)| **byte == *expected)
        .count() as u64;
    observer.report(Seen::Recovered { count });

    let bug = options.bug;
    let repeat = Duration::from_micros(if bug == Some(Bug::NeverRepeats) {
        0
    } else {
        options.repeat_us
    });
    let mut tell = move |count: u64| {
        let told = if role == Role::Liar {
            count + 1_000_000
        } else {
            count
        };
        sender.send(Recipients::All, told.to_le_bytes().to_vec(), false);
    };
    tell(count);
    // A date and not a delay: what arrives meanwhile must not put it off.
    let mut repeat_at = host.current() + repeat;
    loop {
        let due = repeat_at;
        let pause = async {
            if repeat.is_zero() {
                std::future::pending().await
            } else {
                host.sleep_until(due).await
            }
        };
        let pause = pause.fuse();
        futures::pin_mut!(pause);
        select_biased! {
            heard = receiver.recv().fuse() => {
                let (from, bytes) = heard?;
                let from = keys.iter().position(|key| *key == from).ok_or("a stranger")?;
                let heard = u64::from_le_bytes(bytes.as_ref().try_into()?);
                observer.report(Seen::Heard { from, count: heard });
                if bug == Some(Bug::Floods) {
                    tell(count);
                }
            }
            _ = requests.next() => {
                let byte = u8::try_from(count + 1)?;
                blob.write_at(count, vec![byte], WriteOptions::default()).await?;
                if bug == Some(Bug::ReportsBeforeSync) {
                    observer.report(Seen::Stored { count: count + 1 });
                }
                let synced = blob.sync().await;
                assert!(synced.is_ok() || bug != Some(Bug::PanicsBesideAnError), "the count is off");
                synced?;
                count += 1;
                if bug != Some(Bug::ReportsBeforeSync) {
                    observer.report(Seen::Stored { count });
                }
                if bug == Some(Bug::PanicsAtThree) && count == 3 {
                    host.child("helper").spawn(|_| async { panic!("three is too many") });
                }
                if bug == Some(Bug::StopsAtThree) && count == 3 {
                    return Err("three is enough".into());
                }
                tell(count);
            }
            () = pause => {
                repeat_at = host.current() + repeat;
                tell(count);
            }
        }
    }
}

/// A healthy node recovers what it reported as stored.
struct NeverForgets {
    healthy: BTreeSet<usize>,
    stored: BTreeMap<usize, u64>,
}

impl Property<Seen> for NeverForgets {
    fn name(&self) -> &'static str {
        "never forgets"
    }

    fn sentence(&self) -> &'static str {
        "a healthy node recovers every count it reported as stored"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Some(node) = seen.node.filter(|node| self.healthy.contains(node)) else {
            return Ok(0);
        };
        match seen.what {
            Seen::Stored { count } => {
                self.stored.insert(node, count);
                Ok(0)
            }
            Seen::Recovered { count } => match self.stored.get(&node) {
                Some(stored) if count < *stored => Err(Violation::by(
                    seen,
                    format!("recovered {count} after it had stored {stored}"),
                )),
                _ => Ok(1),
            },
            _ => Ok(0),
        }
    }
}

/// Every healthy node hears every other's newest count after the faults stopped.
#[derive(Default)]
pub(crate) struct AllHearAll {
    stored: BTreeMap<usize, u64>,
    owed: BTreeMap<(usize, usize), u64>,
}

impl Goal<Seen> for AllHearAll {
    fn name(&self) -> &'static str {
        "all hear all"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let Some(node) = seen.node else { return };
        match seen.what {
            Seen::Stored { count } | Seen::Recovered { count } => {
                let stored = self.stored.entry(node).or_default();
                *stored = count.max(*stored);
            }
            Seen::Heard { from, count }
                if self
                    .owed
                    .get(&(node, from))
                    .is_some_and(|owed| *owed <= count) =>
            {
                self.owed.remove(&(node, from));
            }
            _ => (),
        }
    }

    fn healed(&mut self, _at_us: u64, healthy: &BTreeSet<usize>) {
        for to in healthy {
            for from in healthy.iter().filter(|from| *from != to) {
                self.owed.insert(
                    (*to, *from),
                    self.stored.get(from).copied().unwrap_or_default(),
                );
            }
        }
    }

    fn reached(&self) -> bool {
        self.owed.is_empty()
    }

    fn missing(&self) -> (Option<usize>, String) {
        let missing: Vec<_> = self
            .owed
            .iter()
            .map(|((to, from), count)| format!("{to} heard no {count} of {from}"))
            .collect();
        (None, missing.join(", "))
    }
}
