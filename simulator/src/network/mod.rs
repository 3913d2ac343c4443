//! A simulated network for [`commonware_p2p`] channels, without any task.
//!
//! ```text
//!   Sender --check, send--> world: link draws --> calendar (arrival time, order of sending)
//!                             ^                        | alarm of the runtime, one per distinct time
//!   faults: set_link, cut,    |                        v
//!   clog, take_down ----------+   hook <-- fate <-- arrive --> inbox --wake--> Receiver
//! ```
//!
//! Invariants:
//!
//! 1. What becomes of a message is a function of (seed, link, number of the message on the link) and of
//!    the faults in force, never of a shared cursor: removing one fault moves nothing else.
//! 2. No message is exempt from faults, whatever its channel or priority.
//! 3. Every copy of a message ends in exactly one [`Fate`], and [`Network::set_hook`] sees all ends in
//!    one order, the order of delivery.
//! 4. Bodies are shared, never copied; inboxes and clogged links are bounded; idle time costs nothing.
//! 5. Nothing but a handle ([`Network`], [`Sender`], [`Receiver`], [`Control`]) keeps the runtime's
//!    context alive. All of them must be gone when the run ends, as the deterministic runtime asserts.

mod calendar;
mod config;
mod control;
mod delivery;
mod draw;
mod inbox;
mod link;
mod membership;
mod quota;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;
mod world;

pub use config::Config;
pub use control::Control;
pub use delivery::{Delivery, Fate, Stats};
pub use link::Link;
pub use receiver::{Closed, Receiver};
pub use sender::{Checked, Sender};

use commonware_cryptography::PublicKey;
use commonware_runtime::{Clock, Quota};
use commonware_utils::sync::Mutex;
use membership::Membership;
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    num::NonZeroUsize,
    pin::pin,
    sync::{Arc, Weak},
    task::{Context, Wake, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use world::World;

/// A network of nodes, known by their index in the list of peers, with a [`Link`] in each direction
/// between any two. All links begin perfect and without latency.
pub struct Network<P: PublicKey, E: Clock> {
    shared: Arc<Shared<P, E>>,
}

impl<P: PublicKey, E: Clock> Network<P, E> {
    /// A network of `peers`, which must be distinct.
    ///
    /// `context` is the clock of the run itself, a [`Crew`](crate::host::Crew) or the deterministic runtime, not of a node:
    /// the network sets alarms by polling `sleep_until` once, and relies on the alarm outliving the dropped sleep.
    pub fn new(context: E, peers: Vec<P>, config: Config) -> Self {
        let nodes = peers.len();
        let indices: BTreeMap<P, usize> = peers.iter().cloned().zip(0..).collect();
        assert!(indices.len() == nodes, "two of the peers have the same key");
        let membership = (0..nodes).map(|_| Membership::new(config.peer_sets_max.get()));
        let shared = Arc::new_cyclic(|shared| Shared {
            context,
            peers,
            indices,
            inbox_max: config.inbox_max,
            message_size_max: config.message_size_max as usize,
            peer_sets_max: config.peer_sets_max.get(),
            alarm: Waker::from(Arc::new(Alarm(shared.clone()))),
            world: Mutex::new(World::new(nodes, &config)),
            membership: Mutex::new(membership.collect()),
        });
        Self { shared }
    }

    /// The nodes' keys, by index.
    pub fn peers(&self) -> &[P] {
        &self.shared.peers
    }

    /// Opens `channel` of `node`. Messages to an inbox nobody has opened are dropped on arrival.
    ///
    /// Opening it again, as a restarted node does, starts a new generation: the older receiver fails
    /// with [`Closed`] and the older senders are closed, but what is in flight, sent to the node's
    /// former life, reaches the new receiver.
    ///
    /// `quota` limits, for each recipient, what may be sent.
    pub fn register(
        &self,
        node: usize,
        channel: u64,
        quota: Quota,
    ) -> (Sender<P, E>, Receiver<P, E>) {
        let (port, limited) = self.shared.world.lock().register(node, channel, quota);
        (
            Sender::new(self.shared.clone(), port, limited),
            Receiver::new(self.shared.clone(), port),
        )
    }

    /// What `node` uses to block peers and to track peer sets.
    pub fn control(&self, node: usize) -> Control<P, E> {
        assert!(node < self.shared.peers.len(), "node {node} does not exist");
        Control::new(self.shared.clone(), node)
    }

    /// The node's process is gone: its receivers and senders close, its block list and peer sets are
    /// forgotten, and what reaches it is dropped until it registers again. What it sent stays under way.
    pub fn take_down(&self, node: usize) {
        self.shared.world.lock().take_down(node);
        let peer_sets_max = self.shared.peer_sets_max;
        let forgotten = std::mem::replace(
            &mut self.shared.membership.lock()[node],
            Membership::new(peer_sets_max),
        );
        // Dropping subscriptions wakes their readers: not under the lock.
        drop(forgotten);
    }

    /// Gives messages sent from now on from `from` to `to` this quality.
    pub fn set_link(&self, from: usize, to: usize, link: Link) {
        self.shared.world.lock().set_link(from, to, link);
    }

    /// [`Network::set_link`] for every link.
    pub fn set_links(&self, link: Link) {
        self.shared.world.lock().set_links(link);
    }

    /// Cuts one direction. What is in flight on it is lost. Cuts are counted: the direction works again
    /// when as many [mends](Network::mend) have followed.
    pub fn cut(&self, from: usize, to: usize) {
        self.shared.world.lock().cut(from, to);
    }

    /// Undoes one [cut](Network::cut). Without one it does nothing, as [`Network::set_perfect`] may have
    /// undone it before.
    pub fn mend(&self, from: usize, to: usize) {
        self.shared.world.lock().mend(from, to);
    }

    /// Holds what arrives on one direction, up to `inbox_max` messages. Clogs are counted, as cuts are.
    pub fn clog(&self, from: usize, to: usize) {
        self.shared.world.lock().clog(from, to);
    }

    /// Undoes one [clog](Network::clog). After the last, what was held arrives at once, in order.
    pub fn unclog(&self, from: usize, to: usize) {
        let now_us = self.shared.now_us();
        self.shared.world.lock().unclog(now_us, from, to);
    }

    /// Ends every fault of every link: cuts, clogs, loss, duplication and reordering. Latency and jitter
    /// stay, and so does what nodes have blocked. Messages lost by an earlier cut stay lost.
    pub fn set_perfect(&self) {
        let now_us = self.shared.now_us();
        self.shared.world.lock().set_perfect(now_us);
    }

    /// Shows every end of a message to `hook`, in the order in which they happen. It replaces an
    /// earlier hook.
    ///
    /// The hook runs inside the network and under the runtime's alarms: it must neither call the
    /// network nor sleep, and must not own a handle of the network, which would never be freed.
    pub fn set_hook(&self, hook: impl FnMut(&Delivery<'_>) + Send + 'static) {
        let former = self.shared.world.lock().set_hook(Box::new(hook));
        // What it owns may be anything: not under the lock.
        drop(former);
    }

    /// Counts of messages so far.
    pub fn stats(&self) -> Stats {
        self.shared.world.lock().stats()
    }
}

impl<P: PublicKey, E: Clock> Clone for Network<P, E> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<P: PublicKey, E: Clock> fmt::Debug for Network<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("nodes", &self.shared.peers.len())
            .finish_non_exhaustive()
    }
}

