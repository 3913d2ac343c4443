//! Chunk headers.

use super::{Digest, Genesis, Signature, Types};
use crate::scheme::AckSubject;
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt as _, Write};
use commonware_cryptography::{Hasher as _, PublicKey, Sha256, Signer as _, Verifier as _};
use std::sync::OnceLock;

/// What a header says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Digest of the body.
    pub digest: Digest,
    /// Length of the body.
    pub bytes: u32,
    /// Containers (transactions) in the body.
    pub items: u32,
}

/// The place of a header in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tip {
    /// Counts up from 1; 0 is the lane's root.
    pub height: u64,
    /// Strictly increases with height.
    pub slot: u64,
    /// Digest of the header.
    pub digest: Digest,
}

impl Tip {
    /// What an ack of this place in an epoch signs.
    pub const fn subject<'a, P>(&'a self, epoch: u64, sequencer: &'a P) -> AckSubject<'a, P> {
        AckSubject {
            epoch,
            sequencer,
            height: self.height,
            slot: self.slot,
            digest: &self.digest,
        }
    }
}

/// One link of a lane: the hash chain of a sequencer's chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<P> {
    /// Whose lane.
    pub sequencer: P,
    /// Counts up from 1.
    pub height: u64,
    /// When the chunk was sealed, in slots since the Unix epoch. Strictly above the previous header's.
    pub slot: u64,
    /// Digest of the header below; of height 1, the lane's root.
    pub previous: Digest,
    /// The body.
    pub payload: Payload,
}

impl<P: PublicKey> Header<P> {
    /// Bytes that are hashed and signed, and journaled: the key and the fixed-width fields.
    const SIZE: usize = P::SIZE + Self::BODY_SIZE;
    /// The same without the key, as it travels beside an index.
    const BODY_SIZE: usize = 8 + 8 + Digest::SIZE + Digest::SIZE + 4 + 4;

    /// Lends the bytes that are hashed and signed. They lie on the stack: a header is hashed or checked far more often than
    /// its bytes are kept.
    fn with_bytes<R>(&self, lend: impl FnOnce(&[u8]) -> R) -> R {
        const SIZE_MAX: usize = 256;
        const { assert!(Self::SIZE <= SIZE_MAX, "no key is that long") };
        let mut bytes = [0; SIZE_MAX];
        let bytes = &mut bytes[..Self::SIZE];
        self.write(&mut &mut *bytes);
        lend(bytes)
    }

    fn write_body(&self, buf: &mut impl BufMut) {
        self.height.write(buf);
        self.slot.write(buf);
        self.previous.write(buf);
        self.payload.digest.write(buf);
        self.payload.bytes.write(buf);
        self.payload.items.write(buf);
    }

    fn read_body(sequencer: P, buf: &mut impl Buf) -> Result<Self, Error> {
        Ok(Self {
            sequencer,
            height: u64::read(buf)?,
            slot: u64::read(buf)?,
            previous: Digest::read(buf)?,
            payload: Payload {
                digest: Digest::read(buf)?,
                bytes: u32::read(buf)?,
                items: u32::read(buf)?,
            },
        })
    }
}

impl<P: PublicKey> Write for Header<P> {
    fn write(&self, buf: &mut impl BufMut) {
        self.sequencer.write(buf);
        self.write_body(buf);
    }
}

impl<P: PublicKey> FixedSize for Header<P> {
    const SIZE: usize = Self::SIZE;
}

impl<P: PublicKey> Read for Header<P> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let sequencer = P::read(buf)?;
        Self::read_body(sequencer, buf)
    }
}

/// A header with its sequencer's signature. The digest is computed once, when it is first asked for: most headers come
/// twice, and the second copy goes no further.
#[derive(Clone, Debug)]
pub struct Signed<T: Types> {
    header: Header<T::PublicKey>,
    signature: Signature<T>,
    digest: OnceLock<Digest>,
}

impl<T: Types> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header && self.signature == other.signature
    }
}

impl<T: Types> Eq for Signed<T> {}

