//! Select, send, hand on.

use super::{Mailbox, ingress::Executed};
use crate::chain;
use commonware_actor::mailbox::{self, Receiver};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::PublicKey;
use commonware_macros::select;
use commonware_p2p::{Blocker as _, Receiver as _, Recipients, Sender as _};
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use drystone_engine::{
    Channel, Environment, Transport,
    alarm::{Alarm, now_ms},
    types::Types,
};
use std::num::{NonZeroU64, NonZeroUsize};
use tracing::warn;

/// Hears what peers claim.
pub trait Listener<P>: Send + 'static {
    /// A peer claims to have executed up to a height.
    fn claimed(&mut self, who: P, height: u64);
}

impl<P: PublicKey, T: Types<PublicKey = P>> Listener<P> for chain::Mailbox<T> {
    fn claimed(&mut self, who: P, height: u64) {
        Self::claimed(self, who, height);
    }
}

/// See the [module](super).
pub struct Actor<E: Environment, N: Transport, L> {
    context: ContextCell<E>,
    repeat_ms: NonZeroU64,
    mailbox: Receiver<Executed>,
    channel: Channel<N>,
    blocker: N::Blocker,
    listener: L,
    /// The newest height executed here.
    height: Option<u64>,
}

impl<E: Environment, N: Transport, L: Listener<N::PublicKey>> Actor<E, N, L> {
    /// The actor and how it is reached. A claim is repeated after `repeat_ms` without a newer one.
    pub fn new(
        context: E,
        repeat_ms: NonZeroU64,
        mailbox_size: NonZeroUsize,
        channel: Channel<N>,
        blocker: N::Blocker,
        listener: L,
    ) -> (Self, Mailbox) {
        let (sender, mailbox) = mailbox::new(context.child("mailbox"), mailbox_size);
        let actor = Self {
            context: ContextCell::new(context),
            repeat_ms,
            mailbox,
            channel,
            blocker,
            listener,
            height: None,
        };
        (actor, Mailbox(sender))
    }

    /// Runs until it is aborted.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut alarm = Alarm::default();
        loop {
            select! {
                message = self.mailbox.recv() => {
                    let Some(Executed(height)) = message else { return };
                    if self.height < Some(height) {
                        self.height = Some(height);
                        self.claim(height, &mut alarm);
                    }
                },
                received = self.channel.1.recv() => {
                    let Ok((from, bytes)) = received else { return };
                    match u64::decode(bytes) {
                        Ok(height) => self.listener.claimed(from, height),
                        Err(error) => {
                            warn!(?from, %error, "blocking a peer: a claim is a height");
                            let _ = self.blocker.block(from);
                        }
                    }
                },
                _ = alarm.rang() => {
                    if let Some(height) = self.height {
                        self.claim(height, &mut alarm);
                    }
                },
            }
        }
    }

    fn claim(&mut self, height: u64, alarm: &mut Alarm) {
        self.channel.0.send(Recipients::All, height.encode(), false);
        let next_ms = now_ms(&*self.context).saturating_add(self.repeat_ms.get());
        alarm.set(&*self.context, Some(next_ms));
    }
}
