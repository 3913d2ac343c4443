//! The body of a chunk: transactions of one producer, as they travel and lie on the disk.
//!
//! ```text
//!   count: u32 big-endian | length: varint, bytes | length: varint, bytes | ...
//! ```
//!
//! A list of transactions has one encoding, an encoding one list. Neither an empty list nor an empty
//! transaction has one, so that a count is bounded by the bytes that follow it. Decoding copies nothing:
//! the transactions are views of the body, and the body is one allocation for as long as any of them lives.

#[cfg(test)]
mod tests;

use crate::transaction::Facts;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use commonware_codec::{EncodeSize as _, ReadExt as _, Write as _, varint::UInt};
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_engine::types::{Digest, Genesis, Payload};
use std::sync::Arc;
use thiserror::Error;

/// Bytes of the count in front.
const COUNT_SIZE: usize = 4;
/// The shortest transaction takes a byte of length and a byte of its own.
const TRANSACTION_SIZE_MIN: usize = 2;

/// What one chunk may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body.
    pub bytes_max: u32,
    /// Most transactions in it.
    pub items_max: u32,
}

impl From<&Genesis> for Limits {
    fn from(genesis: &Genesis) -> Self {
        Self {
            bytes_max: genesis.chunk_bytes_max,
            items_max: genesis.chunk_items_max,
        }
    }
}

impl Limits {
    /// Whether a transaction fits a chunk by itself.
    pub fn fit(&self, transaction: &[u8]) -> bool {
        let mut size = Size::default();
        !transaction.is_empty() && size.add(transaction, self)
    }
}

/// How large a body would be: for whoever packs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the body.
    pub bytes: usize,
    /// Transactions in it.
    pub items: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            bytes: COUNT_SIZE,
            items: 0,
        }
    }
}

impl Size {
    /// Adds a transaction if the body stays within the limits, and says whether it did.
    pub fn add(&mut self, transaction: &[u8], limits: &Limits) -> bool {
        let bytes = self.bytes.saturating_add(encoded_size(transaction));
        let fits = bytes <= limits.bytes_max as usize && self.items < limits.items_max as usize;
        if fits {
            self.bytes = bytes;
            self.items += 1;
        }
        fits
    }
}

/// Bytes that a transaction takes in a body.
fn encoded_size(transaction: &[u8]) -> usize {
    // Longer than a length can say is longer than any limit.
    let length = u32::try_from(transaction.len()).unwrap_or(u32::MAX);
    UInt(length).encode_size() + transaction.len()
}

/// Why bytes are not the body of a chunk, or transactions cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// No transaction.
    #[error("the chunk is empty: it must hold at least 1 transaction")]
    Empty,
    /// A transaction without bytes.
    #[error("transaction {0} is empty: it must have at least 1 byte")]
    EmptyTransaction(usize),
    /// Over the limit of bytes.
    #[error("the body has {bytes} bytes: at most {max} are allowed")]
    TooManyBytes {
        /// Bytes there are.
        bytes: usize,
        /// Bytes allowed.
        max: u32,
    },
    /// Over the limit of transactions.
    #[error("the body holds {items} transactions: at most {max} are allowed")]
    TooManyItems {
        /// Transactions there are, or are claimed.
        items: usize,
        /// Transactions allowed.
        max: u32,
    },
    /// The bytes end before what they claim.
    #[error("the body ends early, in transaction {0}")]
    Truncated(usize),
    /// A length that is not written in its only form.
    #[error("the length of transaction {0} is not canonical")]
    NotCanonical(usize),
    /// Bytes after the last transaction.
    #[error("{0} trailing bytes")]
    Trailing(usize),
    /// Not the body asked for.
    #[error("the body's digest is {found}, the header's is {expected}")]
    OtherDigest {
        /// What the header says.
        expected: Digest,
        /// What the body has.
        found: Digest,
    },
    /// The header misstates its body.
    #[error("the header says {claimed:?}, the body is {found:?}")]
    OtherPayload {
        /// What the header says.
        claimed: Payload,
        /// What the body is.
        found: Payload,
    },
}

impl Error {
    /// Whether the fault is that of whoever sent the body, and not of the sequencer whose header names it:
    /// nobody can make another body for a digest, so any other fault is in the chunk for ever.
    pub const fn is_senders(&self) -> bool {
        matches!(self, Self::OtherDigest { .. })
    }
}

/// A chunk whose form is right. A copy shares everything with it.
#[derive(Clone, Debug)]
pub struct Chunk {
    body: Bytes,
    transactions: Arc<[Bytes]>,
    payload: Payload,
    facts: Option<Arc<[Facts]>>,
}

