//! One node's part of all lanes, wired together.

mod config;
#[cfg(all(test, feature = "mocks"))]
mod tests;

pub use config::{Config, Error, Network};

use crate::{
    ack_manager,
    activity::{Activity, Reporter as _},
    environment::{Environment, Transport},
    epochs::Epochs,
    horizon::Horizon,
    journal,
    record::Record,
    recovery, sequencer, tip_manager,
    types::{Certificate, Provider, Tip, Types},
};
use commonware_cryptography::Signer as _;
use commonware_macros::select;
use commonware_p2p::Receiver as _;
use commonware_runtime::{Handle, Storage};
use commonware_utils::{channel::oneshot, sync::Mutex};
use std::sync::Arc;

/// A running engine: how the rest of the node reaches it.
pub struct Engine<T: Types> {
    tip_manager: tip_manager::Mailbox<T>,
    sequencer: sequencer::Mailbox<T>,
    provider: Arc<dyn Provider<T>>,
    muted_until: u64,
}

impl<T: Types> Clone for Engine<T> {
    fn clone(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            tip_manager: self.tip_manager.clone(),
            sequencer: self.sequencer.clone(),
            muted_until: self.muted_until,
        }
    }
}

/// What a start gives: the engine, and a handle that resolves when it stops, with the reason if it
/// was not asked to.
pub type Start<T> = (Engine<T>, Handle<Result<(), Error>>);