impl<T: Types> Signed<T> {
    /// Bytes of a signed header beside an index instead of its key.
    pub const COMPACT_SIZE: usize = Header::<T::PublicKey>::BODY_SIZE + Signature::<T>::SIZE;

    /// Signs a header.
    ///
    /// # Panics
    /// If the key is not the header's sequencer's: only the owner of a lane extends it.
    pub fn sign(header: Header<T::PublicKey>, key: &T::PrivateKey, namespace: &[u8]) -> Self {
        assert!(
            key.public_key() == header.sequencer,
            "a lane is signed by its owner"
        );
        let signature = header.with_bytes(|message| key.sign(namespace, message));
        Self::new(header, signature)
    }

    /// Puts a header and a signature together, unverified.
    pub const fn new(header: Header<T::PublicKey>, signature: Signature<T>) -> Self {
        Self {
            header,
            signature,
            digest: OnceLock::new(),
        }
    }

    /// Whether the sequencer signed this header.
    pub fn verify(&self, namespace: &[u8]) -> bool {
        let key = &self.header.sequencer;
        self.header
            .with_bytes(|message| key.verify(namespace, message, &self.signature))
    }

    /// The header.
    pub const fn header(&self) -> &Header<T::PublicKey> {
        &self.header
    }

    /// The sequencer's signature.
    pub const fn signature(&self) -> &Signature<T> {
        &self.signature
    }

    /// The header's digest.
    pub fn digest(&self) -> Digest {
        *self
            .digest
            .get_or_init(|| self.header.with_bytes(|bytes| Sha256::hash(&[bytes])))
    }

    /// The header's height.
    pub const fn height(&self) -> u64 {
        self.header.height
    }

    /// The header's place in its lane.
    pub fn tip(&self) -> Tip {
        Tip {
            height: self.header.height,
            slot: self.header.slot,
            digest: self.digest(),
        }
    }

    /// Whether the header extends a place: the next height, a later slot, the right link.
    pub fn extends(&self, below: &Tip) -> bool {
        below.height.checked_add(1) == Some(self.header.height)
            && below.slot < self.header.slot
            && below.digest == self.header.previous
    }

    /// What can be judged of a header without knowing its lane: no signature is checked for a
    /// header that no lane could ever hold.
    pub fn is_well_formed(&self, genesis: &Genesis) -> bool {
        let Header {
            height,
            slot,
            payload,
            ..
        } = &self.header;
        *height > 0
            && genesis.expiry_ms(*slot).is_some()
            && payload.items > 0
            && payload.bytes > 0
            && payload.bytes <= genesis.chunk_bytes_max
            && payload.items <= genesis.chunk_items_max
    }

    /// Writes the header without its key, and the signature.
    pub fn write_compact(&self, buf: &mut impl BufMut) {
        self.header.write_body(buf);
        self.signature.write(buf);
    }

    /// Reads what [`Self::write_compact`] wrote, for a known sequencer.
    ///
    /// # Errors
    /// If the bytes end early or the signature is malformed.
    pub fn read_compact(sequencer: T::PublicKey, buf: &mut impl Buf) -> Result<Self, Error> {
        let header = Header::read_body(sequencer, buf)?;
        let signature = Signature::<T>::read(buf)?;
        Ok(Self::new(header, signature))
    }
}

impl<T: Types> Write for Signed<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.header.write(buf);
        self.signature.write(buf);
    }
}

impl<T: Types> EncodeSize for Signed<T> {
    fn encode_size(&self) -> usize {
        Header::<T::PublicKey>::SIZE + Signature::<T>::SIZE
    }
}

impl<T: Types> Read for Signed<T> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let header = Header::read(buf)?;
        let signature = Signature::<T>::read(buf)?;
        Ok(Self::new(header, signature))
    }
}

impl Write for Tip {
    fn write(&self, buf: &mut impl BufMut) {
        self.height.write(buf);
        self.slot.write(buf);
        self.digest.write(buf);
    }
}

impl FixedSize for Tip {
    const SIZE: usize = 8 + 8 + Digest::SIZE;
}

impl Read for Tip {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            height: u64::read(buf)?,
            slot: u64::read(buf)?,
            digest: Digest::read(buf)?,
        })
    }
}
