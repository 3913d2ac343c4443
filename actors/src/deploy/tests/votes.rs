//! Who votes, under which name.

use super::genesis;
use crate::{
    deploy::{Agreement, Sets},
    node::Voters as _,
};
use commonware_consensus::{
    simplex::types::Nullify,
    types::{Epoch, Round, View},
};
use commonware_cryptography::{Signer as _, certificate::Scheme as _, ed25519::PrivateKey};
use commonware_parallel::Sequential;
use commonware_utils::TestRng;
use drystone_engine::types::Digest;

fn agreement(name: &str) -> Agreement {
    let mut genesis = genesis();
    genesis.name = name.into();
    genesis.check().expect("it is right")
}

fn sets(agreement: &Agreement, seed: u64) -> Sets {
    Sets::new(agreement, Some(&PrivateKey::from_seed(seed)))
}

// K-15: a node whose key is no validator's follows, and a validator that lost its disk does for a while.
#[test]
fn only_a_validator_that_may_sign_gets_a_scheme_that_does() {
    let agreement = agreement("test");
    let round = Round::new(Epoch::new(0), View::new(1));
    for (seed, signs, votes) in [(2, true, true), (2, false, false), (9, true, false)] {
        let scheme = sets(&agreement, seed).scheme(0, signs).expect("known");
        let vote = Nullify::sign::<Digest>(&*scheme, round);
        assert_eq!(vote.is_some(), votes, "key {seed}, signs: {signs}");
        assert_eq!(scheme.participants().len(), 4, "it verifies all the same");
    }
}

// K-16: the same keys in two deployments.
#[test]
fn a_vote_of_one_deployment_says_nothing_in_another() {
    let [ours, theirs] = ["ours", "theirs"].map(|name| sets(&agreement(name), 1));
    let [ours, theirs] = [ours, theirs].map(|it| it.scheme(0, true).expect("known"));
    let round = Round::new(Epoch::new(0), View::new(1));
    let vote = Nullify::sign::<Digest>(&*ours, round).expect("a validator");
    let holds = |scheme: &_| vote.verify::<_, Digest>(&mut TestRng::new(0), scheme, &Sequential);
    assert!(holds(&*ours));
    assert!(!holds(&*theirs));
}
