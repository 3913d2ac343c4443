//! What lies on the disk under a bucket.

use super::message::Location;
use crate::reference::Reference;
use bytes::{BufMut, Bytes};
use commonware_codec::{
    Buf, EncodeSize, Error, FixedSize as _, RangeCfg, Read, ReadExt as _, Write,
};
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Payload};

/// One entry of the archive of bodies that wait for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<P> {
    /// A checked body and whose it is.
    Body {
        /// Whose.
        reference: Reference<P>,
        /// The body.
        body: Bytes,
    },
    /// A body of this node's own that no header names yet.
    Draft {
        /// What its header will say of it.
        payload: Payload,
        /// The slot it was packed in: its header's will be this or a later one.
        slot: u64,
        /// The body.
        body: Bytes,
    },
    /// The header that names a draft.
    Sealed {
        /// As if the body had been written with it.
        reference: Reference<P>,
        /// Where the draft lies: the same transactions may be packed, and named, more than once.
        draft: Location,
        /// The body once more, if the draft lies where it is pruned too early.
        body: Option<Bytes>,
    },
}

const BODY: u8 = 0;
const DRAFT: u8 = 1;
const SEALED: u8 = 2;

impl<P> Record<P> {
    /// The key it is filed under.
    pub const fn digest(&self) -> Digest {
        match self {
            Self::Body { reference, .. } | Self::Sealed { reference, .. } => reference.place.digest,
            Self::Draft { payload, .. } => payload.digest,
        }
    }

    /// A body of this node's own that has to lie elsewhere as well: of a draft, or of an earlier header's.
    pub const fn moved(reference: Reference<P>, body: Bytes, draft: Option<Location>) -> Self {
        match draft {
            Some(draft) => Self::Sealed {
                reference,
                draft,
                body: Some(body),
            },
            None => Self::Body { reference, body },
        }
    }

    /// The body, if it holds one.
    pub fn into_body(self) -> Option<Bytes> {
        match self {
            Self::Body { body, .. } | Self::Draft { body, .. } => Some(body),
            Self::Sealed { body, .. } => body,
        }
    }
}

impl<P: PublicKey> Write for Record<P> {
    fn write(&self, buf: &mut impl BufMut) {
        match self {
            Self::Body { reference, body } => {
                BODY.write(buf);
                reference.write(buf);
                body.write(buf);
            }
            Self::Draft {
                payload,
                slot,
                body,
            } => {
                DRAFT.write(buf);
                payload.digest.write(buf);
                payload.items.write(buf);
                slot.write(buf);
                body.write(buf);
            }
            Self::Sealed {
                reference,
                draft,
                body,
            } => {
                SEALED.write(buf);
                reference.write(buf);
                draft.index().write(buf);
                body.write(buf);
            }
        }
    }
}

impl<P: PublicKey> EncodeSize for Record<P> {
    fn encode_size(&self) -> usize {
        1 + match self {
            Self::Body { body, .. } => Reference::<P>::SIZE + body.encode_size(),
            Self::Draft { body, .. } => Digest::SIZE + 4 + 8 + body.encode_size(),
            Self::Sealed { body, .. } => Reference::<P>::SIZE + 8 + body.encode_size(),
        }
    }
}

impl<P: PublicKey> Read for Record<P> {
    /// The largest body.
    type Cfg = RangeCfg<usize>;

    fn read_cfg(buf: &mut impl Buf, body_bytes: &RangeCfg<usize>) -> Result<Self, Error> {
        match u8::read(buf)? {
            BODY => Ok(Self::Body {
                reference: Reference::read(buf)?,
                body: Bytes::read_cfg(buf, body_bytes)?,
            }),
            DRAFT => {
                let (digest, items) = (Digest::read(buf)?, u32::read(buf)?);
                let slot = u64::read(buf)?;
                let body = Bytes::read_cfg(buf, body_bytes)?;
                let bytes = u32::try_from(body.len())
                    .map_err(|_| Error::Invalid("Record", "the body is too long"))?;
                let payload = Payload {
                    digest,
                    bytes,
                    items,
                };
                Ok(Self::Draft {
                    payload,
                    slot,
                    body,
                })
            }
            SEALED => Ok(Self::Sealed {
                reference: Reference::read(buf)?,
                draft: Location::at(u64::read(buf)?),
                body: Option::<Bytes>::read_cfg(buf, body_bytes)?,
            }),
            other => Err(Error::InvalidEnum(other)),
        }
    }
}
