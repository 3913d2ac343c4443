//! Decides what happens to a message. Pure: time comes in as a number, alarms go out as numbers.

use super::{
    calendar::{Calendar, Flight},
    config::Config,
    delivery::{Delivery, Fate, Hook, Ledger, Stats},
    draw::Stream,
    inbox::{Arrival, Inbox},
    link::{Link, Passage, State},
    quota::Limiter,
};
use commonware_runtime::{IoBuf, Quota};
use std::{
    collections::{BTreeSet, VecDeque},
    task::{Context, Poll},
};

/// One registration of one channel of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    pub(super) node: usize,
    pub(super) inbox: usize,
    pub(super) generation: u32,
}

/// Recipients as node indices. A node never sends to itself: whoever reads this skips the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Targets {
    All,
    One(usize),
    Some(Vec<usize>),
}

pub(super) struct World {
    nodes: usize,
    inbox_max: usize,
    quantum_us: u64,
    /// `from * nodes + to`.
    links: Vec<State>,
    /// In order of first registration.
    channels: Vec<u64>,
    /// Position in `channels * nodes + node`.
    inboxes: Vec<Inbox>,
    calendar: Calendar,
    /// (blocking node, blocked node).
    blocks: BTreeSet<(usize, usize)>,
    ledger: Ledger,
}

impl World {
    pub(super) fn new(nodes: usize, config: &Config) -> Self {
        assert!(config.quantum_us > 0, "quantum_us must be at least 1");
        assert!(u32::try_from(nodes).is_ok(), "{nodes} nodes are too many");
        let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        Self {
            nodes,
            inbox_max: config.inbox_max.get(),
            quantum_us: u64::from(config.quantum_us),
            links: pairs
                .map(|(from, to)| State::new(Stream::new(config.seed, from, to)))
                .collect(),
            channels: Vec::new(),
            inboxes: Vec::new(),
            calendar: Calendar::default(),
            blocks: BTreeSet::new(),
            ledger: Ledger::default(),
        }
    }

    /// Opens the inbox of (node, channel) anew. Also returns whether its sender must be checked.
    pub(super) fn register(&mut self, node: usize, channel: u64, quota: Quota) -> (Port, bool) {
        assert!(
            node < self.nodes,
            "node {node} of {} does not exist",
            self.nodes
        );
        let position = self.channels.iter().position(|known| *known == channel);
        let position = position.unwrap_or_else(|| {
            self.channels.push(channel);
            let inboxes = self.channels.len() * self.nodes;
            assert!(
                u32::try_from(inboxes).is_ok(),
                "{inboxes} inboxes are too many"
            );
            self.inboxes.resize_with(inboxes, Inbox::default);
            self.channels.len() - 1
        });
        let inbox = position * self.nodes + node;
        let limiter = Limiter::new(quota, self.nodes);
        let limited = limiter.is_some();
        let generation = self.inboxes[inbox].open(limiter);
        (
            Port {
                node,
                inbox,
                generation,
            },
            limited,
        )
    }

    /// Leaves of `targets` those the quota allows, each charged one message. If there were any but the
    /// quota allows none, the time at which it will allow all.
    pub(super) fn check(
        &mut self,
        now_us: u64,
        port: Port,
        targets: Targets,
    ) -> Result<Targets, u64> {
        let inbox = &mut self.inboxes[port.inbox];
        if !inbox.is(port.generation) {
            return Ok(targets);
        }
        let Some(limiter) = &mut inbox.limiter else {
            return Ok(targets);
        };
        let mut retry_us = None;
        let mut allowed = Vec::new();
        for_each_target(&targets, self.nodes, port.node, |to| {
            match limiter.check(to, now_us) {
                Ok(()) => allowed.push(to),
                Err(at_us) => retry_us = retry_us.max(Some(at_us)),
            }
        });
        match retry_us {
            Some(retry_us) if allowed.is_empty() => Err(retry_us),
            _ => Ok(Targets::Some(allowed)),
        }
    }

    /// Puts one message for each target on its link. Returns whether the sender is still registered;
    /// adds to `alarms` the times at which [`World::deliver`] must be called.
    pub(super) fn send(
        &mut self,
        now_us: u64,
        port: Port,
        targets: &Targets,
        body: &IoBuf,
        priority: bool,
        alarms: &mut Vec<u64>,
    ) -> bool {
        if !self.inboxes[port.inbox].is(port.generation) {
            return false;
        }
        let first = port.inbox - port.node;
        for_each_target(targets, self.nodes, port.node, |to| {
            self.send_one(now_us, port.node, first + to, body, priority, alarms);
        });
        true
    }

    fn send_one(
        &mut self,
        now_us: u64,
        from: usize,
        inbox: usize,
        body: &IoBuf,
        priority: bool,
        alarms: &mut Vec<u64>,
    ) {
        let link = &mut self.links[from * self.nodes + inbox % self.nodes];
        let (sequence, passage) = link.offer();
        self.ledger.stats.sent += 1;
        let flight = Flight {
            from: from as u32,
            inbox: inbox as u32,
            severed: link.severed(),
            duplicate: false,
            priority,
            sequence,
            body: body.clone(),
        };
        match passage {
            Passage::Blocked => self.end(now_us, &flight, Fate::Blocked),
            Passage::Cut => self.end(now_us, &flight, Fate::Cut),
            Passage::Lost => self.end(now_us, &flight, Fate::Lost),
            Passage::Carried {
                delay_us,
                duplicate_us,
            } => {
                if let Some(delay_us) = duplicate_us {
                    self.ledger.stats.duplicated += 1;
                    let copy = Flight {
                        duplicate: true,
                        body: body.clone(),
                        ..flight
                    };
                    self.launch(now_us, delay_us, copy, alarms);
                }
                self.launch(now_us, delay_us, flight, alarms);
            }
        }
    }

