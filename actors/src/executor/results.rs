//! What became of the transactions of a block.

use crate::transaction::Invalid;
use bytes::BufMut;
use commonware_codec::{Buf, Encode as _, EncodeSize, Error, Read, ReadExt as _, Write};
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_engine::types::Digest;

/// Bytes of a reason that are kept.
const REASON_BYTES_MAX: usize = 128;

/// What became of one transaction. Only the first is ever final: any other copy may come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was executed.
    Executed,
    /// It had been executed before, in this block or another.
    Duplicate,
    /// The block's time is not within its validity.
    Untimely,
    /// The application refused it.
    Invalid(Invalid),
}

/// A transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub id: Digest,
    /// When it expires.
    pub expiry_ms: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of the transactions of a block, in the order of their execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// The digest of the results of the block before: the digests are a chain, so that the newest, which the state
    /// certifies, proves all before.
    pub previous: Digest,
    /// The block's height.
    pub height: u64,
    /// The block's digest.
    pub block: Digest,
    /// The block's time.
    pub time_ms: u64,
    /// One for each transaction.
    pub entries: Vec<Entry>,
}

impl Results {
    /// The digest that the chain of results begins with.
    pub fn root(genesis: &Digest) -> Digest {
        Sha256::hash(&[b"drystone results", genesis.as_ref()])
    }

    /// The digest that lies in the state.
    pub fn digest(&self) -> Digest {
        Sha256::hash(&[&self.encode()])
    }

    /// The ids and expiries of what was executed.
    pub fn executed(&self) -> impl Iterator<Item = (Digest, u64)> + '_ {
        let executed = |it: &&Entry| it.fate == Fate::Executed;
        let entries = self.entries.iter().filter(executed);
        entries.map(|it| (it.id, it.expiry_ms))
    }
}

impl Fate {
    /// A reason is as long as an application likes: what is kept of it is bounded.
    pub fn invalid(reason: Invalid) -> Self {
        if reason.0.len() <= REASON_BYTES_MAX {
            return Self::Invalid(reason);
        }
        let end = reason.0.floor_char_boundary(REASON_BYTES_MAX);
        Self::Invalid(Invalid(reason.0[..end].to_owned().into()))
    }
}

const EXECUTED: u8 = 0;
const DUPLICATE: u8 = 1;
const UNTIMELY: u8 = 2;
const INVALID: u8 = 3;

impl Write for Entry {
    fn write(&self, buf: &mut impl BufMut) {
        self.id.write(buf);
        self.expiry_ms.write(buf);
        match &self.fate {
            Fate::Executed => EXECUTED.write(buf),
            Fate::Duplicate => DUPLICATE.write(buf),
            Fate::Untimely => UNTIMELY.write(buf),
            Fate::Invalid(reason) => {
                INVALID.write(buf);
                reason.0.as_bytes().write(buf);
            }
        }
    }
}

impl EncodeSize for Entry {
    fn encode_size(&self) -> usize {
        let reason = match &self.fate {
            Fate::Invalid(reason) => reason.0.as_bytes().encode_size(),
            _ => 0,
        };
        self.id.encode_size() + 8 + 1 + reason
    }
}

impl Read for Entry {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let (id, expiry_ms) = (Digest::read(buf)?, u64::read(buf)?);
        let fate = match u8::read(buf)? {
            EXECUTED => Fate::Executed,
            DUPLICATE => Fate::Duplicate,
            UNTIMELY => Fate::Untimely,
            INVALID => {
                let reason = Vec::<u8>::read_cfg(buf, &((..=REASON_BYTES_MAX).into(), ()))?;
                let reason = String::from_utf8(reason)
                    .map_err(|_| Error::Invalid("Entry", "the reason is not text"))?;
                Fate::Invalid(Invalid(reason.into()))
            }
            other => return Err(Error::InvalidEnum(other)),
        };
        Ok(Self {
            id,
            expiry_ms,
            fate,
        })
    }
}

impl Write for Results {
    fn write(&self, buf: &mut impl BufMut) {
        self.previous.write(buf);
        self.height.write(buf);
        self.block.write(buf);
        self.time_ms.write(buf);
        self.entries.write(buf);
    }
}

impl EncodeSize for Results {
    fn encode_size(&self) -> usize {
        2 * self.previous.encode_size() + 8 + 8 + self.entries.encode_size()
    }
}

impl Read for Results {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            previous: Digest::read(buf)?,
            height: u64::read(buf)?,
            block: Digest::read(buf)?,
            time_ms: u64::read(buf)?,
            entries: Vec::read_cfg(buf, &((..).into(), ()))?,
        })
    }
}