/// A body has one reading: whether somebody has read it makes no other chunk of it.
impl PartialEq for Chunk {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl Eq for Chunk {}

impl Chunk {
    /// Packs transactions.
    ///
    /// # Errors
    /// If they are none, one of them is empty, or they are over a limit.
    pub fn pack<'a, I>(transactions: I, limits: &Limits) -> Result<Self, Error>
    where
        I: IntoIterator<Item = &'a Bytes, IntoIter: Clone>,
    {
        let transactions = transactions.into_iter();
        let items = transactions.clone().count();
        check_items(items, limits)?;
        let bytes = transactions.clone().map(|it| encoded_size(it)).sum();
        let bytes = COUNT_SIZE.saturating_add(bytes);
        check_bytes(bytes, limits)?;
        let mut body = BytesMut::with_capacity(bytes);
        body.put_u32(items as u32);
        for (index, transaction) in transactions.enumerate() {
            if transaction.is_empty() {
                return Err(Error::EmptyTransaction(index));
            }
            UInt(transaction.len() as u32).write(&mut body);
            body.extend_from_slice(transaction);
        }
        Self::decode(body.freeze(), limits)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// If it is malformed, not in its only form, empty, or over a limit.
    pub fn decode(body: Bytes, limits: &Limits) -> Result<Self, Error> {
        let transactions = parse(&body, limits)?;
        let digest = Sha256::hash(&[&body]);
        Ok(Self::new(body, digest, transactions))
    }

    /// Reads the body that a header names.
    ///
    /// # Errors
    /// [`Error::OtherDigest`] if it is another body; else what is wrong with the chunk.
    pub fn open(body: Bytes, claimed: &Payload, limits: &Limits) -> Result<Self, Error> {
        let found = Sha256::hash(&[&body]);
        if found != claimed.digest {
            return Err(Error::OtherDigest {
                expected: claimed.digest,
                found,
            });
        }
        let transactions = parse(&body, limits)?;
        let chunk = Self::new(body, found, transactions);
        if chunk.payload != *claimed {
            return Err(Error::OtherPayload {
                claimed: *claimed,
                found: chunk.payload,
            });
        }
        Ok(chunk)
    }

    /// The casts are exact: what was parsed is within limits that are 32 bits wide.
    fn new(body: Bytes, digest: Digest, transactions: Vec<Bytes>) -> Self {
        let payload = Payload {
            digest,
            bytes: body.len() as u32,
            items: transactions.len() as u32,
        };
        Self {
            body,
            transactions: transactions.into(),
            payload,
            facts: None,
        }
    }

    /// The same chunk, with what the application reads off each of its transactions: whoever gets the chunk need not ask it
    /// again.
    ///
    /// # Panics
    /// If they are not one for each transaction.
    pub fn with_facts(mut self, facts: Arc<[Facts]>) -> Self {
        assert_eq!(
            facts.len(),
            self.transactions.len(),
            "every transaction is read, or none"
        );
        self.facts = Some(facts);
        self
    }

    /// What the header says of this chunk.
    pub const fn payload(&self) -> Payload {
        self.payload
    }

    /// The encoded body.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The transactions, as views of the body.
    pub fn transactions(&self) -> &[Bytes] {
        &self.transactions
    }

    /// What the application reads off each transaction, if it was asked.
    pub fn facts(&self) -> Option<&[Facts]> {
        self.facts.as_deref()
    }
}

const fn check_bytes(bytes: usize, limits: &Limits) -> Result<(), Error> {
    if bytes > limits.bytes_max as usize {
        return Err(Error::TooManyBytes {
            bytes,
            max: limits.bytes_max,
        });
    }
    Ok(())
}

const fn check_items(items: usize, limits: &Limits) -> Result<(), Error> {
    if items == 0 {
        return Err(Error::Empty);
    }
    if items > limits.items_max as usize {
        return Err(Error::TooManyItems {
            items,
            max: limits.items_max,
        });
    }
    Ok(())
}

/// Takes a body apart, for whoever does not need its digest. The transactions are views of it.
///
/// # Errors
/// As [`Chunk::decode`].
pub fn parse(body: &Bytes, limits: &Limits) -> Result<Vec<Bytes>, Error> {
    check_bytes(body.len(), limits)?;
    let mut rest = body.clone();
    let items = rest.try_get_u32().map_err(|_| Error::Truncated(0))? as usize;
    check_items(items, limits)?;
    // Nothing is allocated for what cannot be there.
    let possible = rest.len() / TRANSACTION_SIZE_MIN;
    if items > possible {
        return Err(Error::Truncated(possible));
    }
    let mut transactions = Vec::with_capacity(items);
    for index in 0..items {
        let length = UInt::<u32>::read(&mut rest).map_err(|error| match error {
            commonware_codec::Error::EndOfBuffer => Error::Truncated(index),
            _ => Error::NotCanonical(index),
        })?;
        let length = u32::from(length) as usize;
        if length == 0 {
            return Err(Error::EmptyTransaction(index));
        }
        if length > rest.len() {
            return Err(Error::Truncated(index));
        }
        transactions.push(rest.split_to(length));
    }
    if !rest.is_empty() {
        return Err(Error::Trailing(rest.len()));
    }
    Ok(transactions)
}