impl<T: Types> Engine<T> {
    /// Marks a new node's directory as initialised: without the mark, a start takes the disk for lost.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn initialise<E: Storage>(
        context: &E,
        journal: &journal::Config<()>,
    ) -> Result<(), Error> {
        Ok(journal::init(context, journal).await?)
    }

    /// Starts every actor, after the journal is replayed and, if the disk was lost, after 2f+1
    /// validators have answered.
    ///
    /// A directory that nobody initialised is taken for a lost disk. So call [`Engine::initialise`] before the very first
    /// start of a node, and never again: in a new deployment, where all did without, every node waits for the answers of
    /// others that wait as well, and none ever starts.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start<E, N>(
        mut context: E,
        config: Config<T>,
        mut network: Network<N>,
    ) -> Result<Start<T>, Error>
    where
        E: Environment,
        N: Transport<PublicKey = T::PublicKey>,
    {
        config.genesis.check()?;
        let (mut journal, opened) =
            journal::open::<E, Record<T>>(context.child("journal"), config.journal.clone()).await?;
        let mut records = opened.records;
        let journaled = tip_manager::entered(&records);
        let epoch = journaled.unwrap_or(config.epoch);
        for epoch in [epoch, config.epoch] {
            if config.provider.committee(epoch).is_none() {
                return Err(Error::Epoch(epoch));
            }
        }
        let epochs = Epochs::new(config.provider.clone(), config.bounds, epoch);
        let me = config.key.public_key();

        let mut first = Vec::new();
        if !opened.initialised {
            first =
                Self::recover::<E, N>(&mut context, &config, &me, &epochs, &mut network).await?;
        }
        if journaled.is_none() {
            first.push(Record::Entered { epoch });
        }

        let (tip_manager, tip_inbox) =
            tip_manager::mailbox(&context.child("tip_manager"), config.mailbox_size);
        let (sequencer, sequencer_inbox) =
            sequencer::mailbox(&context.child("sequencer"), config.mailbox_size);
        let (ack_manager, ack_inbox) =
            ack_manager::mailbox(&context.child("ack_manager"), config.mailbox_size);
        let (written, durable) = oneshot::channel::<()>();
        let written = Mutex::new(Some(written));
        let mut setup = journal.subscribe(move |_| drop(written.lock().take()));
        let tip_writer = journal.subscribe({
            let tip_manager = tip_manager.clone();
            move |position| tip_manager.synced(position)
        });
        let sequencer_writer = journal.subscribe({
            let sequencer = sequencer.clone();
            move |position| sequencer.synced(position)
        });
        let mut journal = journal.start();
        if !first.is_empty() {
            setup.append(first.clone());
            // The notification drops the sender; so does the journal when it fails, and its handle
            // then says why.
            let _ = durable.await;
            records.extend(first);
        }
        if !opened.initialised {
            journal::init(&context, &config.journal).await?;
        }

        let muted_until = tip_manager::muted_until(&records);
        let canary = config.canary;
        let restored = tip_manager::State::restore(
            tip_manager::StateConfig {
                genesis: config.genesis.clone(),
                me: me.clone(),
                epochs: epochs.clone(),
                canary,
            },
            &records,
        );
        let sequencer_actor = sequencer::Actor::<E, N, T>::new(
            context.child("sequencer"),
            sequencer::Config {
                state: sequencer::StateConfig {
                    genesis: config.genesis.clone(),
                    key: config.key.clone(),
                    me: me.clone(),
                    epochs: epochs.clone(),
                    certificate_linger_ms: u64::try_from(config.certificate_linger.as_millis())
                        .unwrap_or(u64::MAX),
                    canary,
                },
                automaton: config.automaton.clone(),
                reporter: config.reporter.clone(),
                rebroadcast: config.rebroadcast,
                priority_proposals: config.priority_proposals,
                mailbox_size: config.mailbox_size,
            },
            &records,
            sequencer_inbox,
            network.headers.0.clone(),
            sequencer::Neighbours {
                ack_manager: ack_manager.clone(),
                tip_manager: tip_manager.clone(),
                journal: sequencer_writer,
            },
        );
        let ack_actor = ack_manager::Actor::<E, N, T>::new(
            context.child("ack_manager"),
            ack_manager::Config {
                me: me.clone(),
                epochs: epochs.clone(),
                bounds: config.bounds,
                pace: ack_manager::Pace {
                    interval_ms: u64::try_from(config.certificate_interval.as_millis())
                        .unwrap_or(u64::MAX),
                    stride: config.genesis.in_flight_max.div_ceil(4),
                },
                strategy: config.strategy.clone(),
                mailbox_size: config.mailbox_size,
            },
            sequencer_actor.in_flight(),
            ack_inbox,
            (network.acks.1, network.blocker.clone()),
            sequencer.clone(),
            tip_manager.clone(),
        );
        let tip_actor = tip_manager::Actor::<E, N, T>::new(
            context.child("tip_manager"),
            tip_manager::Config {
                me: me.clone(),
                automaton: config.automaton,
                reporter: config.reporter.clone(),
                strategy: config.strategy,
                rebroadcast: config.rebroadcast,
                priority_acks: config.priority_acks,
                mailbox_size: config.mailbox_size,
            },
            restored,
            tip_inbox,
            tip_manager::Peers {
                headers: network.headers,
                gossip: network.gossip,
                acks: network.acks.0,
                answers: network.answers.0,
                blocker: network.blocker,
            },
            tip_manager::Neighbours {
                sequencer: Some(sequencer.clone()),
                ack_manager: Some(ack_manager),
                journal: tip_writer,
            },
        );
        config.reporter.report(Activity::Entered(epoch));
        let engine = Self {
            tip_manager,
            sequencer,
            provider: config.provider,
            muted_until,
        };
        engine.entered(config.epoch)?;
        // A channel is open both ways or not at all: who answers others must go on receiving. Answers
        // that come when nothing is asked any more are dropped.
        let mut answers = network.answers.1;
        context
            .child("answers")
            .spawn(move |_| async move { while answers.recv().await.is_ok() {} });
        let handle = context.child("engine").spawn(move |context| async move {
            let tasks = [
                tip_actor.start(),
                sequencer_actor.start(),
                ack_actor.start(),
            ];
            // The signal is asked here alone, since the actors have nothing to finish, and held until the journal ends.
            let mut stopped = context.stopped();
            let ended = select! {
                _ = &mut stopped => Ok(()),
                ended = &mut journal => return ended.map_err(Error::Task)?.map_err(Error::from),
                ended = Handle::select(tasks) => Err(ended.map_or_else(Error::Task, |()| Error::Closed)),
            };
            // The actors are gone, and with them the journal's clients: what they queued is still synced.
            journal.await.map_err(Error::Task)??;
            ended
        });
        Ok((engine, handle))
    }

    async fn recover<E, N>(
        context: &mut E,
        config: &Config<T>,
        me: &T::PublicKey,
        epochs: &Epochs<T>,
        network: &mut Network<N>,
    ) -> Result<Vec<Record<T>>, Error>
    where
        E: Environment,
        N: Transport<PublicKey = T::PublicKey>,
    {
        let nonce = rand_core::Rng::next_u64(context);
        let genesis = config.genesis.clone();
        let state = recovery::State::new(genesis, me.clone(), nonce, config.bounds, epochs)?;
        let channels = (&mut network.gossip.0, &mut network.answers.1);
        let strategy = &config.strategy;
        let interval = config.rebroadcast;
        Ok(
            recovery::recover::<E, N, T>(context, state, epochs, channels, strategy, interval)
                .await?,
        )
    }

    /// The first epoch in which this node may sign: after its disk was lost it signs nothing, in any protocol, in an epoch
    /// in which it may have signed before. 0 for a node that never lost its disk.
    pub const fn muted_until(&self) -> u64 {
        self.muted_until
    }

    /// The node entered an epoch. Earlier epochs are ignored.
    ///
    /// # Errors
    /// If the provider does not know the epoch's committee. Nothing has changed then: say it again once it does.
    pub fn entered(&self, epoch: u64) -> Result<(), Error> {
        if self.provider.committee(epoch).is_none() {
            return Err(Error::Epoch(epoch));
        }
        self.tip_manager.entered(epoch);
        self.sequencer.entered(epoch);
        Ok(())
    }

    /// The chain moved.
    pub fn advanced(&self, horizon: Horizon<T::PublicKey>) {
        self.sequencer.advanced(horizon.clone());
        self.tip_manager.advanced(horizon);
    }

    /// A certificate was found valid elsewhere in this node: in a block. It may be the newest of its lane.
    pub fn certified(&self, certificate: Arc<Certificate<T>>) {
        self.tip_manager.assembled(certificate);
    }

    /// The headers of a lane above a height that a place leads down to, lowest first, once all of them are here: for voters
    /// and the executor. They are fetched if they are not. A dropped sender means "ask again".
    pub fn run(
        &self,
        sequencer: T::PublicKey,
        above: u64,
        to: Tip,
    ) -> oneshot::Receiver<tip_manager::Run<T>> {
        self.tip_manager.run(sequencer, above, to)
    }

    /// A quota was freed, so that verdicts that were pending may have changed: all of them are asked for again. For a
    /// body that is missing, answer [`Later`](crate::Judgement::Later) instead.
    pub fn stirred(&self) {
        self.tip_manager.stirred();
    }
}
