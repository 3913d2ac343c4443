use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Put(usize, Vec<u8>),
    Resize(usize),
    Read(usize, usize),
    Copy(usize, usize),
}

/// Bytes of which no two neighbours are alike.
fn bytes(first: u8, len: usize) -> Vec<u8> {
    (0..len).map(|it| (usize::from(first) + it) as u8).collect()
}

fn op() -> impl Strategy<Value = Op> {
    let edge = (1..4usize, 0..3usize).prop_map(|(page, past)| page * PAGE + past - 1);
    let place = prop_oneof![0..3 * PAGE, edge];
    let len = prop_oneof![0..64usize, 0..2 * PAGE, Just(PAGE)];
    prop_oneof![
        (place.clone(), any::<u8>(), len.clone())
            .prop_map(|(at, byte, len)| Op::Put(at, bytes(byte, len))),
        place.clone().prop_map(Op::Resize),
        (place.clone(), len.clone()).prop_map(|(at, len)| Op::Read(at, len)),
        (place, len).prop_map(|(at, len)| Op::Copy(at, len)),
    ]
}

proptest! {
    #[test]
    fn pages_are_a_vector(ops in prop::collection::vec(op(), 1..24)) {
        let (mut pages, mut model) = (Pages::default(), Vec::new());
        for op in ops {
            match op {
                Op::Put(_, bytes) if bytes.is_empty() => pages.put(PAGE, &[]),
                Op::Put(at, bytes) => {
                    pages.put(at, &bytes);
                    model.resize(model.len().max(at + bytes.len()), 0);
                    model[at..at + bytes.len()].copy_from_slice(&bytes);
                }
                Op::Resize(len) => {
                    pages.resize(len);
                    model.resize(len, 0);
                }
                Op::Copy(at, len) => {
                    let mut out = vec![7; len];
                    pages.copy(at, &mut out);
                    let there = (at.min(model.len())..(at + len).min(model.len())).len();
                    prop_assert_eq!(&out[..there], &model[at.min(model.len())..][..there]);
                    prop_assert!(out[there..].iter().all(|it| *it == 7));
                }
                Op::Read(at, len) => {
                    let range = at.min(model.len())..(at + len).min(model.len());
                    prop_assert_eq!(&*pages.read(range.clone()), &model[range]);
                }
            }
            prop_assert_eq!(pages.len(), model.len());
        }
        prop_assert_eq!(&*pages.read(0..model.len()), &model[..]);
    }
}
