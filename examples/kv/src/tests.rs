use super::{Answer, Command, KEY_BYTES_MAX, Map, Operation, VALUE_BYTES_MAX};
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_parallel::Sequential;
use commonware_runtime::{Runner as _, deterministic};
use drystone_actors::{
    application::{Application as _, Context, Gate, Outcome},
    state::{Batch, Config, Head, Memory, State},
    transaction::{Invalid, Rules as _, Transaction},
};
use futures::executor::block_on;
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

const BLOCK: Context = Context {
    height: 1,
    time_ms: 1,
};

fn command(operation: Operation) -> Command {
    Command {
        expiry_ms: 1_000,
        salt: 7,
        operation,
    }
}

fn transaction(operation: Operation) -> Arc<Transaction> {
    Transaction::decode(&Map.rules(), command(operation).into()).expect("a command")
}

fn put(key: &str, value: &str) -> Operation {
    Operation::Put {
        key: key.to_owned().into(),
        value: value.to_owned().into(),
    }
}

fn swap(key: &str, expected: Option<&str>, value: Option<&str>) -> Operation {
    let bytes = |it: &str| Bytes::from(it.to_owned());
    Operation::Swap {
        key: bytes(key),
        expected: expected.map(bytes),
        value: value.map(bytes),
    }
}

/// Executes operations over a map, and gives back what they came to.
fn run(memory: &mut Memory, operations: &[Operation]) -> Vec<Outcome> {
    let transactions: Vec<_> = operations.iter().cloned().map(transaction).collect();
    let mut batch = Batch::over(memory.view());
    let executed = block_on(Map.execute(&BLOCK, &transactions, &mut batch));
    let writes = batch.into_writes();
    memory.apply(writes);
    executed.expect("never fails")
}

fn get(memory: &Memory, key: &str) -> Option<Bytes> {
    let answer = block_on(Map.query(key.as_bytes(), &memory.view())).expect("read");
    Option::decode_cfg(Copying(&answer), &(..).into()).expect("an option")
}

use commonware_codec::Decode as _;

#[test]
fn a_value_is_swapped_only_for_the_one_expected() {
    let mut memory = Memory::default();
    let other = || Err(Invalid::because("the value is not what was expected"));
    let operations = [
        swap("a", Some("1"), Some("2")),
        swap("a", None, Some("1")),
        swap("a", None, Some("9")),
        swap("a", Some("1"), Some("2")),
        swap("a", Some("2"), None),
        swap("a", None, Some("3")),
        put("b", "4"),
        Operation::Delete { key: "b".into() },
        Operation::Delete {
            key: "never".into(),
        },
    ];
    let expected = [
        other(),
        Ok(()),
        other(),
        Ok(()),
        Ok(()),
        Ok(()),
        Ok(()),
        Ok(()),
        Ok(()),
    ];
    assert_eq!(run(&mut memory, &operations), expected);
    assert_eq!(get(&memory, "a"), Some("3".into()));
    assert_eq!(get(&memory, "b"), None);
}

