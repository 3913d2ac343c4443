//! Who is let in, and what is isolated from what.

use super::{
    genesis,
    raw::Raw,
    street::{PATIENCE, address, name, run, settings},
};
use crate::{
    deploy::{
        Hexed, NetworkSettings, Peer,
        network::{namespace, quota},
    },
    node::Channel,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Messages that a peer may send on a channel in a second, and at once.
fn burst(channel: Channel) -> usize {
    quota(channel).burst_size().get() as usize
}

// K-01: another chain's id.
#[test]
fn a_node_of_another_deployment_is_not_let_in() {
    run(async |street| {
        let mut other = genesis();
        other.name.push('x');
        let other = other.check().expect("it is right");
        let mut first = street.open(0, &settings(0, &[]));
        let mut member = street.open(1, &settings(1, &[0]));
        let mut stranger = street.open_in(&other, 2, &settings(2, &[0]));
        assert!(street.reaches(&mut member, &mut first, PATIENCE).await);
        assert!(!street.reaches(&mut stranger, &mut first, PATIENCE).await);
        assert_eq!((street.connected(0), street.connected(2)), (1, 0));
        assert!(
            Raw::dial_as(&street, 2, 0, &namespace(&other))
                .await
                .is_none()
        );
    });
}

// K-05: the wrong key.
#[test]
fn who_has_not_the_key_is_not_taken_for_the_one_that_has() {
    run(async |street| {
        // Where node 1 is said to be there is node 2.
        let mut misled = settings(0, &[]);
        misled.peers = vec![Peer {
            key: Hexed(name(1)),
            address: address(2).to_string(),
        }];
        let mut first = street.open(0, &misled);
        let mut other = street.open(2, &settings(2, &[]));
        assert!(!street.reaches(&mut first, &mut other, PATIENCE).await);
        assert!(!street.reaches(&mut other, &mut first, PATIENCE).await);
        // And whose key nobody knows is not heard at all.
        assert!(Raw::dial(&street, 7, 0).await.is_none());
        assert!(Raw::dial(&street, 3, 0).await.is_some(), "a validator");
    });
}

// K-05: reconnect.
#[test]
fn a_node_that_comes_back_is_connected_again() {
    run(async |street| {
        let mut first = street.open(0, &settings(0, &[]));
        for life in 0..3 {
            // Connections in memory never give a port free, so that each life listens at another one.
            let listen = address(10 + life);
            let settings = NetworkSettings {
                listen,
                address: listen.to_string(),
                ..settings(1, &[0])
            };
            let mut second = street.open(1, &settings);
            assert!(
                street.reaches(&mut second, &mut first, PATIENCE).await,
                "{life}"
            );
            assert!(
                street.reaches(&mut first, &mut second, PATIENCE).await,
                "{life}"
            );
            second.ends().await;
            street.sleep(SECOND).await;
        }
    });
}

// K-05: a duplicate connection.
#[test]
fn a_second_connection_of_one_peer_is_refused_and_does_no_harm() {
    run(async |street| {
        let (mut first, mut second) = street.pair().await;
        for _ in 0..5 {
            if let Some(double) = Raw::dial(&street, 1, 0).await {
                assert!(!double.is_open().await, "it has one already");
            }
            street.sleep(SECOND).await;
        }
        assert_eq!(street.connected(0), 1);
        assert!(street.reaches(&mut second, &mut first, SECOND).await);
        assert!(street.reaches(&mut first, &mut second, SECOND).await);
    });
}

// K-06
#[test]
fn a_slow_reader_on_one_channel_stalls_no_other() {
    run(async |street| {
        let (mut first, mut second) = street.pair().await;
        let body = vec![7; 1 << 12];
        // Nobody reads bodies for a minute, and far more come than are kept.
        for second_of in 0..60_u8 {
            for _ in 0..burst(Channel::Bodies) {
                second.say(0, Channel::Bodies, &body);
            }
            second.say(0, Channel::Votes, &[second_of]);
            street.sleep(SECOND).await;
            let votes = first.heard(Channel::Votes);
            assert!(
                votes.contains(&(1, vec![second_of])),
                "vote {second_of}: {votes:?}"
            );
        }
        // What is under way arrives, or finds no room.
        street.sleep(PATIENCE).await;
        let kept = first.heard(Channel::Bodies).len();
        assert!(kept >= burst(Channel::Bodies), "{kept}");
        assert!(
            kept < 60 * burst(Channel::Bodies),
            "what is kept is bounded"
        );
        // Whoever reads again gets what comes.
        second.say(0, Channel::Bodies, b"new");
        street.sleep(SECOND).await;
        assert!(first.heard(Channel::Bodies).contains(&(1, b"new".to_vec())));
    });
}

// K-06: whatever has no priority waits in one queue for the connection. What others put there at once, each within its quota,
// costs nobody a place.
#[test]
fn what_is_sent_at_once_on_other_channels_takes_no_place_in_the_queue() {
    run(async |street| {
        let (mut first, mut second) = street.pair().await;
        for round in 0..20_u8 {
            // Nobody reads these two.
            for channel in [Channel::Bodies, Channel::Transactions] {
                for _ in 0..burst(channel) {
                    second.say(0, channel, &[0; 64]);
                }
            }
            let allowed = burst(Channel::Answers);
            for _ in 0..allowed {
                second.say(0, Channel::Answers, &[round]);
            }
            // Quotas are full again.
            street.sleep(2 * SECOND).await;
            let answers = first.heard(Channel::Answers);
            let expected = vec![(1, vec![round]); allowed];
            assert_eq!(answers, expected, "round {round}");
        }
    });
}

// K-06: each channel has a quota of its own.
#[test]
fn a_quota_that_is_used_up_limits_its_channel_alone() {
    run(async |street| {
        let (mut first, mut second) = street.pair().await;
        let allowed = burst(Channel::Answers);
        for _ in 0..4 * allowed {
            second.say(0, Channel::Answers, b"answer");
        }
        for _ in 0..4 * allowed {
            second.say(0, Channel::Votes, b"vote");
        }
        street.sleep(SECOND / 2).await;
        let answers = first.heard(Channel::Answers).len();
        assert!((allowed..2 * allowed).contains(&answers), "{answers}");
        assert_eq!(first.heard(Channel::Votes).len(), 4 * allowed);
    });
}
