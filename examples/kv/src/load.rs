//! Puts for `bench`: unsigned, of a chosen size, each to the next of a fixed number of keys.

use crate::command::{Command, Operation};
use bytes::Bytes;
use commonware_codec::EncodeSize as _;
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_actors::cli::{Exit, Failure, Load, LoadOptions, Submission};
use drystone_engine::types::Digest;
use std::time::SystemTime;

/// Keys that are written: what is measured is not how a state grows.
const KEYS: u64 = 1 << 16;

/// See the module.
pub struct Puts {
    value: Bytes,
    made: u64,
    salt: u64,
}

impl Puts {
    pub(crate) fn new(options: &LoadOptions) -> Result<Self, Failure> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let mut puts = Self {
            value: Bytes::new(),
            made: 0,
            // No two runs make the same transaction.
            salt: u64::from(now.subsec_nanos()) << 32 | now.as_secs() & 0xffff_ffff,
        };
        let (overhead, size) = (puts.command(0).encode_size(), options.size);
        if size < overhead {
            let message = format!("a put has at least {overhead} bytes, not {size}");
            return Err(Failure::new(Exit::Usage, message));
        }
        puts.value = vec![b'v'; size - overhead].into();
        // The length of a longer value is longer.
        let beyond = puts.command(0).encode_size() - size;
        puts.value.truncate(puts.value.len() - beyond);
        Ok(puts)
    }

    fn command(&self, expiry_ms: u64) -> Command {
        Command {
            expiry_ms,
            salt: self.salt.wrapping_add(self.made),
            operation: Operation::Put {
                key: Bytes::copy_from_slice(&(self.made % KEYS).to_be_bytes()),
                value: self.value.clone(),
            },
        }
    }
}

impl Load for Puts {
    fn next(&mut self, _: usize, expiry_ms: u64) -> Option<Submission> {
        self.made += 1;
        let bytes = Bytes::from(self.command(expiry_ms));
        let id = Sha256::hash(&[&bytes]);
        Some(Submission { id, bytes })
    }

    fn settled(&mut self, _: &Digest, _: bool) {}
}
