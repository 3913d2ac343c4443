//! What a client is given.

use crate::command::VALUE_BYTES_MAX;
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt as _, Write};
use drystone_actors::state::{Error as StateError, Proof, Reader};
use drystone_engine::types::Digest;

/// The value of a key, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The block after which the key had the value. A client looks for a finalized block that names this height.
    pub height: u64,
    /// The value, if there is one.
    pub value: Option<Bytes>,
    /// That it is.
    pub proof: Proof,
}

impl Answer {
    /// What a node answers. `None` before the genesis was written.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn of(state: &Reader, key: &[u8]) -> Result<Option<Self>, StateError> {
        let proven = state.prove(key).await?;
        Ok(proven.map(|it| Self {
            height: it.head.height,
            value: it.value,
            proof: it.proof,
        }))
    }

    /// Whether the key has this value, or none, in the state under the root. For a client: neither the node that
    /// answered nor any state is needed.
    pub fn verify(&self, key: &[u8], finalized_root: &Digest) -> bool {
        self.proof
            .verify(key, self.value.as_deref(), finalized_root)
    }
}

impl Write for Answer {
    fn write(&self, buf: &mut impl BufMut) {
        self.height.write(buf);
        self.value.write(buf);
        self.proof.write(buf);
    }
}

impl EncodeSize for Answer {
    fn encode_size(&self) -> usize {
        8 + self.value.encode_size() + self.proof.encode_size()
    }
}

impl Read for Answer {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            height: u64::read(buf)?,
            value: Option::read_cfg(buf, &(..=VALUE_BYTES_MAX).into())?,
            proof: Proof::read(buf)?,
        })
    }
}
