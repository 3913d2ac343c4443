//! What marshal asks of the application is the chain actor's business.

use super::{Consensus, Key, Ordered};
use crate::chain::{Descent, Lanes, Mailbox, Order, Question, Walk};
use commonware_consensus::{
    self as consensus, Epochable as _, Viewable as _, marshal::ancestry::Ancestry,
    simplex::types::Context,
};
use commonware_cryptography::Digested;
use commonware_runtime::Clock;
use drystone_engine::types::{Digest, Genesis};
use futures::StreamExt as _;
use std::{future::pending, sync::Arc};

/// See the module.
pub(super) struct Application<C: Consensus> {
    pub chain: Mailbox<C::Types>,
    pub genesis: Arc<Genesis>,
}

impl<C: Consensus> Clone for Application<C> {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            genesis: self.genesis.clone(),
        }
    }
}

impl<C: Consensus> Application<C> {
    /// A parent and the last inclusions up to it, from its ancestry. `None` if the finalized chain has left it behind, or
    /// the node stops.
    async fn descend(
        &self,
        mut ancestry: impl Ancestry<Ordered<C>>,
    ) -> Option<(Arc<Ordered<C>>, Lanes<Key<C>>)> {
        let basis = self.chain.basis().await.ok()?;
        let mut walk = Walk::new(self.genesis.clone(), basis);
        let parent = ancestry.next().await?.inner_shared();
        let mut ancestor = parent.clone();
        loop {
            match walk.descend(&ancestor) {
                Descent::Known(lanes) => return Some((parent, lanes)),
                Descent::Aside => return None,
                Descent::Further => ancestor = ancestry.next().await?.inner_shared(),
            }
        }
    }
}

impl<E: Clock, C: Consensus> consensus::Application<E> for Application<C> {
    type SigningScheme = C::Scheme;
    type Context = Context<Digest, Key<C>>;
    type Block = Ordered<C>;
    type Input = ();

    async fn propose(
        &mut self,
        (_, context): (E, Self::Context),
        ancestry: impl Ancestry<Self::Block>,
        (): (),
    ) -> Option<Digested<Self::Block>> {
        let (parent, lanes) = self.descend(ancestry).await?;
        let order = Order {
            parent,
            epoch: context.epoch().get(),
            nullified: context.parent.0.next() != context.view(),
            lanes,
        };
        let block = self.chain.build(order).await.ok()?;
        let digest = block.digest();
        Some(Digested::precomputed(block, digest))
    }

    /// Does not return while the verdict is open: simplex drops it when it leaves the view.
    async fn verify(
        &mut self,
        (_, context): (E, Self::Context),
        mut ancestry: impl Ancestry<Self::Block>,
    ) -> bool {
        let block = ancestry.next().await;
        let block = block
            .expect("an ancestry begins with the block")
            .inner_shared();
        let Some((parent, lanes)) = self.descend(ancestry).await else {
            return pending().await;
        };
        let question = Question {
            block,
            parent,
            epoch: context.epoch().get(),
            lanes,
        };
        match self.chain.judge(question).await {
            Ok(judged) => judged.is_ok(),
            Err(_) => pending().await,
        }
    }
}