// S-18
#[test]
fn a_client_believes_what_is_under_the_root_and_nothing_else() {
    deterministic::Runner::default().start(|context| async move {
        let opened = State::open(context, Config::recommended("kv"), Sequential).await;
        let mut state = opened.expect("the disk is sound");
        assert_eq!(
            Answer::of(&state.reader(), b"stone").await.expect("read"),
            None
        );
        let mut roots = Vec::new();
        for (height, value) in [(0, "wet"), (1, "dry")] {
            let mut batch = state.batch().await.expect("open");
            let block = Context {
                height,
                time_ms: height,
            };
            let list = [
                transaction(put("stone", value)),
                transaction(put(value, "there")),
            ];
            let executed = Map.execute(&block, &list, &mut batch).await;
            assert_eq!(executed, Ok(vec![Ok(()), Ok(())]));
            let writes = batch.into_writes();
            let head = Head {
                height,
                digest: Sha256::hash(&[b"block"]),
                time_ms: height,
            };
            let prepared = state.prepare(head, writes).await.expect("prepared");
            roots.push(prepared.root);
            state.apply(prepared).await.expect("applied");
        }
        let reader = state.reader();
        for (key, value) in [
            ("stone", Some("dry")),
            ("wet", Some("there")),
            ("moss", None),
        ] {
            let key = key.as_bytes();
            let answer = Answer::of(&reader, key)
                .await
                .expect("read")
                .expect("after the genesis");
            let travelled = Answer::decode(Copying(&answer.encode())).expect("what was encoded");
            assert_eq!(travelled, answer);
            let expected: Option<Bytes> = value.map(|it| it.into());
            assert_eq!((answer.height, &answer.value), (1, &expected));
            assert!(answer.verify(key, &roots[1]));
            assert!(!answer.verify(key, &roots[0]), "another root");
            assert!(
                !answer.verify(b"other", &roots[1]) || value.is_none(),
                "another key"
            );
            let lie = Answer {
                value: Some("a lie".into()),
                ..answer
            };
            assert!(!lie.verify(key, &roots[1]));
        }
        let gate = Gate::new(Map, reader);
        let answer = gate.query(b"stone").await.expect("read");
        assert_eq!(answer, Some(Bytes::from("dry")).encode());
        let waits = gate.check(vec![transaction(put("a", "b"))]).await;
        assert_eq!(waits, [Ok(())]);
    });
}

fn operations() -> impl Strategy<Value = Operation> {
    let key = || (0..3_u8).prop_map(|it| Bytes::from(vec![b'k', it]));
    let value = || (0..3_u8).prop_map(|it| Bytes::from(vec![it]));
    prop_oneof![
        (key(), value()).prop_map(|(key, value)| Operation::Put { key, value }),
        key().prop_map(|key| Operation::Delete { key }),
        (
            key(),
            proptest::option::of(value()),
            proptest::option::of(value())
        )
            .prop_map(|(key, expected, value)| Operation::Swap {
                key,
                expected,
                value
            }),
    ]
}

proptest! {
    #[test]
    fn it_is_a_map(lists in proptest::collection::vec(proptest::collection::vec(operations(), 0..10), 0..8)) {
        let mut memory = Memory::default();
        let mut model: BTreeMap<Bytes, Bytes> = BTreeMap::new();
        for list in lists {
            let outcomes = run(&mut memory, &list);
            for (operation, outcome) in list.into_iter().zip(outcomes) {
                let held = model.get(operation.key()).cloned();
                let (done, value) = match &operation {
                    Operation::Put { value, .. } => (true, Some(value.clone())),
                    Operation::Delete { .. } => (true, None),
                    Operation::Swap { expected, value, .. } => (held == *expected, value.clone()),
                };
                prop_assert_eq!(outcome.is_ok(), done);
                if done {
                    match value {
                        Some(value) => model.insert(operation.key().clone(), value),
                        None => model.remove(operation.key()),
                    };
                }
            }
            for key in 0..3_u8 {
                let read = block_on(memory.view().get(&[b'k', key])).expect("read");
                prop_assert_eq!(read.as_ref(), model.get(&[b'k', key][..]));
            }
        }
    }

    #[test]
    fn a_command_has_one_encoding_and_no_bytes_make_it_panic(
        operation in operations(),
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let written = command(operation);
        let encoded: Bytes = written.clone().into();
        prop_assert_eq!(Command::read(&encoded).expect("what was written"), written);
        if let Ok(read) = Command::read(&bytes) {
            let again: Bytes = read.into();
            prop_assert_eq!(again, bytes);
        }
    }
}

#[test]
fn keys_and_values_are_bounded() {
    let put = |key: usize, value: usize| {
        let operation = Operation::Put {
            key: vec![0; key].into(),
            value: vec![0; value].into(),
        };
        let bytes: Bytes = command(operation).into();
        Map.decode(&bytes).is_ok()
    };
    assert!(put(KEY_BYTES_MAX, VALUE_BYTES_MAX));
    assert!(!put(KEY_BYTES_MAX + 1, 1) && !put(1, VALUE_BYTES_MAX + 1) && !put(0, 1));
}
