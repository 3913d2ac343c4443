//! Select, apply, start and stop engines.

use super::{
    super::{
        Config, Consensus, Key, Ordered,
        application::Application,
        peers::Peers,
        store::{REPLAY_BUFFER, WRITE_BUFFER},
    },
    Ingress, State,
    state::Entry,
};
use commonware_actor::mailbox::Receiver;
use commonware_consensus::{
    marshal::{
        core,
        standard::{Inline, Standard},
    },
    simplex::{
        self, Engine, Floor,
        config::{ForwardPolicy, SkipBudget, SkipPolicy},
    },
    types::{Epoch, FixedEpocher, Height, ViewDelta},
};
use commonware_cryptography::certificate::{Provider as _, Scheme as _};
use commonware_macros::select;
use commonware_p2p::{Channel, Message, utils::mux::MuxHandle};
use commonware_runtime::{ContextCell, Error, Handle, buffer::paged::CacheRef, spawn_cell};
use commonware_utils::{channel::mpsc, non_empty_vec, ordered::Set};
use drystone_engine::{Environment, Transport};
use std::{future::pending, sync::Arc};
use tracing::{error, info};

pub(in super::super) type Marshal<C> =
    core::Mailbox<<C as Consensus>::Scheme, Standard<Ordered<C>>>;
type Automaton<E, C> =
    Inline<E, <C as Consensus>::Scheme, Application<C>, Ordered<C>, FixedEpocher>;

/// What an engine is made of.
pub(in super::super) struct Parts<E: Environment, N: Transport, C: Consensus> {
    pub automaton: Automaton<E, C>,
    pub marshal: Marshal<C>,
    /// Votes, certificates, and what asks for certificates.
    pub channels: [MuxHandle<N::Sender>; 3],
    /// Votes of epochs that have no engine here.
    pub strangers: mpsc::Receiver<(Channel, Message<Key<C>>)>,
    pub blocker: N::Blocker,
    pub peers: Peers<Key<C>>,
    pub cache: CacheRef,
}

/// See the [module](super).
pub(in super::super) struct Actor<E: Environment, N: Transport, C: Consensus> {
    context: ContextCell<E>,
    config: Arc<Config<C>>,
    state: State,
    mailbox: Receiver<Ingress>,
    parts: Parts<E, N, C>,
    running: Option<Handle<()>>,
}

impl<E: Environment, N: Transport<PublicKey = Key<C>>, C: Consensus> Actor<E, N, C> {
    pub(in super::super) const fn new(
        context: E,
        config: Arc<Config<C>>,
        state: State,
        mailbox: Receiver<Ingress>,
        parts: Parts<E, N, C>,
    ) -> Self {
        Self {
            context: ContextCell::new(context),
            config,
            state,
            mailbox,
            parts,
            running: None,
        }
    }

