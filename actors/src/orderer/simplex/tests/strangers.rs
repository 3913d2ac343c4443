//! Those who do not vote, those who are cut off, and those who break the rules.

use super::{
    cluster::{Cluster, NODES, link, run},
    options::Options,
};
use crate::{
    orderer::simplex::free,
    testing::{Key, World, blocks::first},
};
use bytes::Bytes;
use commonware_codec::{Encode as _, varint::UInt};
use commonware_consensus::{
    simplex::types::{Nullify, Vote},
    types::{Epoch, Round, View},
};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_parallel::Sequential;
use commonware_runtime::{Spawner as _, Supervisor as _};
use commonware_utils::{
    NZU64, TestRng, TryFromIterator as _,
    ordered::{Quorum as _, Set},
};
use drystone_engine::types::Digest;
use std::collections::BTreeSet;

const VOTES: u64 = 0;
const CERTIFICATES: u64 = 1;
const RESOLVER: u64 = 2;
const BLOCKS: u64 = 3;
const BACKFILL: u64 = 4;

impl Cluster {
    /// Cuts, or mends, what is between a node and some others.
    async fn connect(&self, who: usize, others: &[usize], up: bool) {
        for other in others {
            for (from, to) in [(who, *other), (*other, who)] {
                let (from, to) = (self.world.key(from), self.world.key(to));
                if up {
                    self.oracle
                        .add_link(from, to, link(100))
                        .await
                        .expect("new");
                } else {
                    self.oracle.remove_link(from, to).await.expect("there");
                }
            }
        }
    }

    /// Who blocked a node.
    async fn blockers(&self, who: usize) -> BTreeSet<usize> {
        let blocked = self.oracle.blocked().await.expect("it runs");
        let by = blocked.iter().filter(|it| it.1 == self.world.key(who));
        let number = |key: &Key| (0..NODES).find(|it| self.world.key(*it) == *key);
        by.map(|it| number(&it.0).expect("a node")).collect()
    }

    /// A node that the test plays says something to all.
    async fn say(&self, who: usize, channel: u64, all: impl IntoIterator<Item = Vec<u8>>) {
        let (mut sender, _) = self.channel(who, channel).await;
        for bytes in all {
            sender.send(Recipients::All, bytes, false);
        }
        self.sleep(100).await;
    }

    /// The scheme of a validator's votes, for a set of validators and a namespace.
    fn scheme(&self, who: usize, validators: &[usize], namespace: &[u8]) -> free::Scheme<Key> {
        let keys = validators.iter().map(|it| self.world.key(*it));
        let set: Set<Key> = Set::try_from_iter(keys).expect("distinct");
        let me = set.index(&self.world.key(who)).expect("a validator");
        free::Scheme::signer(namespace, set, me, self.ledger.clone()).expect("a validator")
    }
}

/// Votes on views around the current one, as the engine of an epoch hears them.
fn votes(scheme: &free::Scheme<Key>, epoch: u64, heard_in: u64) -> Vec<Vec<u8>> {
    let vote = |view| {
        let round = Round::new(Epoch::new(epoch), View::new(view));
        let vote = Nullify::sign::<Digest>(scheme, round).expect("a validator");
        let vote: Vote<_, Digest> = Vote::Nullify(vote);
        [UInt(heard_in).encode(), vote.encode()].concat()
    };
    (1..16).map(vote).collect()
}

// K-09, K-12, K-15, K-31: whoever hears nothing of blocks for a while, and then only one of the validators, has them all: it
// asks for what it missed, and what shows that a block is final is signed by three, whoever passes it on.
#[test]
fn a_follower_that_was_cut_off_catches_up_from_one_validator() {
    run(Options::default(), |cluster| async move {
        cluster.reach(0..NODES, 2).await;
        cluster.connect(4, &[0, 1, 2, 3], false).await;
        let before = cluster.executors[4].height();
        cluster.reach(0..4, before + 12).await;
        assert!(
            cluster.executors[4].height() <= before + 1,
            "it hears nothing"
        );
        cluster.connect(4, &[3], true).await;
        cluster.reach([4], before + 20).await;
        cluster.agreed();
    });
}