    fn launch(&mut self, now_us: u64, delay_us: u64, flight: Flight, alarms: &mut Vec<u64>) {
        // Always after now, even without latency: an alarm for the present would never ring.
        let earliest = now_us / self.quantum_us + 1;
        let at_us = (now_us + delay_us).div_ceil(self.quantum_us).max(earliest) * self.quantum_us;
        if self.calendar.insert(at_us, flight) {
            alarms.push(at_us);
        }
    }

    /// Brings everything due to its inbox, in the order (arrival time, order of sending).
    pub(super) fn deliver(&mut self, now_us: u64) {
        while let Some(mut due) = self.calendar.pop_due(now_us) {
            for flight in due.drain(..) {
                self.arrive(now_us, flight);
            }
            self.calendar.reuse(due);
        }
    }

    fn arrive(&mut self, now_us: u64, flight: Flight) {
        let inbox = flight.inbox as usize;
        let link = &mut self.links[flight.from as usize * self.nodes + inbox % self.nodes];
        let fate = if link.is_blocked() {
            Fate::Blocked
        } else if link.severed() != flight.severed {
            Fate::Cut
        } else if !link.is_clogged() {
            self.inboxes[inbox].admits(self.inbox_max)
        } else if link.held.len() >= self.inbox_max {
            Fate::Overflow
        } else {
            link.held.push_back(flight);
            return;
        };
        self.end(now_us, &flight, fate);
        if fate == Fate::Delivered {
            self.inboxes[inbox].push((flight.from, flight.body), flight.priority);
        }
    }

    fn end(&mut self, now_us: u64, flight: &Flight, fate: Fate) {
        let inbox = flight.inbox as usize;
        self.ledger.record(&Delivery {
            at_us: now_us,
            from: flight.from as usize,
            to: inbox % self.nodes,
            channel: self.channels[inbox / self.nodes],
            sequence: flight.sequence,
            duplicate: flight.duplicate,
            fate,
            body: &flight.body,
        });
    }

    pub(super) fn poll(&mut self, port: Port, cx: &mut Context<'_>) -> Poll<Option<Arrival>> {
        self.inboxes[port.inbox].poll(port.generation, cx)
    }

    /// The receiver is gone: what arrives from now on is dropped.
    pub(super) fn close(&mut self, port: Port) {
        let inbox = &mut self.inboxes[port.inbox];
        if inbox.is(port.generation) {
            inbox.close();
        }
    }

    /// Closes every inbox of a node and forgets whom it blocked, as its process's memory is gone.
    pub(super) fn take_down(&mut self, node: usize) {
        assert!(
            node < self.nodes,
            "node {node} of {} does not exist",
            self.nodes
        );
        for inbox in self.inboxes.iter_mut().skip(node).step_by(self.nodes) {
            inbox.close();
        }
        let nodes = self.nodes;
        for (_, peer) in self.blocks.extract_if((node, 0)..=(node, nodes), |_| true) {
            self.links[node * nodes + peer].unblock();
            self.links[peer * nodes + node].unblock();
        }
    }

    /// Both directions end: a blocked peer is disconnected. Returns whether the block is new.
    pub(super) fn block(&mut self, node: usize, peer: usize) -> bool {
        let new = self.blocks.insert((node, peer));
        if new {
            self.link(node, peer).block();
            self.link(peer, node).block();
        }
        new
    }

    pub(super) fn set_link(&mut self, from: usize, to: usize, link: Link) {
        self.link(from, to).set(link);
    }

    pub(super) fn set_links(&mut self, link: Link) {
        self.links.iter_mut().for_each(|state| state.set(link));
    }

    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.link(from, to).cut();
    }

    pub(super) fn mend(&mut self, from: usize, to: usize) {
        self.link(from, to).mend();
    }

    pub(super) fn clog(&mut self, from: usize, to: usize) {
        self.link(from, to).clog();
    }

    pub(super) fn unclog(&mut self, now_us: u64, from: usize, to: usize) {
        let held = self.link(from, to).unclog();
        self.burst(now_us, held);
    }

    pub(super) fn set_perfect(&mut self, now_us: u64) {
        for link in 0..self.links.len() {
            let held = self.links[link].perfect();
            self.burst(now_us, held);
        }
    }

    /// What a clogged link held arrives at once: nothing sent later can come before it.
    fn burst(&mut self, now_us: u64, held: VecDeque<Flight>) {
        for flight in held {
            self.arrive(now_us, flight);
        }
    }

    pub(super) fn set_hook(&mut self, hook: Hook) -> Option<Hook> {
        self.ledger.hook.replace(hook)
    }

    pub(super) fn stats(&self) -> Stats {
        let held: usize = self.links.iter().map(|link| link.held.len()).sum();
        Stats {
            in_flight: (self.calendar.len() + held) as u64,
            ..self.ledger.stats
        }
    }

    fn link(&mut self, from: usize, to: usize) -> &mut State {
        assert!(
            from < self.nodes && to < self.nodes,
            "no link from {from} to {to}: there are {} nodes",
            self.nodes
        );
        &mut self.links[from * self.nodes + to]
    }
}

/// In index order for [`Targets::All`], in the caller's order otherwise.
pub(super) fn for_each_target(
    targets: &Targets,
    nodes: usize,
    sender: usize,
    mut visit: impl FnMut(usize),
) {
    match targets {
        Targets::All => (0..nodes).filter(|to| *to != sender).for_each(visit),
        Targets::One(to) if *to != sender => visit(*to),
        Targets::One(_) => (),
        Targets::Some(list) => list
            .iter()
            .copied()
            .filter(|to| *to != sender)
            .for_each(visit),
    }
}
