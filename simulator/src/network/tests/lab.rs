//! A world of three nodes on one channel, with its alarms rung by hand and every end written down.

use crate::network::{
    Config, Delivery, Fate, Link, Stats,
    world::{Port, Targets, World},
};
use commonware_runtime::{IoBuf, Quota};
use commonware_utils::{NZU32, sync::Mutex};
use futures::task::noop_waker_ref;
use std::{
    collections::BTreeSet,
    sync::Arc,
    task::{Context, Poll},
};

pub const NODES: usize = 3;
pub const CHANNEL: u64 = 7;
pub const UNLIMITED: Quota = Quota::per_second(NZU32!(u32::MAX));

/// A [`Delivery`] that owns its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub at_us: u64,
    pub from: usize,
    pub to: usize,
    pub sequence: u64,
    pub duplicate: bool,
    pub fate: Fate,
    pub body: Vec<u8>,
}

impl From<&Delivery<'_>> for End {
    fn from(delivery: &Delivery<'_>) -> Self {
        Self {
            at_us: delivery.at_us,
            from: delivery.from,
            to: delivery.to,
            sequence: delivery.sequence,
            duplicate: delivery.duplicate,
            fate: delivery.fate,
            body: delivery.body.as_ref().to_vec(),
        }
    }
}

pub struct Lab {
    pub world: World,
    pub ports: Vec<Port>,
    pub now_us: u64,
    pub alarms: BTreeSet<u64>,
    ends: Arc<Mutex<Vec<End>>>,
}

impl Lab {
    pub fn new(config: Config) -> Self {
        let mut world = World::new(NODES, &config);
        let ports = (0..NODES)
            .map(|node| world.register(node, CHANNEL, UNLIMITED).0)
            .collect();
        let ends: Arc<Mutex<Vec<End>>> = Arc::default();
        let writer = ends.clone();
        world.set_hook(Box::new(move |delivery| {
            assert_eq!(delivery.channel, CHANNEL);
            writer.lock().push(End::from(delivery));
        }));
        Self {
            world,
            ports,
            now_us: 0,
            alarms: BTreeSet::new(),
            ends,
        }
    }

    pub fn seeded(seed: u64) -> Self {
        Self::new(Config::new(seed))
    }

    /// All links like this one.
    pub fn linked(seed: u64, link: Link) -> Self {
        let mut lab = Self::seeded(seed);
        lab.world.set_links(link);
        lab
    }

    pub fn send(&mut self, from: usize, targets: Targets, body: u64, priority: bool) -> bool {
        let body = IoBuf::from(body.to_be_bytes().to_vec());
        let mut alarms = Vec::new();
        let port = self.ports[from];
        let open = self
            .world
            .send(self.now_us, port, &targets, &body, priority, &mut alarms);
        for at_us in alarms {
            assert!(at_us > self.now_us, "an alarm for the present");
            assert!(self.alarms.insert(at_us), "two alarms for one time");
        }
        open
    }

    pub fn send_one(&mut self, from: usize, to: usize, body: u64) {
        assert!(self.send(from, Targets::One(to), body, false));
    }

    /// Rings every alarm up to `until_us` and stays there.
    pub fn run_until(&mut self, until_us: u64) {
        while let Some(at_us) = self
            .alarms
            .first()
            .copied()
            .filter(|at_us| *at_us <= until_us)
        {
            self.alarms.pop_first();
            self.now_us = at_us;
            self.world.deliver(at_us);
        }
        self.now_us = until_us;
    }

    /// Rings every alarm there is.
    pub fn run(&mut self) {
        if let Some(last) = self.alarms.last().copied() {
            self.run_until(last);
        }
    }

    /// Empties a node's inbox: (sender, body).
    pub fn inbox(&mut self, node: usize) -> Vec<(usize, u64)> {
        let mut arrivals = Vec::new();
        let mut cx = Context::from_waker(noop_waker_ref());
        while let Poll::Ready(arrival) = self.world.poll(self.ports[node], &mut cx) {
            let (from, body) = arrival.expect("the inbox is open");
            let body = body.as_ref().try_into().expect("eight bytes");
            arrivals.push((from as usize, u64::from_be_bytes(body)));
        }
        arrivals
    }

    pub fn bodies(&mut self, node: usize) -> Vec<u64> {
        self.inbox(node).into_iter().map(|(_, body)| body).collect()
    }

    pub fn ends(&self) -> Vec<End> {
        self.ends.lock().clone()
    }

    pub fn fates(&self) -> Vec<Fate> {
        self.ends.lock().iter().map(|end| end.fate).collect()
    }

    pub fn stats(&self) -> Stats {
        self.world.stats()
    }
}
