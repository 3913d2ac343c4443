//! The statement behind every ack and certificate.

use bytes::{BufMut, Bytes};
use commonware_codec::{Encode as _, FixedSize, Write};
use commonware_cryptography::{
    PublicKey,
    certificate::{Namespace, Subject},
    sha256::Digest,
};
use commonware_utils::union;

/// Separates acks from everything else the same keys sign.
const SUFFIX: &[u8] = b"_ACK";

/// The namespace acks are signed under, derived from the genesis digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckNamespace(Vec<u8>);

impl AsRef<[u8]> for AckNamespace {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Namespace for AckNamespace {
    fn derive(base: &[u8]) -> Self {
        Self(union(base, SUFFIX))
    }
}

/// What one ack says: in `epoch`, the header `digest` of `sequencer` at `height` and `slot` is locked here.
///
/// Signed as `epoch | sequencer | height | slot | digest`, integers big endian. Height and slot are also inside the
/// digest; they are signed beside it so that a certificate can be judged without its header.
#[derive(Debug, PartialEq, Eq)]
pub struct AckSubject<'a, P> {
    /// The epoch whose validators sign.
    pub epoch: u64,
    /// Whose lane the header belongs to.
    pub sequencer: &'a P,
    /// The header's height in its lane, from 1.
    pub height: u64,
    /// The header's slot.
    pub slot: u64,
    /// The header's digest.
    pub digest: &'a Digest,
}

// By hand: a derive would ask for `P: Copy`, and checking many certificates at once needs a `Copy` subject.
impl<P> Clone for AckSubject<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for AckSubject<'_, P> {}

impl<P: PublicKey> Write for AckSubject<'_, P> {
    fn write(&self, buf: &mut impl BufMut) {
        self.epoch.write(buf);
        self.sequencer.write(buf);
        self.height.write(buf);
        self.slot.write(buf);
        self.digest.write(buf);
    }
}

impl<P: PublicKey> FixedSize for AckSubject<'_, P> {
    const SIZE: usize = 3 * u64::SIZE + P::SIZE + Digest::SIZE;
}

impl<P: PublicKey> Subject for AckSubject<'_, P> {
    type Namespace = AckNamespace;

    fn namespace<'a>(&self, derived: &'a AckNamespace) -> &'a [u8] {
        &derived.0
    }

    fn message(&self) -> Bytes {
        self.encode()
    }
}
