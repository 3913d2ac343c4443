//! The disk against a model that knows only the storage contract.

mod failures;
mod model;

use super::{
    device::Device,
    state::{Fault, Key, Receipt, State},
};
use crate::host::config::{Crash, DiskConfig, DiskFaults, Rate, Tear};
use commonware_runtime::{BlobVersion, IoBuf};
use model::{BLOBS, Change, Flight, Model};
use proptest::{collection::vec, prelude::*};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const VERSION: BlobVersion = BlobVersion::new(0);

#[derive(Clone, Debug)]
enum Step {
    Write {
        blob: usize,
        offset: usize,
        bytes: Vec<u8>,
        durably: bool,
    },
    Resize {
        blob: usize,
        len: usize,
    },
    Sync {
        blob: usize,
    },
    Advance {
        us: u64,
    },
    Reopen {
        blob: usize,
    },
    Crash(Crash),
}

fn crash() -> impl Strategy<Value = Crash> {
    prop_oneof![
        Just(Crash::Lost),
        Just(Crash::Torn { mode: Tear::Prefix }),
        Just(Crash::Torn { mode: Tear::Subset }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let blob = 0..BLOBS;
    prop_oneof![
        8 => (blob.clone(), 0..48usize, vec(any::<u8>(), 1..16), prop::bool::weighted(0.2))
            .prop_map(|(blob, offset, bytes, durably)| Step::Write { blob, offset, bytes, durably }),
        2 => (blob.clone(), 0..64usize).prop_map(|(blob, len)| Step::Resize { blob, len }),
        3 => blob.clone().prop_map(|blob| Step::Sync { blob }),
        3 => (0..40u64).prop_map(|us| Step::Advance { us }),
        1 => blob.prop_map(|blob| Step::Reopen { blob }),
        1 => crash().prop_map(Step::Crash),
    ]
}

/// The disk and its model, driven by the same steps.
struct Pair {
    state: State,
    model: Model,
    keys: [Key; BLOBS],
    now: SystemTime,
}

fn name(blob: usize) -> [u8; 1] {
    [blob as u8]
}

impl Pair {
    fn new(config: DiskConfig) -> Self {
        let mut state = State::new(Device::new(UNIX_EPOCH, 0, config));
        let keys = [0, 1].map(|blob| open(&mut state, blob).expect("a fresh disk opens").0);
        Self {
            state,
            model: Model::default(),
            keys,
            now: UNIX_EPOCH,
        }
    }

    fn read(&mut self, blob: usize, len: usize) -> Vec<u8> {
        let read = self
            .state
            .read(self.keys[blob], 0, len)
            .expect("the range is visible");
        read.into_owned()
    }

    fn track(&mut self, blob: usize, receipt: Receipt, only_last: bool) {
        let due = receipt.due.unwrap_or(self.now);
        let flight = Flight {
            due,
            blob,
            end: self.model.issued.len(),
            only_last,
        };
        self.model.flights.push(flight);
        if self.model.flights.len() > 6 {
            self.now = self.model.flights[0].due;
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.state.settle(self.now);
        self.model.settle(self.now);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Write {
                blob,
                offset,
                bytes,
                durably,
            } => {
                let buf = IoBuf::from(bytes.clone());
                let at = offset as u64;
                let receipt = self
                    .state
                    .write(self.now, self.keys[blob], at, buf, durably);
                self.model.issue(blob, Change::Write { offset, bytes });
                let receipt = receipt.expect("no write fails here");
                if durably {
                    self.track(blob, receipt, true);
                }
            }
            Step::Resize { blob, len } => {
                let resized = self.state.resize(self.now, self.keys[blob], len as u64);
                resized.expect("no resize fails here");
                self.model.issue(blob, Change::Resize { len });
            }
            Step::Sync { blob } => {
                let receipt = self.state.sync(self.now, self.keys[blob]);
                self.track(blob, receipt.expect("no sync fails here"), false);
            }
            Step::Advance { us } => {
                self.now += Duration::from_micros(us);
                self.settle();
            }
            Step::Reopen { blob } => self.reopen(blob),
            Step::Crash(crash) => self.crash(crash),
        }
        for blob in 0..BLOBS {
            let visible = self.model.visible(blob);
            assert_eq!(
                self.read(blob, visible.len()),
                visible,
                "blob {blob} reads as written"
            );
            let past = self.state.read(self.keys[blob], 0, visible.len() + 1);
            assert_eq!(
                past.err(),
                Some(Fault::Short),
                "blob {blob} ends where it should"
            );
        }
    }

    /// A reopened blob holds what its completed syncs promised and nothing else.
    fn reopen(&mut self, blob: usize) {
        self.state.close(self.keys[blob]);
        let (key, len) = loop {
            match open(&mut self.state, blob) {
                Err(Fault::InFlight(due)) => {
                    assert!(due > self.now, "a sync that is due is not in flight");
                    self.now = due;
                    self.settle();
                }
                opened => break opened.expect("a closed blob opens"),
            }
        };
        self.keys[blob] = key;
        let in_flight = self.model.flights.iter().any(|flight| flight.blob == blob);
        assert!(
            !in_flight,
            "a sync of the handle before may yet report success"
        );
        let promised = self.model.replay(blob, |_, issued| issued.promised);
        assert_eq!(self.read(blob, len), promised);
        self.model.base[blob] = promised;
        // Positions of other blobs' syncs stay valid: a change of this blob becomes one without effect.
        for issued in &mut self.model.issued {
            if issued.blob == blob {
                issued.change = Change::Write {
                    offset: 0,
                    bytes: Vec::new(),
                };
            }
        }
    }

    fn crash(&mut self, crash: Crash) {
        let old = self.keys;
        self.state.crash(self.now, crash);
        for key in old {
            self.state.close(key);
            assert_eq!(self.state.sync(self.now, key), Err(Fault::Dead));
            let write = self
                .state
                .write(self.now, key, 0, IoBuf::from(vec![1]), true);
            assert_eq!(write, Err(Fault::Dead));
        }
        let seen = [0, 1].map(|blob| {
            let (key, len) = open(&mut self.state, blob).expect("power is back");
            self.keys[blob] = key;
            self.read(blob, len)
        });
        for (blob, seen) in seen.iter().enumerate() {
            assert!(
                self.model.explains(blob, seen),
                "blob {blob} is torn beyond the contract"
            );
        }
        let quiet = self.model.flights.is_empty();
        match crash {
            Crash::Lost => assert!(self.model.explains_loss(&seen), "a loss kept something"),
            Crash::Torn { mode: Tear::Prefix } if quiet => {
                assert!(self.model.explains_prefix(&seen), "a prefix has a hole");
            }
            Crash::Torn { .. } => (),
        }
        self.model = Model {
            base: seen,
            ..Model::default()
        };
    }
}

fn open(state: &mut State, blob: usize) -> Result<(Key, usize), Fault> {
    let incarnation = state.incarnation();
    let opened = state.open(incarnation, "p", &name(blob), &(VERSION..=VERSION))?;
    Ok((opened.0, opened.1 as usize))
}

fn latencies() -> impl Strategy<Value = (u64, u64)> {
    prop_oneof![Just((0, 0)), (0..5u64, 0..60u64)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_read_before_or_after_a_crash_is_explained_by_the_contract(
        seed in any::<u64>(),
        (write_us, sync_us) in latencies(),
        steps in vec(step(), 1..60),
        last in crash(),
    ) {
        let mut pair = Pair::new(DiskConfig { seed, write_us, sync_us, ..DiskConfig::default() });
        steps.into_iter().for_each(|step| pair.step(step));
        pair.step(Step::Crash(last));
    }

    #[test]
    fn a_failed_sync_leaves_what_it_covered_kept_lost_or_torn_and_the_rest_alone(
        seed in any::<u64>(),
        writes in vec((0..48usize, vec(any::<u8>(), 1..16)), 1..8),
    ) {
        let faults = DiskFaults { sync: Rate::always(500_000), ..DiskFaults::default() };
        let mut pair = Pair::new(DiskConfig { seed, faults, ..DiskConfig::default() });
        pair.state.write(pair.now, pair.keys[1], 0, IoBuf::from(vec![7; 9]), false).expect("a write");
        for (offset, bytes) in writes {
            let buf = IoBuf::from(bytes.clone());
            pair.state.write(pair.now, pair.keys[0], offset as u64, buf, false).expect("a write");
            pair.model.issue(0, Change::Write { offset, bytes });
            let receipt = pair.state.sync(pair.now, pair.keys[0]).expect("alive");
            if receipt.result.is_ok() {
                for issued in &mut pair.model.issued {
                    issued.promised = true;
                }
            }
            let len = (0..).find(|len| pair.state.read(pair.keys[0], 0, len + 1).is_err());
            let seen = pair.read(0, len.expect("an end"));
            prop_assert!(pair.model.explains(0, &seen));
            pair.model = Model { base: [seen, Vec::new()], ..Model::default() };
        }
        prop_assert_eq!(pair.read(1, 9), vec![7; 9]);
        pair.state.crash(pair.now, Crash::Lost);
        let (key, len) = open(&mut pair.state, 0).expect("power is back");
        pair.keys[0] = key;
        prop_assert_eq!(&pair.read(0, len), &pair.model.base[0], "the outcome is final");
    }
}

/// Runs one write and sync of a new disk per seed and says how each ended.
fn outcomes(of: impl Fn(u64) -> Vec<u8>) -> BTreeSet<Vec<u8>> {
    (0..200).map(of).collect()
}

#[test]
fn every_kind_of_crash_outcome_occurs() {
    let crashed = |seed, sync_us, sync: bool, crash| {
        let mut pair = Pair::new(DiskConfig {
            seed,
            sync_us,
            ..DiskConfig::default()
        });
        let key = pair.keys[0];
        pair.state
            .write(pair.now, key, 0, IoBuf::from(vec![1; 4]), false)
            .expect("a write");
        if sync {
            pair.state.sync(pair.now, key).expect("a sync");
        }
        pair.state.crash(pair.now, crash);
        let (key, len) = open(&mut pair.state, 0).expect("power is back");
        pair.keys[0] = key;
        pair.read(0, len)
    };
    let in_flight = outcomes(|seed| crashed(seed, 10, true, Crash::Lost));
    assert_eq!(in_flight, BTreeSet::from([vec![], vec![1; 4]]));
    let prefix = outcomes(|seed| crashed(seed, 0, false, Crash::Torn { mode: Tear::Prefix }));
    assert_eq!(prefix, (0..=4).map(|len| vec![1; len]).collect());
    let subset = outcomes(|seed| crashed(seed, 0, false, Crash::Torn { mode: Tear::Subset }));
    assert!(
        subset.contains(&vec![0, 1, 0, 1]),
        "a hole between kept bytes: {subset:?}"
    );
    assert!(subset.contains(&vec![]) && subset.contains(&vec![1; 4]));
}
