//! What an account is.

use bytes::BufMut;
use commonware_codec::{Buf, Error, FixedSize, Read, ReadExt as _, Write};

/// Names an account: the bytes of the public key that may spend from it.
pub type Address = [u8; 32];

/// An account, as it lies in the state under its address. One that is not there has nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What it has.
    pub balance: u64,
    /// The nonce of its next numbered transfer.
    pub nonce: u64,
}

impl Write for Account {
    fn write(&self, buf: &mut impl BufMut) {
        self.balance.write(buf);
        self.nonce.write(buf);
    }
}

impl FixedSize for Account {
    const SIZE: usize = 8 + 8;
}

impl Read for Account {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            balance: u64::read(buf)?,
            nonce: u64::read(buf)?,
        })
    }
}
