//! The decoder of blocks: its certificates are of every scheme.

use super::{decode, same};
use crate::nouns::{Deployed, NODES, Nouns, World};
use bytes::Bytes;
use commonware_codec::{Decode as _, Encode as _};
use drystone_actors::block::{Block, Body, Bounds, Included};
use drystone_engine::types::{Committee, Digest, Provider, Signed};
use std::{marker::PhantomData, sync::Arc};

/// Knows all epochs, or none.
struct Committees<F> {
    known: bool,
    scheme: PhantomData<fn() -> F>,
}

impl<F: Deployed> Provider<Nouns<F>> for Committees<F> {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns<F>>>> {
        let committee = || Arc::new(F::world().committee(epoch, 0));
        self.known.then(committee)
    }
}

pub(crate) fn bounds<F: Deployed>(known: bool) -> Bounds<Nouns<F>> {
    let scheme = PhantomData;
    Bounds {
        provider: Arc::new(Committees { known, scheme }),
        validators_max: NODES as u32,
        lanes_max: 2 * NODES as u16,
    }
}

/// [`Block`], whether or not the committees of its certificates are known.
pub fn block<F: Deployed>(data: &[u8]) {
    let (known, unknown) = (bounds::<F>(true), bounds::<F>(false));
    let read = decode(data, |bytes| Block::decode_cfg(bytes, &known));
    let kept = decode(data, |bytes| Block::decode_cfg(bytes, &unknown));
    if let Ok(it) = &read {
        same(data, &it.encode());
        assert_eq!(
            kept.as_ref().ok(),
            Some(it),
            "who does not know the committee keeps what is valid"
        );
    }
    if let Ok(it) = kept {
        same(data, &it.encode());
    }
}

/// Valid encodings.
pub fn seeds<F: Deployed>() -> Vec<(&'static str, Vec<Bytes>)> {
    let world = F::world();
    let genesis = Block::<Nouns<F>>::genesis(world.genesis.digest, 1_000, Digest::from([1; 32]));
    let child = |lanes: &[usize]| {
        let mut tips: Vec<_> = lanes.iter().map(|lane| tip(world, *lane)).collect();
        tips.sort_by(|a, b| a.sequencer().cmp(b.sequencer()));
        let block = Block::new(Body {
            parent: genesis.digest(),
            height: 1,
            timestamp_ms: 1_001,
            executed: genesis.executed,
            tips,
        });
        block.encode()
    };
    vec![("block", vec![genesis.encode(), child(&[1]), child(&[0, 2])])]
}

fn tip<F: Deployed>(world: &World<F>, lane: usize) -> Included<Nouns<F>> {
    let root = world.genesis.root(&world.names[lane]);
    let header: Arc<Signed<Nouns<F>>> = world.header(lane, &root, 900, 5);
    let certificate = world.certificate(lane as u64, lane, header.tip());
    Included::new(header.header().clone(), certificate)
}
