//! What peers see of the mempool: one channel, four messages, their limits.
//!
//! | tag | message | meaning |
//! |---|---|---|
//! | 0 | [`Message::Announce`] | "I have fetched and checked these" |
//! | 1 | [`Message::Get`] | "send me these of them"; what is not asked for is had |
//! | 2 | [`Message::Contents`] | the bytes, in the order asked |
//! | 3 | [`Message::Missing`] | "not here": executed, expired or never held |
//!
//! Nobody answers an announcement of which he has everything: silence is "have it". A request has a number
//! which its answers repeat, so that an answer that comes late is told from a lie. Ids keep the order of
//! arrival, in which the transactions of one account may depend on each other.
//!
//! Counts and lengths are checked against the limits before anything is allocated. Contents are views of the
//! message: copy what is kept, or it pins the whole message.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use commonware_codec::{
    EncodeSize as _, Error, FixedSize as _, ReadExt as _, Write as _, varint::UInt,
};
use drystone_engine::types::Digest;

/// What a message has beside its ids or contents: tag, request, count; and the length of one transaction.
pub const OVERHEAD_MAX: usize = 1 + 8 + 2 + 5;

/// The largest messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Ids in one message.
    pub ids_max: usize,
    /// The largest transaction.
    pub transaction_bytes_max: usize,
    /// The largest message that carries transactions.
    pub message_bytes_max: usize,
}

impl Limits {
    /// The largest message of the channel.
    pub fn message_size_max(&self) -> usize {
        let ids = OVERHEAD_MAX + self.ids_max * Digest::SIZE;
        ids.max(self.message_bytes_max)
    }

    /// Splits contents so that each part fits a message.
    pub fn split(&self, contents: Vec<Bytes>) -> Vec<Vec<Bytes>> {
        let mut parts: Vec<Vec<Bytes>> = Vec::new();
        let mut room = 0;
        for content in contents {
            let size = content_size(&content);
            let full = parts.last().is_none_or(|part| part.len() == self.ids_max);
            if full || size > room {
                parts.push(Vec::new());
                room = self.message_bytes_max.saturating_sub(OVERHEAD_MAX);
            }
            room = room.saturating_sub(size);
            parts.last_mut().expect("just pushed").push(content);
        }
        parts
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Ids of transactions that the sender has.
    Announce(Vec<Digest>),
    /// Ids of transactions that the sender wants.
    Get {
        /// What the answers repeat.
        request: u64,
        /// Which.
        ids: Vec<Digest>,
    },
    /// Transactions that were asked for.
    Contents {
        /// The request answered, or a part of it.
        request: u64,
        /// Their bytes.
        contents: Vec<Bytes>,
    },
    /// Ids that were asked for and are not here.
    Missing {
        /// The request answered, or a part of it.
        request: u64,
        /// Which.
        ids: Vec<Digest>,
    },
}

fn content_size(content: &[u8]) -> usize {
    // Longer than a length can say is longer than any limit.
    UInt(u32::try_from(content.len()).unwrap_or(u32::MAX)).encode_size() + content.len()
}

impl Message {
    /// Encodes within the limits that the sender kept to.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::new();
        match self {
            Self::Announce(ids) => {
                buf.put_u8(0);
                write_ids(ids, &mut buf);
            }
            Self::Get { request, ids } => {
                buf.put_u8(1);
                buf.put_u64(*request);
                write_ids(ids, &mut buf);
            }
            Self::Contents { request, contents } => {
                let size: usize = contents.iter().map(|it| content_size(it)).sum();
                buf.reserve(OVERHEAD_MAX + size);
                buf.put_u8(2);
                buf.put_u64(*request);
                write_count(contents.len(), &mut buf);
                for content in contents {
                    UInt(u32::try_from(content.len()).expect("within a limit")).write(&mut buf);
                    buf.extend_from_slice(content);
                }
            }
            Self::Missing { request, ids } => {
                buf.put_u8(3);
                buf.put_u64(*request);
                write_ids(ids, &mut buf);
            }
        }
        buf.freeze()
    }

    /// Decodes what a peer sent.
    ///
    /// # Errors
    /// If the bytes are not a message in its only form, or it is beyond a limit.
    pub fn decode(mut buf: Bytes, limits: &Limits) -> Result<Self, Error> {
        let message = match u8::read(&mut buf)? {
            0 => Self::Announce(read_ids(&mut buf, limits)?),
            1 => Self::Get {
                request: u64::read(&mut buf)?,
                ids: read_ids(&mut buf, limits)?,
            },
            2 => Self::Contents {
                request: u64::read(&mut buf)?,
                contents: read_contents(&mut buf, limits)?,
            },
            3 => Self::Missing {
                request: u64::read(&mut buf)?,
                ids: read_ids(&mut buf, limits)?,
            },
            tag => return Err(Error::InvalidEnum(tag)),
        };
        if buf.has_remaining() {
            return Err(Error::ExtraData(buf.remaining()));
        }
        Ok(message)
    }
}

fn write_count(count: usize, buf: &mut BytesMut) {
    buf.put_u16(u16::try_from(count).expect("the sender splits what it sends"));
}

fn write_ids(ids: &[Digest], buf: &mut BytesMut) {
    buf.reserve(2 + ids.len() * Digest::SIZE);
    write_count(ids.len(), buf);
    for id in ids {
        id.write(buf);
    }
}

/// A count of at least one: an empty message says nothing.
fn read_count(buf: &mut Bytes, limits: &Limits, size_min: usize) -> Result<usize, Error> {
    let count = usize::from(u16::read(buf)?);
    if count == 0 || count > limits.ids_max {
        return Err(Error::InvalidLength(count));
    }
    if buf.remaining() < count * size_min {
        return Err(Error::EndOfBuffer);
    }
    Ok(count)
}

fn read_ids(buf: &mut Bytes, limits: &Limits) -> Result<Vec<Digest>, Error> {
    let count = read_count(buf, limits, Digest::SIZE)?;
    (0..count).map(|_| Digest::read(buf)).collect()
}

fn read_contents(buf: &mut Bytes, limits: &Limits) -> Result<Vec<Bytes>, Error> {
    let count = read_count(buf, limits, 2)?;
    let mut contents = Vec::with_capacity(count);
    for _ in 0..count {
        let length = u32::from(UInt::<u32>::read(buf)?) as usize;
        if length == 0 || length > limits.transaction_bytes_max {
            return Err(Error::InvalidLength(length));
        }
        if buf.remaining() < length {
            return Err(Error::EndOfBuffer);
        }
        contents.push(buf.split_to(length));
    }
    Ok(contents)
}
