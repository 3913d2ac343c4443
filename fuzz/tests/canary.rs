//! A search that cannot fail proves nothing: it finds each bug planted in a state.

#![cfg(feature = "canary")]

use drystone_fuzz::{
    planted,
    search::{corpus, search},
};

#[test]
fn the_search_finds_every_planted_bug() {
    let planted = planted();
    assert!(!planted.is_empty());
    for (name, target) in planted {
        let (of, _) = name.split_once('+').expect("a target and a bug");
        let corpus = corpus(of).expect("readable");
        let crash = search(target, &corpus, 1, 20_000);
        let crash = crash.unwrap_or_else(|| panic!("{name} was not found"));
        println!("{name}: {} after {} inputs", crash.message, crash.after);
    }
}
