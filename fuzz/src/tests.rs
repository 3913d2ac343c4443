use crate::{
    heap::allocated,
    search::{Crash, corpus, search},
    seeds, targets,
};

/// Mutations a target.
const INPUTS: u64 = 4_000;

fn told(name: &str, crash: &Crash) -> String {
    let hex: String = crash.input.iter().map(|it| format!("{it:02x}")).collect();
    format!("{name}, input {}: {}\n{hex}", crash.after, crash.message)
}

#[test]
fn every_target_bears_its_corpus_and_mutations_of_it() {
    for (name, target) in targets() {
        let corpus = corpus(&name).expect("readable");
        if let Some(crash) = search(target, &corpus, 1, INPUTS) {
            panic!("{}", told(&name, &crash));
        }
    }
}

#[test]
fn the_corpus_holds_a_valid_encoding_for_every_decoder() {
    for (name, files) in seeds() {
        let corpus = corpus(&name).expect("readable");
        for file in files {
            let held = corpus.iter().any(|it| *it == file);
            assert!(
                held,
                "corpus/{name} is out of date: cargo run -p drystone-fuzz -- --write-corpus"
            );
        }
    }
}

#[test]
fn the_search_finds_what_hides_behind_a_valid_prefix() {
    let hidden =
        |data: &[u8]| assert!(!(data.starts_with(b"drystone") && data.get(9) == Some(&0xff)));
    let crash = search(hidden, &[b"drystone wall".to_vec()], 1, 10_000);
    assert!(crash.is_some_and(|it| it.input[9] == 0xff));
}

#[test]
fn a_search_is_the_same_twice() {
    let odd = |data: &[u8]| assert!(data.len() % 97 != 96, "too long");
    let (first, second) = (search(odd, &[], 7, 5_000), search(odd, &[], 7, 5_000));
    let (first, second) = (first.expect("found"), second.expect("found"));
    assert_eq!((first.input, first.after), (second.input, second.after));
}

#[test]
fn an_allocation_by_a_claimed_length_is_counted() {
    let (_, spent) = allocated(|| Vec::<u8>::with_capacity(1 << 20));
    assert!(spent >= 1 << 20);
}
