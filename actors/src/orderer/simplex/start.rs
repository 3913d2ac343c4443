//! Puts the parts together.

use super::{
    Config, Consensus, Error, Key, Network, Ordered,
    application::Application,
    delivery::Delivery,
    epochs::{self, Parts, State},
    peers::Peers,
    store,
};
use crate::{
    chain,
    orderer::{Orderer, Sink},
};
use commonware_actor::mailbox;
use commonware_broadcast::buffered;
use commonware_consensus::{
    marshal::{
        self, Start,
        core::{self, Processed},
        resolver::p2p as resolver,
        standard::{Inline, Standard},
    },
    simplex::types::Finalization,
    types::{FixedEpocher, Height, ViewDelta},
};
use commonware_cryptography::Digested;
use commonware_macros::select;
use commonware_p2p::utils::mux::{Builder as _, Muxer};
use commonware_runtime::Handle;
use drystone_engine::{
    Environment, Transport,
    types::{Digest, Genesis},
};
use std::{num::NonZeroUsize, sync::Arc};

/// Missing blocks that are fetched at once.
const REPAIR_MAX: NonZeroUsize = commonware_utils::NZUsize!(16);
/// Blocks of one peer that are kept until somebody asks for them.
const BLOCKS_PER_PEER: usize = 16;

/// An orderer that runs.
pub struct Simplex<C: Consensus> {
    marshal: epochs::Marshal<C>,
    epochs: epochs::Mailbox,
}

impl<C: Consensus> Clone for Simplex<C> {
    fn clone(&self) -> Self {
        Self {
            marshal: self.marshal.clone(),
            epochs: self.epochs.clone(),
        }
    }
}

impl<C: Consensus> Orderer<C::Types> for Simplex<C> {
    type Finality = Finalization<C::Scheme, Digest>;

    async fn at(&self, height: u64) -> Option<Arc<Ordered<C>>> {
        let block = self.marshal.get_block(Height::new(height)).await?;
        Some(block.inner_shared())
    }

    async fn named(&self, digest: Digest) -> Option<Arc<Ordered<C>>> {
        let block = self.marshal.get_block(&digest).await?;
        Some(block.inner_shared())
    }

    async fn finality(&self, height: u64) -> Option<Self::Finality> {
        self.marshal.get_finalization(Height::new(height)).await
    }

    async fn newest(&self) -> Option<u64> {
        let (height, _) = self.marshal.get_info(marshal::Identifier::Latest).await?;
        Some(height.get())
    }

    fn known(&self, _: u64) {
        self.epochs.known();
    }

    fn prune(&self, below: u64) {
        self.epochs.prune(below);
    }
}

