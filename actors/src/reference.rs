//! Names a chunk, for whoever keeps its body or asks for it.

use bytes::BufMut;
use commonware_codec::{Buf, Error, FixedSize, Read, ReadExt as _, Write};
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Header, Payload};

/// What of a header concerns its body. Two headers that differ in nothing else share one body and one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference<P> {
    /// Whose lane.
    pub sequencer: P,
    /// Where in it, when, and which body.
    pub place: Place,
    /// Length of the body, as claimed.
    pub bytes: u32,
    /// Transactions in it, as claimed.
    pub items: u32,
}

/// A body's place in a lane: by height, then by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The height of the header.
    pub height: u64,
    /// Its slot.
    pub slot: u64,
    /// Digest of the body.
    pub digest: Digest,
}

impl<P: PublicKey> From<&Header<P>> for Reference<P> {
    fn from(header: &Header<P>) -> Self {
        Self {
            sequencer: header.sequencer.clone(),
            place: Place {
                height: header.height,
                slot: header.slot,
                digest: header.payload.digest,
            },
            bytes: header.payload.bytes,
            items: header.payload.items,
        }
    }
}

impl<P> Reference<P> {
    /// What the header says of the body.
    pub const fn payload(&self) -> Payload {
        Payload {
            digest: self.place.digest,
            bytes: self.bytes,
            items: self.items,
        }
    }
}

impl<P: PublicKey> Write for Reference<P> {
    fn write(&self, buf: &mut impl BufMut) {
        self.sequencer.write(buf);
        self.place.height.write(buf);
        self.place.slot.write(buf);
        self.place.digest.write(buf);
        self.bytes.write(buf);
        self.items.write(buf);
    }
}

impl<P: PublicKey> FixedSize for Reference<P> {
    const SIZE: usize = P::SIZE + 8 + 8 + Digest::SIZE + 4 + 4;
}

impl<P: PublicKey> Read for Reference<P> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            sequencer: P::read(buf)?,
            place: Place {
                height: u64::read(buf)?,
                slot: u64::read(buf)?,
                digest: Digest::read(buf)?,
            },
            bytes: u32::read(buf)?,
            items: u32::read(buf)?,
        })
    }
}
