//! What clients send.

use bytes::{BufMut, Bytes};
use commonware_codec::{
    Buf, Copying, DecodeExt as _, Encode as _, EncodeSize, Error, RangeCfg, Read, ReadExt as _,
    Viewing, Write,
};

/// Longest key.
pub const KEY_BYTES_MAX: usize = 256;
/// Longest value.
pub const VALUE_BYTES_MAX: usize = 1 << 16;

/// A transaction of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The last millisecond of chain time at which it may be executed.
    pub expiry_ms: u64,
    /// Tells it from others that are the same.
    pub salt: u64,
    /// What it does.
    pub operation: Operation,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Gives a key a value.
    Put {
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
    },
    /// Takes a key's value away, if it has one.
    Delete {
        /// The key.
        key: Bytes,
    },
    /// Replaces a value that is what is expected, and else does nothing: then the command is skipped.
    Swap {
        /// The key.
        key: Bytes,
        /// The value it must have; none, if it must have none.
        expected: Option<Bytes>,
        /// The value it gets; none, to take it away.
        value: Option<Bytes>,
    },
}

impl Operation {
    /// The key it is about.
    pub const fn key(&self) -> &Bytes {
        match self {
            Self::Put { key, .. } | Self::Delete { key } | Self::Swap { key, .. } => key,
        }
    }
}

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    /// If the bytes are none, or not in their only form.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::decode(Copying(bytes))
    }

    /// Reads a command whose key and value are views of the bytes: for whoever does not keep them.
    ///
    /// # Errors
    /// If the bytes are none, or not in their only form.
    pub fn view(bytes: &Bytes) -> Result<Self, Error> {
        Self::decode(Viewing::new(bytes))
    }
}

impl From<Command> for Bytes {
    fn from(command: Command) -> Self {
        command.encode()
    }
}

const PUT: u8 = 0;
const DELETE: u8 = 1;
const SWAP: u8 = 2;

impl Write for Command {
    fn write(&self, buf: &mut impl BufMut) {
        self.expiry_ms.write(buf);
        self.salt.write(buf);
        match &self.operation {
            Operation::Put { key, value } => {
                PUT.write(buf);
                key.write(buf);
                value.write(buf);
            }
            Operation::Delete { key } => {
                DELETE.write(buf);
                key.write(buf);
            }
            Operation::Swap {
                key,
                expected,
                value,
            } => {
                SWAP.write(buf);
                key.write(buf);
                expected.write(buf);
                value.write(buf);
            }
        }
    }
}

impl EncodeSize for Command {
    fn encode_size(&self) -> usize {
        8 + 8
            + 1
            + match &self.operation {
                Operation::Put { key, value } => key.encode_size() + value.encode_size(),
                Operation::Delete { key } => key.encode_size(),
                Operation::Swap {
                    key,
                    expected,
                    value,
                } => key.encode_size() + expected.encode_size() + value.encode_size(),
            }
    }
}

impl Read for Command {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let keys: RangeCfg<usize> = (1..=KEY_BYTES_MAX).into();
        let values: RangeCfg<usize> = (..=VALUE_BYTES_MAX).into();
        let (expiry_ms, salt) = (u64::read(buf)?, u64::read(buf)?);
        let operation = match u8::read(buf)? {
            PUT => Operation::Put {
                key: Bytes::read_cfg(buf, &keys)?,
                value: Bytes::read_cfg(buf, &values)?,
            },
            DELETE => Operation::Delete {
                key: Bytes::read_cfg(buf, &keys)?,
            },
            SWAP => Operation::Swap {
                key: Bytes::read_cfg(buf, &keys)?,
                expected: Option::read_cfg(buf, &values)?,
                value: Option::read_cfg(buf, &values)?,
            },
            other => return Err(Error::InvalidEnum(other)),
        };
        Ok(Self {
            expiry_ms,
            salt,
            operation,
        })
    }
}
