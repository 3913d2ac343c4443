//! How far the state has come.

use bytes::BufMut;
use commonware_codec::{Buf, Error, FixedSize, Read, ReadExt as _, Write};
use drystone_engine::types::Digest;

/// The block whose execution made the state: the metadata of its commit. Height 0 is the genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: u64,
    /// Its digest. Of height 0 that of the genesis's parameters: the genesis block itself names the root of this state.
    pub digest: Digest,
    /// Its time.
    pub time_ms: u64,
}

impl Write for Head {
    fn write(&self, buf: &mut impl BufMut) {
        self.height.write(buf);
        self.digest.write(buf);
        self.time_ms.write(buf);
    }
}

impl FixedSize for Head {
    const SIZE: usize = 8 + Digest::SIZE + 8;
}

impl Read for Head {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            height: u64::read(buf)?,
            digest: Digest::read(buf)?,
            time_ms: u64::read(buf)?,
        })
    }
}
