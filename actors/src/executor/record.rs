//! What is kept of an executed block, by its height.

use super::results::Results;
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt as _, Write};
use drystone_engine::types::{Digest, Signed, Types};

/// An executed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<T: Types> {
    /// What became of its transactions.
    pub results: Results,
    /// The root of the state after it.
    pub root: Digest,
    /// The headers it stands for, lane by lane, lowest first; expired ones too.
    pub headers: Vec<Signed<T>>,
}

impl<T: Types> Write for Record<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.results.write(buf);
        self.root.write(buf);
        self.headers.write(buf);
    }
}

impl<T: Types> EncodeSize for Record<T> {
    fn encode_size(&self) -> usize {
        self.results.encode_size() + self.root.encode_size() + self.headers.encode_size()
    }
}

impl<T: Types> Read for Record<T> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            results: Results::read(buf)?,
            root: Digest::read(buf)?,
            headers: Vec::read_cfg(buf, &((..).into(), ()))?,
        })
    }
}