    /// Runs until it is aborted, an engine ends by itself, or the disk fails.
    pub(in super::super) fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        loop {
            let known = |epoch| {
                let scheme = self.config.schemes.scheme(Epoch::new(epoch));
                scheme.is_some() && self.config.provider.committee(epoch).is_some()
            };
            if let Some(entry) = self.state.enter(known)
                && let Err(error) = self.enter(entry).await
            {
                error!(%error, "the votes of an earlier epoch cannot be removed: the disk fails");
                return;
            }
            select! {
                message = self.mailbox.recv() => match message {
                    Some(Ingress::Finalized(height, digest)) => self.state.finalized(height, digest),
                    Some(Ingress::Known) => self.track(),
                    Some(Ingress::Pruned(below)) => {
                        let keep = self.state.keep(below);
                        self.parts.marshal.prune(Height::new(keep));
                    },
                    None => return,
                },
                heard = self.parts.strangers.recv() => {
                    let Some((epoch, (peer, _))) = heard else { return };
                    if let Some(height) = self.state.heard(epoch) {
                        let height = Height::new(height);
                        self.parts.marshal.hint_finalized(height, non_empty_vec![peer]);
                    }
                },
                _ = ended(&mut self.running) => return,
            }
        }
    }

    /// The partitions of an epoch's engine, for one that signs and for one that does not: an engine that has forgotten that it
    /// may have voted must not find that it has.
    fn partitions(&self, epoch: u64) -> [String; 2] {
        ["votes", "heard"].map(|it| format!("{}-{it}-{epoch}", self.config.settings.partition))
    }

    async fn enter(&mut self, entry: Entry) -> Result<(), Error> {
        if let Some(engine) = self.running.take() {
            engine.abort();
            let _ = engine.await;
        }
        let Entry { epoch, genesis } = entry;
        info!(epoch, %genesis, "entering an epoch");
        self.track();
        if let Some(before) = epoch.checked_sub(2) {
            // More than `unacknowledged_max` blocks lie above it: no restart begins there again.
            for partition in self.partitions(before) {
                match self.context.remove(&partition, None).await {
                    Ok(()) | Err(Error::PartitionMissing(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let mut networks = Vec::with_capacity(self.parts.channels.len());
        for channel in &mut self.parts.channels {
            networks.push(
                channel
                    .register(epoch)
                    .await
                    .expect("the epoch is entered once"),
            );
        }
        let [votes, certificates, resolver] = networks.try_into().ok().expect("three channels");
        let context = self.context.child("engine").with_attribute("epoch", epoch);
        let engine = Engine::new(context, self.engine(epoch, genesis));
        self.running = Some(engine.start(votes, certificates, resolver));
        Ok(())
    }

    fn engine(&self, epoch: u64, genesis: drystone_engine::types::Digest) -> EngineConfig<E, N, C> {
        let config = &self.config;
        let scheme = config.schemes.scheme(Epoch::new(epoch));
        let scheme = scheme.expect("the epoch is known").as_ref().clone();
        let [votes, heard] = self.partitions(epoch);
        simplex::Config {
            partition: if scheme.me().is_some() { votes } else { heard },
            scheme,
            elector: config.elector.clone(),
            blocker: self.parts.blocker.clone(),
            automaton: self.parts.automaton.clone(),
            relay: self.parts.automaton.clone(),
            reporter: self.parts.automaton.clone(),
            track_historical_votes: false,
            strategy: config.strategy.clone(),
            mailbox_size: config.settings.mailbox_size,
            epoch: Epoch::new(epoch),
            floor: Floor::Genesis(genesis),
            replay_buffer: REPLAY_BUFFER,
            write_buffer: WRITE_BUFFER,
            page_cache: self.parts.cache.clone(),
            leader_timeout: config.settings.leader_timeout,
            certification_timeout: config.settings.certification_timeout,
            timeout_retry: config.settings.timeout_retry,
            view_retention: ViewDelta::new(config.settings.view_retention.get()),
            skip: SkipPolicy::Enabled {
                timeout: config.settings.inactive_timeout,
                budget: SkipBudget::Participants,
            },
            fetch_timeout: config.settings.fetch_timeout,
            fetch_retry_delay: config.settings.fetch_timeout.get() / 4,
            forward: ForwardPolicy::SilentVoters,
        }
    }

    /// Blocks are exchanged with the validators of this epoch and its neighbours, as far as they are known.
    fn track(&self) {
        let epoch = self.state.epoch();
        let epochs = epoch.saturating_sub(1)..=epoch + 1;
        let committees = epochs.filter_map(|it| self.config.provider.committee(it));
        let validators =
            committees.flat_map(|it| it.validators().iter().cloned().collect::<Vec<_>>());
        self.parts
            .peers
            .track(epoch, Set::from_iter_dedup(validators));
    }
}

type EngineConfig<E, N, C> = simplex::Config<
    <C as Consensus>::Scheme,
    <C as Consensus>::Elector,
    <N as Transport>::Blocker,
    drystone_engine::types::Digest,
    Automaton<E, C>,
    Automaton<E, C>,
    Automaton<E, C>,
    <<C as Consensus>::Types as drystone_engine::types::Types>::Strategy,
>;

/// Resolves when an engine that runs ends.
async fn ended(engine: &mut Option<Handle<()>>) {
    match engine {
        Some(engine) => {
            let _ = engine.await;
        }
        None => pending().await,
    }
}