// K-16, K-37: on each channel of consensus, what nobody honest sends. Of a question or an answer that cannot be read nothing
// is made at all.
#[test]
fn garbage_is_its_senders_fault_or_nothing_and_stops_nobody() {
    let ask = |tail: &[u8]| [&7u64.to_be_bytes()[..], tail].concat();
    let garbage = [
        ("no vote", VOTES, vec![0, 9, 9], true),
        ("no certificate", CERTIFICATES, vec![0, 9], true),
        ("no question about views", RESOLVER, vec![0, 9], false),
        ("no block", BLOCKS, vec![1, 2, 3], false),
        ("cut short", BACKFILL, vec![0; 5], false),
        ("neither question nor answer", BACKFILL, ask(&[5]), false),
        ("a bad flag", BACKFILL, ask(&[0, 7]), false),
        (
            "a digest cut short",
            BACKFILL,
            [ask(&[0, 0]), vec![1; 31]].concat(),
            false,
        ),
        (
            "a height cut short",
            BACKFILL,
            [ask(&[0, 1]), vec![0x80]].concat(),
            false,
        ),
        ("an answer unasked", BACKFILL, ask(&[1, 3, 1, 2, 3]), false),
    ];
    for (what, channel, bytes, blamed) in garbage {
        let options = Options {
            absent: &[3],
            ..Options::default()
        };
        run(options, |cluster| async move {
            cluster.reach(0..3, 2).await;
            cluster.say(3, channel, [bytes]).await;
            let blockers = cluster.blockers(3).await;
            let all = blockers.is_superset(&(0..3).collect());
            assert_eq!(all, blamed, "{what}: {blockers:?}");
            let height = cluster.executors[0].height();
            cluster.reach([0, 1, 2, 4], height + 6).await;
            cluster.agreed();
        });
    }
}

// K-37: hash != content. Node 3 answers every question with the genesis block, which nobody asked for.
#[test]
fn who_answers_with_another_block_is_blocked_and_the_others_are_asked() {
    let options = Options {
        absent: &[3],
        ..Options::default()
    };
    run(options, |cluster| async move {
        let (mut sender, mut receiver) = cluster.channel(3, BACKFILL).await;
        let other: Bytes = first(&cluster.world).encode();
        let liar = cluster.context.child("liar").spawn(move |_| async move {
            while let Ok((peer, message)) = receiver.recv().await {
                let (id, kind) = message.as_ref().split_at(8);
                if kind[0] == 0 {
                    let answer = [id, &[1], &other.encode()].concat();
                    sender.send(Recipients::One(peer), answer, false);
                }
            }
        });
        while !cluster.blockers(3).await.contains(&4) {
            let height = cluster.executors[4].height();
            cluster.connect(4, &[0, 1, 2], false).await;
            cluster.reach(0..3, height + 6).await;
            cluster.connect(4, &[0, 1, 2], true).await;
            cluster.reach([4], height + 6).await;
        }
        cluster.agreed();
        liar.abort();
    });
}

// K-15, K-16: a vote is its sender's own, of a validator, and of the epoch.
#[test]
fn a_vote_under_another_name_or_of_another_epoch_is_its_senders_fault() {
    // Node 3 plays validator 0, a validator of the next epoch, and itself.
    for (signer, epoch, blocked) in [(0, 0, true), (3, 1, true), (3, 0, false)] {
        let options = Options {
            absent: &[3],
            ..Options::default()
        };
        run(options, |cluster| async move {
            cluster.reach(0..3, 2).await;
            let scheme = cluster.scheme(signer, &[0, 1, 2, 3], b"votes");
            cluster.say(3, VOTES, votes(&scheme, epoch, 0)).await;
            let blockers = cluster.blockers(3).await;
            assert_eq!(
                blockers.is_superset(&(0..3).collect()),
                blocked,
                "{blockers:?}"
            );
            let height = cluster.executors[0].height();
            cluster.reach(0..3, height + 6).await;
        });
    }
}

// K-16: whoever does not validate any more has no vote, whatever it signs.
#[test]
fn a_vote_of_a_validator_that_left_is_refused() {
    let options = Options {
        absent: &[0],
        rotate: true,
        epoch_blocks: NZU64!(6),
        ..Options::default()
    };
    run(options, |cluster| async move {
        // Blocks 6 to 11 are of epoch 1, which node 0 is not of.
        cluster.reach(1..NODES, 7).await;
        let scheme = cluster.scheme(0, &[0, 1, 2, 3], b"votes");
        cluster.say(0, VOTES, votes(&scheme, 1, 1)).await;
        let blockers = cluster.blockers(0).await;
        assert!(blockers.is_superset(&(1..5).collect()), "{blockers:?}");
        let height = cluster.executors[1].height();
        cluster.reach(1..NODES, height + 8).await;
        cluster.agreed();
    });
}

// K-16: replayed across namespaces.
#[test]
fn a_vote_of_another_deployment_is_no_vote() {
    let world = World::new();
    let ledger = free::Shared::default();
    let scheme = |namespace: &[u8]| -> free::Scheme<Key> {
        let keys = (0..4).map(|it| world.key(it));
        let set: Set<Key> = Set::try_from_iter(keys).expect("distinct");
        let me = set.index(&world.key(1)).expect("a validator");
        free::Scheme::signer(namespace, set, me, ledger.clone()).expect("a validator")
    };
    let (ours, theirs) = (scheme(b"ours"), scheme(b"theirs"));
    let vote = Nullify::sign::<Digest>(&ours, Round::new(Epoch::new(0), View::new(3)));
    let vote = vote.expect("a validator");
    let verified = |scheme| vote.verify::<_, Digest>(&mut TestRng::new(0), scheme, &Sequential);
    assert!(verified(&ours) && !verified(&theirs));
}