/// What all handles hold.
struct Shared<P: PublicKey, E: Clock> {
    context: E,
    peers: Vec<P>,
    indices: BTreeMap<P, usize>,
    inbox_max: NonZeroUsize,
    message_size_max: usize,
    peer_sets_max: usize,
    alarm: Waker,
    world: Mutex<World>,
    /// By node.
    membership: Mutex<Vec<Membership<P>>>,
}

impl<P: PublicKey, E: Clock> Shared<P, E> {
    fn index_of(&self, peer: &P) -> Option<usize> {
        self.indices.get(peer).copied()
    }

    fn now_us(&self) -> u64 {
        let since_epoch = self.context.current().duration_since(UNIX_EPOCH);
        let since_epoch = since_epoch.expect("the runtime's time begins at the epoch");
        since_epoch.as_secs() * 1_000_000 + u64::from(since_epoch.subsec_micros())
    }

    /// Has [`Alarm`] woken at `at_us`, which lies in the future.
    fn set_alarm(&self, at_us: u64) {
        let sleep = pin!(self.context.sleep_until(time(at_us)));
        let polled = sleep.poll(&mut Context::from_waker(&self.alarm));
        assert!(polled.is_pending(), "an alarm for the present never rings");
    }
}

/// Brings what is due to its inboxes when woken by the runtime's alarms.
///
/// The runtime holds its alarms' lock while it wakes this, so nothing here may sleep or set an alarm.
/// Weak, since the network owns the waker.
struct Alarm<P: PublicKey, E: Clock>(Weak<Shared<P, E>>);

impl<P: PublicKey, E: Clock> Wake for Alarm<P, E> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(shared) = self.0.upgrade() else {
            return;
        };
        let now_us = shared.now_us();
        shared.world.lock().deliver(now_us);
    }
}

fn time(at_us: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(at_us)
}
