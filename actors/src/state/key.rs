//! Where in the state something lies.

use commonware_cryptography::{Hasher as _, PublicKey, Sha256};
use commonware_utils::sequence::FixedBytes;
use drystone_engine::types::Digest;
use std::ops::RangeInclusive;

/// Bytes of a key: a realm, and a digest of what the key is called there.
pub(super) const SIZE: usize = 33;

/// A key of the state. Names are hashed, so that nobody can choose keys that lie close together: what a look-up costs
/// depends on how many keys share their first bytes.
pub type Key = FixedBytes<SIZE>;

/// The last included header of each lane.
const LANE: u8 = 0;
/// The digest of the results.
const RESULTS: u8 = 1;
/// What the application writes.
const APPLICATION: u8 = 2;

fn key(realm: u8, name: Digest) -> Key {
    let mut bytes = [realm; SIZE];
    bytes[1..].copy_from_slice(&name);
    Key::new(bytes)
}

/// A key of the application's: it has a realm of its own, and can name nothing else.
pub fn application(name: &[u8]) -> Key {
    key(APPLICATION, Sha256::hash(&[name]))
}

/// The entry of a lane.
pub fn lane<P: PublicKey>(sequencer: &P) -> Key {
    key(LANE, Sha256::hash(&[sequencer.as_ref()]))
}

/// All keys that entries of lanes can have.
pub fn lanes() -> RangeInclusive<Key> {
    key(LANE, Digest::from([0; 32]))..=key(LANE, Digest::from([u8::MAX; 32]))
}

/// The entry of the results' digest.
pub fn results() -> Key {
    key(RESULTS, Digest::from([0; 32]))
}
