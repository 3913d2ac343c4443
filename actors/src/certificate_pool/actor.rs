//! Receive, apply, answer.

use super::{Config, Mailbox, State, ingress::Ingress, metrics::Metrics};
use commonware_actor::mailbox::{self, Receiver};
use commonware_macros::select_loop;
use commonware_runtime::{ContextCell, Handle, Metrics as Registry, Spawner, spawn_cell};
use drystone_engine::types::Types;

/// See the [module](super).
pub struct Actor<E: Spawner + Registry, T: Types> {
    context: ContextCell<E>,
    state: State<T>,
    mailbox: Receiver<Ingress<T>>,
    metrics: Metrics,
}

impl<E: Spawner + Registry, T: Types> Actor<E, T> {
    /// An empty pool and how it is reached.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(context: E, config: Config) -> (Self, Mailbox<T>) {
        let (sender, mailbox) = mailbox::new(context.child("mailbox"), config.mailbox_size);
        let metrics = Metrics::new(&context);
        let actor = Self {
            context: ContextCell::new(context),
            state: State::new(config),
            mailbox,
            metrics,
        };
        (actor, Mailbox(sender))
    }

    /// Runs until the node stops.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        select_loop! {
            self.context,
            on_stopped => {},
            Some(message) = self.mailbox.recv() else break => match message {
                Ingress::Told(message) => {
                    self.state.apply(message);
                    self.metrics.certificates.set(self.state.certificates_held() as i64);
                    self.metrics.headers.set(self.state.headers_held() as i64);
                }
                Ingress::Asked { selection, responder } => {
                    let candidates = self.state.select(&selection);
                    self.metrics.selections.inc();
                    self.metrics.selected.inc_by(candidates.len() as u64);
                    // Who does not wait any more will ask again for another block.
                    let _ = responder.send(candidates);
                }
            },
        }
    }
}
