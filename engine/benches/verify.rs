//! Checking signatures: headers one by one, certificates of several lanes together, a quorum of acks as it becomes a
//! certificate. `cargo bench -p drystone-engine --bench verify`; a minute, most of it BLS.

#[expect(
    dead_code,
    reason = "each bench takes what it needs of the kit they share"
)]
mod kit;

use commonware_cryptography::certificate::{Scheme as _, Verifier as _};
use commonware_parallel::Sequential;
use commonware_utils::TestRng;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use drystone_engine::{
    scheme::fixture::{Ed25519, Fixture, Multisig},
    types::Digest,
};
use kit::{EPOCH, World};
use std::{hint::black_box, time::Duration};

const VALIDATORS: u32 = 25;
/// Lanes whose certificates are checked together.
const LANES: [usize; 3] = [1, 8, 25];

fn scheme<F: Fixture>(criterion: &mut Criterion, name: &str) {
    let world = World::<F>::new(VALIDATORS);
    let committee = world.committee(1);
    let mut group = criterion.benchmark_group(format!("verify {name} n={VALIDATORS}"));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));

    let header = world.headers(0, world.root(0), 1, 1).remove(0);
    let namespace = world.genesis.header_namespace();
    group.bench_function("a header", |bencher| {
        bencher.iter(|| assert!(black_box(&header).verify(&namespace)));
    });

    let (tip, lane) = (header.tip(), &world.names[0]);
    let subject = tip.subject(EPOCH, lane);
    group.bench_function("a quorum of acks into a certificate", |bencher| {
        bencher.iter_batched(
            || world.attestations(0, tip),
            |quorum| {
                let proof = committee.scheme().optimistic_assemble::<_, Digest, _, _>(
                    &mut TestRng::new(0),
                    subject,
                    quorum,
                    std::iter::empty(),
                    &Sequential,
                );
                assert!(proof.is_ok());
            },
            BatchSize::SmallInput,
        );
    });

    let certificates: Vec<_> = (0..VALIDATORS as usize)
        .map(|lane| world.certificate(lane, world.headers(lane, world.root(lane), 1, 1)[0].tip()))
        .collect();
    for lanes in LANES {
        let batch = certificates.iter().take(lanes);
        let batch: Vec<_> = batch.map(|it| (it.subject(), &it.proof)).collect();
        group.throughput(Throughput::Elements(lanes as u64));
        group.bench_function(
            format!("certificates of {lanes} lanes together"),
            |bencher| {
                bencher.iter(|| {
                    let valid = committee.scheme().verify_certificates_bisect::<_, Digest>(
                        &mut TestRng::new(0),
                        black_box(&batch),
                        &Sequential,
                    );
                    assert!(valid.iter().all(|it| *it));
                });
            },
        );
    }
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    scheme::<Ed25519>(criterion, "ed25519");
    scheme::<Multisig>(criterion, "multisig");
}

criterion_group!(benches, verify);
criterion_main!(benches);
