//! What clients send.

use crate::account::Address;
use bytes::{BufMut, Bytes};
use commonware_codec::{
    Buf, Copying, DecodeExt as _, Encode as _, Error, FixedSize, Read, ReadExt as _, Write,
};
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, Signature},
};

/// The first nonce that is no number. No account comes so far.
pub const UNNUMBERED: u64 = 1 << 63;

/// Moves an amount from one account to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// How much.
    pub amount: u64,
    /// What the payer pays besides.
    pub fee: u64,
    /// How many numbered transfers of the payer were executed before; or, from [`UNNUMBERED`] on, whatever tells it from
    /// other transfers: such a one has no turn. It is executed once all the same, since no transaction is executed twice
    /// before it expires.
    pub nonce: u64,
    /// The last millisecond of chain time at which it may be executed.
    pub expiry_ms: u64,
}

impl Transfer {
    /// Signs it, under the genesis's namespace.
    pub fn sign(self, key: &PrivateKey, namespace: &[u8]) -> Signed {
        let signature = key.sign(namespace, &self.encode());
        Signed {
            transfer: self,
            signature: signature.encode().as_ref().try_into().expect("64 bytes"),
        }
    }

    /// Whether it has a turn among the transfers of its payer.
    pub const fn is_numbered(&self) -> bool {
        self.nonce < UNNUMBERED
    }

    /// What the payer is charged, unless it is too large to be counted.
    pub const fn total(&self) -> Option<u64> {
        self.amount.checked_add(self.fee)
    }
}

/// A transfer with its payer's signature, which nobody has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The transfer.
    pub transfer: Transfer,
    /// The signature's bytes.
    pub signature: [u8; Signature::SIZE],
}

impl Signed {
    /// Reads what travels.
    ///
    /// # Errors
    /// If there are too few or too many bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::decode(Copying(bytes))
    }
}

impl From<Signed> for Bytes {
    fn from(signed: Signed) -> Self {
        signed.encode()
    }
}

impl Write for Transfer {
    fn write(&self, buf: &mut impl BufMut) {
        self.from.write(buf);
        self.to.write(buf);
        self.amount.write(buf);
        self.fee.write(buf);
        self.nonce.write(buf);
        self.expiry_ms.write(buf);
    }
}

impl FixedSize for Transfer {
    const SIZE: usize = 32 + 32 + 8 + 8 + 8 + 8;
}

impl Read for Transfer {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            from: Address::read(buf)?,
            to: Address::read(buf)?,
            amount: u64::read(buf)?,
            fee: u64::read(buf)?,
            nonce: u64::read(buf)?,
            expiry_ms: u64::read(buf)?,
        })
    }
}

impl Write for Signed {
    fn write(&self, buf: &mut impl BufMut) {
        self.transfer.write(buf);
        self.signature.write(buf);
    }
}

impl FixedSize for Signed {
    const SIZE: usize = Transfer::SIZE + Signature::SIZE;
}

impl Read for Signed {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            transfer: Transfer::read(buf)?,
            signature: <[u8; Signature::SIZE]>::read(buf)?,
        })
    }
}
