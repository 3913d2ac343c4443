//! Where one channel of one node receives.

use super::{delivery::Fate, quota::Limiter};
use commonware_runtime::IoBuf;
use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

/// A message that has arrived and the node it came from.
pub(super) type Arrival = (u32, IoBuf);

/// The inbox outlives the processes that register it: each registration is a new generation, and what
/// is in flight reaches whichever generation is open when it arrives.
#[derive(Default)]
pub(super) struct Inbox {
    generation: u32,
    open: bool,
    urgent: VecDeque<Arrival>,
    ordinary: VecDeque<Arrival>,
    waker: Option<Waker>,
    /// Of the sender registered with this inbox.
    pub(super) limiter: Option<Limiter>,
}

impl Inbox {
    /// Opens a new generation; senders and receivers of older ones find themselves closed.
    pub(super) fn open(&mut self, limiter: Option<Limiter>) -> u32 {
        self.close();
        self.open = true;
        self.limiter = limiter;
        self.generation
    }

    /// Ends the present generation and wakes its receiver, which then fails.
    pub(super) fn close(&mut self) {
        self.generation += 1;
        self.open = false;
        self.limiter = None;
        self.urgent.clear();
        self.ordinary.clear();
        self.wake();
    }

    pub(super) const fn is(&self, generation: u32) -> bool {
        self.open && self.generation == generation
    }

    /// What an arrival would meet.
    pub(super) fn admits(&self, inbox_max: usize) -> Fate {
        if !self.open {
            Fate::Down
        } else if self.urgent.len() + self.ordinary.len() >= inbox_max {
            Fate::Overflow
        } else {
            Fate::Delivered
        }
    }

    /// Queues an arrival. Only the first of a batch finds a waker to wake.
    pub(super) fn push(&mut self, arrival: Arrival, priority: bool) {
        let queue = if priority {
            &mut self.urgent
        } else {
            &mut self.ordinary
        };
        queue.push_back(arrival);
        self.wake();
    }

    /// The next message, priority first; `None` once `generation` has ended.
    pub(super) fn poll(&mut self, generation: u32, cx: &mut Context<'_>) -> Poll<Option<Arrival>> {
        if !self.is(generation) {
            return Poll::Ready(None);
        }
        if let Some(arrival) = self
            .urgent
            .pop_front()
            .or_else(|| self.ordinary.pop_front())
        {
            return Poll::Ready(Some(arrival));
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
