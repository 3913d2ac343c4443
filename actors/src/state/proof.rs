//! Proofs about single keys, for clients that know a finalized root and nothing else.

use super::{
    key::{self, Key},
    store::{CHUNK_SIZE, Family},
    view::VALUE_BYTES_MAX,
};
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error, RangeCfg, Read, ReadExt as _, Write};
use commonware_cryptography::Sha256;
use commonware_storage::qmdb::{
    any::value::VariableEncoding,
    current::ordered::proof::constant::{ExclusionProof, KeyValueProof},
};
use drystone_engine::types::Digest;

/// Digests in one proof: a path and the peaks of a log of up to 2^64 operations.
const DIGESTS_MAX: usize = 256;

type Values = VariableEncoding<Bytes>;

/// That a key of the application's has a value, or none, in the state that a root stands for.
///
/// Verifying takes no database:
///
/// ```
/// # use drystone_actors::state::Proof;
/// # use drystone_engine::types::Digest;
/// fn balance_is_known(proof: &Proof, name: &[u8], balance: &[u8], finalized_root: &Digest) -> bool {
///     proof.verify(name, Some(balance), finalized_root)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It has a value.
    Present(KeyValueProof<Family, Key, Digest, CHUNK_SIZE>),
    /// It has none.
    Absent(ExclusionProof<Family, Key, Values, Digest, CHUNK_SIZE>),
}

impl Proof {
    /// Whether this proves that the key has the value, or with `None` that it has none, in the state under the root.
    pub fn verify(&self, name: &[u8], value: Option<&[u8]>, root: &Digest) -> bool {
        let key = key::application(name);
        match (self, value) {
            (Self::Present(proof), Some(value)) => {
                proof.verify::<Sha256, Values>(key, Bytes::copy_from_slice(value), root)
            }
            (Self::Absent(proof), None) => proof.verify::<Sha256>(&key, root),
            _ => false,
        }
    }
}

const PRESENT: u8 = 0;
const ABSENT: u8 = 1;

impl Write for Proof {
    fn write(&self, buf: &mut impl BufMut) {
        match self {
            Self::Present(proof) => {
                PRESENT.write(buf);
                proof.write(buf);
            }
            Self::Absent(proof) => {
                ABSENT.write(buf);
                proof.write(buf);
            }
        }
    }
}

impl EncodeSize for Proof {
    fn encode_size(&self) -> usize {
        1 + match self {
            Self::Present(proof) => proof.encode_size(),
            Self::Absent(proof) => proof.encode_size(),
        }
    }
}

impl Read for Proof {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let value: RangeCfg<usize> = (..=VALUE_BYTES_MAX).into();
        match u8::read(buf)? {
            PRESENT => Ok(Self::Present(KeyValueProof::read_cfg(
                buf,
                &(DIGESTS_MAX, ()),
            )?)),
            ABSENT => Ok(Self::Absent(ExclusionProof::read_cfg(
                buf,
                &(DIGESTS_MAX, ((), value), value),
            )?)),
            other => Err(Error::InvalidEnum(other)),
        }
    }
}