/// Starts an orderer. The task that is returned ends when a part of it does: then the node has to stop.
///
/// # Errors
/// If what lies on the disk cannot be read, or is damaged.
///
/// # Panics
/// If the configuration contradicts itself; or, since consensus knows no other answer, if the disk fails under it.
pub async fn start<E, N, C, S>(
    context: E,
    config: Config<C>,
    network: Network<N>,
    genesis: Arc<Genesis>,
    chain: chain::Mailbox<C::Types>,
    sink: S,
) -> Result<(Simplex<C>, Handle<()>), Error>
where
    E: Environment,
    N: Transport<PublicKey = Key<C>>,
    C: Consensus,
    S: Sink<C::Types>,
{
    config.check();
    let config = Arc::new(config);
    let epocher = FixedEpocher::new(config.epoch_blocks);
    let peers = Peers::new();

    let resolver = resolver::init(
        context.child("backfill"),
        resolver::Config {
            public_key: config.me.clone(),
            peer_provider: peers.clone(),
            blocker: network.blocker.clone(),
            mailbox_size: config.settings.mailbox_size,
            fetch_timeout: config.settings.fetch_timeout,
            fetch_retry_delay: config.settings.fetch_timeout.get() / 4,
            priority_requests: false,
            priority_responses: false,
        },
        network.backfill,
    );
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: config.me.clone(),
            mailbox_size: config.settings.mailbox_size,
            deque_size: BLOCKS_PER_PEER,
            priority: true,
            codec_config: config.bounds.clone(),
            peer_provider: peers.clone(),
            strategy: config.strategy.clone(),
        },
    );
    let broadcast = broadcast.start(network.blocks);

    let cache = store::cache();
    let (finalizations, blocks) = store::open(&context, &config, &cache).await?;
    let first = Digested::precomputed(config.genesis.clone(), config.genesis.digest());
    let (actor, marshal, floor) = core::Actor::<_, Standard<Ordered<C>>, _, _, _, _, _>::init(
        context.child("marshal"),
        finalizations,
        blocks,
        marshal::Config {
            provider: config.schemes.clone(),
            epocher: epocher.clone(),
            start: Start::Genesis(first),
            partition_prefix: format!("{}-marshal", config.settings.partition),
            mailbox_size: config.settings.mailbox_size,
            view_retention: ViewDelta::new(config.settings.view_retention.get()),
            prunable_items_per_section: config.settings.section_blocks,
            page_cache: cache.clone(),
            replay_buffer: store::REPLAY_BUFFER,
            key_write_buffer: store::WRITE_BUFFER,
            value_write_buffer: store::WRITE_BUFFER,
            block_codec_config: config.bounds.clone(),
            max_repair: REPAIR_MAX,
            max_pending_acks: config.settings.unacknowledged_max,
            strategy: config.strategy.clone(),
        },
    )
    .await;

    let (sender, inbox) = mailbox::new(
        context.child("epochs_mailbox"),
        config.settings.mailbox_size,
    );
    let epochs = epochs::Mailbox(sender);
    let delivery = Delivery {
        chain: chain.clone(),
        epochs: epochs.clone(),
        epoch_blocks: config.epoch_blocks,
        sink,
    };
    let marshal_task = actor.start(delivery, buffer, resolver);

    let (votes, vote_routes, strangers) =
        Muxer::builder(context.child("votes"), network.votes.0, network.votes.1)
            .with_backup()
            .build();
    let (certificates, certificate_routes) = Muxer::new(
        context.child("certificates"),
        network.certificates.0,
        network.certificates.1,
    );
    let (missed, missed_routes) = Muxer::new(
        context.child("resolver"),
        network.resolver.0,
        network.resolver.1,
    );
    let muxers = [votes.start(), certificates.start(), missed.start()];

    let processed = floor
        .processed()
        .map_or(0, |it: Processed| it.height().get());
    let epoch = config.epoch(processed + 1);
    let from = match epoch.checked_sub(1) {
        None => config.genesis.digest(),
        Some(before) => {
            // It is never pruned.
            let height = config.last(before);
            let block = marshal.get_block(Height::new(height)).await;
            block.ok_or(Error::Lost { height })?.inner().digest()
        }
    };
    let application = Application { chain, genesis };
    let parts = Parts {
        automaton: Inline::new(
            context.child("inline"),
            application,
            marshal.clone(),
            epocher,
        ),
        marshal: marshal.clone(),
        channels: [vote_routes, certificate_routes, missed_routes],
        strangers,
        blocker: network.blocker,
        peers,
        cache,
    };
    let state = State::new(config.epoch_blocks, epoch, from);
    let actor = epochs::Actor::<_, N, _>::new(context.child("epochs"), config, state, inbox, parts);
    let epochs_task = actor.start();

    let task = context.child("watch").spawn(move |_| async move {
        let [votes, certificates, missed] = muxers;
        select! {
            _ = broadcast => {},
            _ = marshal_task => {},
            _ = votes => {},
            _ = certificates => {},
            _ = missed => {},
            _ = epochs_task => {},
        }
    });
    Ok((Simplex { marshal, epochs }, task))
}
