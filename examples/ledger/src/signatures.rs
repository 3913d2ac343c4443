//! Many signatures at once.

use crate::transfer::Signed;
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    BatchEntry, BatchVerifier as _, Hasher as _, Sha256, Verifier as _,
    ed25519::{PublicKey, Signature},
};
use commonware_parallel::Strategy;
use rand::{SeedableRng as _, rngs::StdRng};

/// Checks signatures.
pub trait Signatures: Clone + Send + Sync + 'static {
    /// For each transfer, whether its payer signed it under the namespace. A verdict depends on that transfer alone, not on
    /// what it is checked with: no two nodes check the same lists.
    fn verify(&self, transfers: &[Signed], namespace: &[u8]) -> Vec<bool>;
}

/// Those of ed25519, checked together where the strategy says.
impl<S: Strategy> Signatures for S {
    fn verify(&self, transfers: &[Signed], namespace: &[u8]) -> Vec<bool> {
        verify(transfers, namespace, self)
    }
}

/// Batches of at most this many are checked one by one when they do not hold: halving them further costs more.
const SINGLY: usize = 16;

/// A signature that can be checked.
struct Item {
    index: usize,
    key: PublicKey,
    message: Bytes,
    signature: Signature,
}

/// For each transfer, whether its payer signed it.
///
/// A batch is checked with coefficients that nobody can know before all its signatures are fixed: they are drawn from a
/// digest of the batch, so that no randomness is needed. What holds in a batch holds alone and the other way round: both
/// equations are multiplied by the cofactor (ZIP 215). A batch that does not hold is halved: one bad signature costs a few
/// checks more and hides no good one.
fn verify(transfers: &[Signed], namespace: &[u8], strategy: &impl Strategy) -> Vec<bool> {
    let mut valid = vec![false; transfers.len()];
    let read = |(index, signed): (usize, &Signed)| {
        Some(Item {
            index,
            key: PublicKey::decode(Copying(&signed.transfer.from)).ok()?,
            message: signed.transfer.encode(),
            signature: Signature::decode(Copying(&signed.signature)).ok()?,
        })
    };
    let items: Vec<_> = transfers.iter().enumerate().filter_map(read).collect();
    let mut rest = vec![items.as_slice()];
    while let Some(items) = rest.pop() {
        if items.is_empty() {
            continue;
        }
        if holds(items, namespace, strategy) {
            items.iter().for_each(|it| valid[it.index] = true);
        } else if items.len() <= SINGLY {
            for it in items {
                valid[it.index] = it.key.verify(namespace, &it.message, &it.signature);
            }
        } else {
            let (left, right) = items.split_at(items.len() / 2);
            rest.extend([left, right]);
        }
    }
    valid
}

fn holds<'a>(items: &'a [Item], namespace: &'a [u8], strategy: &impl Strategy) -> bool {
    let mut hasher = Sha256::default();
    for it in items {
        hasher.update(&it.message);
        hasher.update(it.signature.as_ref());
    }
    let (_, seed) = hasher.finalize();
    let entry = |_, it: &'a Item| BatchEntry {
        namespace,
        message: &it.message,
        public_key: &it.key,
        signature: &it.signature,
    };
    PublicKey::verify_batch(&mut StdRng::from_seed(seed.0), items, entry, strategy)
}
