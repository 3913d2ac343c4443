//! One target a decoder: it never panics, allocates in proportion to what arrived, and accepts one encoding only.

pub mod actors;
pub mod block;
pub mod engine;

use crate::heap::allocated;
use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode, Read};

/// What decoding may allocate whatever arrives: error texts, tables of a curve.
const ALLOCATED_BASE: u64 = 1 << 16;
/// And for each byte that arrived: counters, digests and points are larger than their encodings, and a growing vector
/// is allocated about twice.
const ALLOCATED_PER_BYTE: u64 = 64;

fn decode<R>(data: &[u8], decode: impl FnOnce(Bytes) -> R) -> R {
    let bytes = Bytes::copy_from_slice(data);
    let (result, spent) = allocated(|| decode(bytes));
    let allowed = ALLOCATED_BASE + ALLOCATED_PER_BYTE * data.len() as u64;
    assert!(
        spent <= allowed,
        "{spent} bytes allocated for {} that arrived",
        data.len()
    );
    result
}

fn same(data: &[u8], encoded: &[u8]) {
    assert!(
        data == encoded,
        "accepted {data:02x?}, which encodes as {encoded:02x?}"
    );
}

fn plain<V: Read<Cfg = ()> + Encode>(data: &[u8]) {
    if let Ok(it) = decode(data, V::decode) {
        same(data, &it.encode());
    }
}
