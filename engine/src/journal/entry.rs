//! One entry of the log on disk: a numbered header, then the record.
//!
//! Entries are numbered in append order; a copy made by a roll keeps its number. Each header also says up to which
//! number everything was durable when it was written. So whatever is left of a damaged log bears witness to what was
//! lost: a torn tail loses only entries that no header calls durable. Numbers start at a secret random place, because
//! the witness is searched for byte by byte, and a peer's bytes inside a record must not be able to imitate a header.

use super::Record;
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt as _, Write};
use std::collections::BTreeSet;

/// The numbers in front of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// This entry's number.
    pub number: u64,
    /// Every entry up to this number was durable when this one was written; 0 if none was yet.
    pub durable: u64,
}

impl Header {
    /// Two multiplications by odd constants (of the golden ratio and of the square root of 2).
    const fn check(&self) -> u32 {
        let mixed = self
            .number
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(31)
            ^ self.durable;
        (mixed.wrapping_mul(0x6a09_e667_f3bc_c909) >> 32) as u32 ^ 0x5bd1_e995
    }
}

impl Write for Header {
    fn write(&self, buf: &mut impl BufMut) {
        self.number.write(buf);
        self.durable.write(buf);
        self.check().write(buf);
    }
}

impl FixedSize for Header {
    const SIZE: usize = 2 * u64::SIZE + u32::SIZE;
}

impl Read for Header {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let header = Self {
            number: u64::read(buf)?,
            durable: u64::read(buf)?,
        };
        if u32::read(buf)? != header.check() {
            return Err(Error::Invalid(
                "journal::Header",
                "the check does not match the numbers",
            ));
        }
        Ok(header)
    }
}

/// Adds to `witnesses` what the headers in `bytes` call durable, wherever they lie and whatever is around them.
pub(super) fn search(bytes: &[u8], witnesses: &mut BTreeSet<u64>) {
    for window in bytes.windows(Header::SIZE) {
        let word = |at: usize| u64::from_be_bytes(*window[at..].first_chunk().expect("in bounds"));
        let header = Header {
            number: word(0),
            durable: word(8),
        };
        if window[16..] == header.check().to_be_bytes() {
            witnesses.insert(header.durable);
        }
    }
}

/// What the log holds.
#[derive(Clone, Debug)]
pub(super) struct Entry<R> {
    /// The numbers.
    pub header: Header,
    /// The record; `None` ends the copies of a roll.
    pub record: Option<R>,
}

impl<R: Record> Write for Entry<R> {
    fn write(&self, buf: &mut impl BufMut) {
        self.header.write(buf);
        self.record.write(buf);
    }
}

impl<R: Record> EncodeSize for Entry<R> {
    fn encode_size(&self) -> usize {
        Header::SIZE + self.record.encode_size()
    }
}

impl<R: Record> Read for Entry<R> {
    type Cfg = R::Cfg;

    fn read_cfg(buf: &mut impl Buf, config: &R::Cfg) -> Result<Self, Error> {
        Ok(Self {
            header: Header::read(buf)?,
            record: Option::read_cfg(buf, config)?,
        })
    }
}
