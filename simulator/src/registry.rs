//! The scenarios of this crate's systems.

#[cfg(feature = "signatures")]
use crate::lanes::Mixed;
use crate::{campaign::Registry, chunks::Chunks, lanes::Lanes, nodes::Nodes};
use drystone_engine::scheme::fixture::Free;

/// What the program `drystone-sim` knows: whole nodes first, then lanes over mixed schemes and over each, and chunks. Not
/// generic, so that the engine is compiled for every scheme once. Without the feature `signatures`, only the free scheme's.
pub fn registry() -> Registry {
    #[cfg(feature = "signatures")]
    {
        use drystone_engine::scheme::fixture::{Ed25519, Multisig, Secp256r1, Threshold};
        Registry::new()
            .with::<Nodes>()
            .with_runnable(Mixed::default())
            .with::<Lanes<Free>>()
            .with::<Chunks>()
            .with::<Lanes<Ed25519>>()
            .with::<Lanes<Secp256r1>>()
            .with::<Lanes<Multisig>>()
            .with::<Lanes<Threshold>>()
    }
    #[cfg(not(feature = "signatures"))]
    Registry::new()
        .with::<Nodes>()
        .with::<Lanes<Free>>()
        .with::<Chunks>()
}
