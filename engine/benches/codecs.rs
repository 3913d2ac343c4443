//! Encoding and decoding what travels and what is journaled: `cargo bench -p drystone-engine --bench codecs`.
//!
//! Decoding an envelope hashes its headers and decodes no signature of the certificate: those are checked later.

#[expect(
    dead_code,
    reason = "each bench takes what it needs of the kit they share"
)]
mod kit;

use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement,
};
use drystone_engine::{
    scheme::fixture::{Ed25519, Fixture, Multisig},
    types::Signed,
    wire::{Acks, Envelope},
};
use kit::{Nouns, World, envelope};
use std::hint::black_box;

/// Validators: a certificate holds 17 signatures, or one and a bitmap.
const VALIDATORS: u32 = 25;
/// A whole window of a lane.
const RUN: u64 = 32;

type Group<'a> = BenchmarkGroup<'a, measurement::WallTime>;

/// Two lines: there and back.
fn both<D>(
    group: &mut Group<'_>,
    name: &str,
    encode: impl Fn() -> Bytes,
    decode: impl Fn(Bytes) -> D,
) {
    let bytes = encode();
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(format!("encode {name}"), |bencher| bencher.iter(&encode));
    group.bench_function(format!("decode {name}"), |bencher| {
        bencher.iter(|| decode(black_box(bytes.clone())));
    });
}

fn scheme<F: Fixture>(criterion: &mut Criterion, name: &str) {
    let world = World::<F>::new(VALIDATORS);
    let (committee, epochs) = (world.committee(1), world.epochs(1));
    let headers = world.headers(0, world.root(0), 1, RUN);
    let tips: Vec<_> = headers.iter().map(|it| it.tip()).collect();
    let certificate = world.certificate(0, tips[0]);
    let mut group = criterion.benchmark_group(format!("codecs {name} n={VALIDATORS}"));

    let header = &headers[0];
    both(
        &mut group,
        "a header as journaled",
        || header.encode(),
        |bytes| Signed::<Nouns<F>>::decode(bytes).expect("just encoded"),
    );
    for count in [1, RUN as usize] {
        let envelope = envelope(&headers[..count], Some(certificate.clone()));
        both(
            &mut group,
            &format!("an envelope of {count} headers and a certificate"),
            || envelope.encode(&committee),
            |bytes| Envelope::decode(bytes, &epochs).expect("just encoded"),
        );
        let acks = world.acks(1, 0, &tips[..count]);
        both(
            &mut group,
            &format!("a message of {count} acks"),
            || acks.encode(),
            |bytes| Acks::decode(bytes, &world.names[1], &epochs).expect("just encoded"),
        );
    }
    group.finish();
}

fn codecs(criterion: &mut Criterion) {
    scheme::<Ed25519>(criterion, "ed25519");
    scheme::<Multisig>(criterion, "multisig");
}

criterion_group!(benches, codecs);
criterion_main!(benches);
