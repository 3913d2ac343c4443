//! What peers see: two channels.
//!
//! | channel | message | from, to |
//! |---|---|---|
//! | requests | [`Request`] | any to any |
//! | bodies | [`Parcel`] | a push, from a sequencer to validators; or an answer |
//!
//! A body is the rest of its message: its length is never claimed, and it is a view of the bytes that came.

use super::Refusal;
use crate::{chunk_store::Absence, reference::Reference};
use bytes::{Bytes, BytesMut};
use commonware_codec::{EncodeSize as _, FixedSize as _, Read as _, ReadExt as _, Write as _};
use commonware_cryptography::PublicKey;
use commonware_runtime::{IoBuf, IoBufs};
use drystone_engine::types::Genesis;

/// Asks for a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<P> {
    /// Which.
    pub reference: Reference<P>,
    /// The height of the block it is in, if known.
    pub height: Option<u64>,
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The body.
    Body(Bytes),
    /// It is not here, and why.
    Absent(Absence),
    /// Too much is asked: not now.
    Busy,
}

/// A body on its way, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel<P> {
    /// Which body.
    pub reference: Reference<P>,
    /// The answer; of a push, the body.
    pub answer: Answer,
    /// Whether it was sent unasked by its producer.
    pub pushed: bool,
}

const PUSHED: u8 = 0;
const BODY: u8 = 1;
const UNKNOWN: u8 = 2;
const EXPIRED: u8 = 3;
const PRUNED: u8 = 4;
const BUSY: u8 = 5;

/// The largest message of either channel.
pub fn message_size_max<P: PublicKey>(genesis: &Genesis) -> usize {
    let request = Reference::<P>::SIZE + 1 + 8;
    let parcel = 1 + Reference::<P>::SIZE + genesis.chunk_bytes_max as usize;
    request.max(parcel)
}

/// Refuses what no lane could ever hold.
fn check<P: PublicKey>(reference: &Reference<P>, genesis: &Genesis) -> Result<(), Refusal> {
    let possible = reference.place.height > 0
        && genesis.expiry_ms(reference.place.slot).is_some()
        && (1..=genesis.chunk_bytes_max).contains(&reference.bytes)
        && (1..=genesis.chunk_items_max).contains(&reference.items);
    if possible {
        Ok(())
    } else {
        Err(Refusal::Impossible(reference.place.height))
    }
}

impl<P: PublicKey> Request<P> {
    /// The message.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::with_capacity(Reference::<P>::SIZE + self.height.encode_size());
        self.reference.write(&mut buf);
        self.height.write(&mut buf);
        buf.freeze()
    }

    /// Reads a message.
    ///
    /// # Errors
    /// If it is malformed, or asks for what no lane can hold.
    pub fn decode(message: IoBuf, genesis: &Genesis) -> Result<Self, Refusal> {
        let mut buf = Bytes::from(message);
        let reference = Reference::read(&mut buf)?;
        let height = Option::<u64>::read_cfg(&mut buf, &())?;
        if !buf.is_empty() {
            return Err(Refusal::Malformed(format!("{} trailing bytes", buf.len())));
        }
        check(&reference, genesis)?;
        Ok(Self { reference, height })
    }
}

impl<P: PublicKey> Parcel<P> {
    /// The message: a prefix, and the body behind it as it is.
    pub fn encode(self) -> IoBufs {
        let (kind, body) = match self.answer {
            Answer::Body(body) => (if self.pushed { PUSHED } else { BODY }, Some(body)),
            Answer::Absent(Absence::Unknown) => (UNKNOWN, None),
            Answer::Absent(Absence::Expired) => (EXPIRED, None),
            Answer::Absent(Absence::Pruned) => (PRUNED, None),
            Answer::Busy => (BUSY, None),
        };
        let mut prefix = BytesMut::with_capacity(1 + Reference::<P>::SIZE);
        kind.write(&mut prefix);
        self.reference.write(&mut prefix);
        let mut message = IoBufs::from(prefix.freeze());
        if let Some(body) = body {
            message.append(IoBuf::from(body));
        }
        message
    }

    /// Reads a message. The body is a view of it, unchecked.
    ///
    /// # Errors
    /// If it is malformed, longer than a body may be, or about what no lane can hold.
    pub fn decode(message: IoBuf, genesis: &Genesis) -> Result<Self, Refusal> {
        let mut buf = Bytes::from(message);
        let kind = u8::read(&mut buf)?;
        let reference = Reference::read(&mut buf)?;
        let (answer, pushed) = match kind {
            PUSHED | BODY => {
                if buf.len() > genesis.chunk_bytes_max as usize {
                    return Err(Refusal::Malformed(format!(
                        "a body of {} bytes, at most {} are allowed",
                        buf.len(),
                        genesis.chunk_bytes_max
                    )));
                }
                (Answer::Body(std::mem::take(&mut buf)), kind == PUSHED)
            }
            UNKNOWN => (Answer::Absent(Absence::Unknown), false),
            EXPIRED => (Answer::Absent(Absence::Expired), false),
            PRUNED => (Answer::Absent(Absence::Pruned), false),
            BUSY => (Answer::Busy, false),
            other => {
                return Err(Refusal::Malformed(format!(
                    "kind is {other}, it must be at most {BUSY}"
                )));
            }
        };
        if !buf.is_empty() {
            return Err(Refusal::Malformed(format!("{} trailing bytes", buf.len())));
        }
        check(&reference, genesis)?;
        Ok(Self {
            reference,
            answer,
            pushed,
        })
    }
}
