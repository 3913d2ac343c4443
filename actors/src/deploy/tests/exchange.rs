//! Nodes tell each other where others are, or do not.

use super::{
    raw::{Raw, info, list},
    street::{PATIENCE, address, key, name, run, settings},
};
use crate::deploy::{Exchange, Hexed, NetworkSettings};
use bytes::Bytes;
use commonware_codec::Encode as _;

fn off(me: u64, known: &[u64]) -> NetworkSettings {
    NetworkSettings {
        exchange: Exchange::Off,
        ..settings(me, known)
    }
}

// K-01
#[test]
fn nodes_that_know_one_of_them_find_each_other() {
    run(async |street| {
        let mut first = street.open(0, &settings(0, &[]));
        let mut one = street.open(1, &settings(1, &[0]));
        let mut other = street.open(2, &settings(2, &[0]));
        assert!(street.reaches(&mut one, &mut first, PATIENCE).await);
        assert!(street.reaches(&mut one, &mut other, PATIENCE).await);
        assert!(street.reaches(&mut other, &mut one, PATIENCE).await);
    });
}

// K-10: exchange off, no data.
#[test]
fn with_exchange_off_nodes_meet_those_they_know_and_no_others() {
    run(async |street| {
        let mut first = street.open(0, &off(0, &[]));
        let mut one = street.open(1, &off(1, &[0]));
        let mut other = street.open(2, &off(2, &[0]));
        assert!(street.reaches(&mut one, &mut first, PATIENCE).await);
        assert!(street.reaches(&mut other, &mut first, PATIENCE).await);
        assert!(!street.reaches(&mut one, &mut other, PATIENCE).await);
        assert_eq!(street.connected(0), 2);
        assert_eq!((street.connected(1), street.connected(2)), (1, 1));
    });
}

// K-10: exchange off, closed.
#[test]
fn with_exchange_off_who_tells_where_others_are_is_cut_off() {
    run(async |street| {
        let _node = street.open(0, &off(0, &[]));
        let mut peer = Raw::dial(&street, 1, 0).await.expect("a validator");
        assert!(peer.is_open().await);
        let told = info(&street, 2, address(2), key(2));
        peer.send(list(&[told.into()])).await;
        assert!(!peer.is_open().await);
    });
}

// K-10: filtered peers are absent. Who asks gets what its role may have: followers are told where validators are.
#[test]
fn nobody_is_told_where_followers_are() {
    run(async |street| {
        let follows = |me, known: &[u64]| NetworkSettings {
            followers: vec![Hexed(name(8)), Hexed(name(9))],
            ..settings(me, known)
        };
        let mut first = street.open(0, &follows(0, &[]));
        let mut validator = street.open(1, &follows(1, &[0]));
        let mut follower = street.open(8, &follows(8, &[0]));
        let mut another = street.open(9, &follows(9, &[0]));
        assert!(street.reaches(&mut follower, &mut first, PATIENCE).await);
        assert!(street.reaches(&mut another, &mut first, PATIENCE).await);
        assert!(
            street
                .reaches(&mut follower, &mut validator, PATIENCE)
                .await
        );
        assert!(street.reaches(&mut validator, &mut first, PATIENCE).await);
        assert!(!street.reaches(&mut follower, &mut another, PATIENCE).await);
        assert_eq!(street.connected(0), 3);
    });
}

// K-01: an invalid peer id, a huge list, oneself in the list.
#[test]
fn a_list_that_no_honest_node_sends_ends_the_connection() {
    run(async |street| {
        // Who tells is a follower, each time another one: the node dials validators itself, and has them wait in between.
        let follows = NetworkSettings {
            followers: (4..10).map(|it| Hexed(name(it))).collect(),
            ..settings(0, &[])
        };
        let _node = street.open(0, &follows);
        let honest = |it: u64| info(&street, it, address(it), key(it));
        let mut invalid = honest(2);
        let at = invalid.len() - 64 - name(2).encode().len();
        invalid[at..at + 32].fill(0xff);
        let lists = [
            ("an invalid key", list(&[invalid.into()])),
            ("a huge list", list(&vec![Bytes::from(honest(2)); 33])),
            (
                "a length that is claimed",
                [&[3][..], &[0xff; 4], &[0x0f]].concat(),
            ),
            ("itself", list(&[honest(0).into()])),
            (
                "another's key",
                list(&[info(&street, 2, address(2), key(3)).into()]),
            ),
        ];
        let mut told = Raw::dial(&street, 4, 0).await.expect("a follower");
        told.send(list(&[honest(2).into(), honest(3).into()])).await;
        assert!(told.is_open().await, "an honest list is one");
        for (it, (what, bytes)) in (5..).zip(lists) {
            let mut told = Raw::dial(&street, it, 0).await.expect(what);
            assert!(told.is_open().await, "{what}");
            told.send(bytes).await;
            assert!(!told.is_open().await, "{what}");
        }
    });
}
