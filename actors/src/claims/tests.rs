use super::{Actor, Listener, Mailbox};
use crate::{
    testing::{Key, World},
    tests::cluster::{Cluster, Net},
};
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU64, NZUsize, Probability, sync::Mutex};
use std::{sync::Arc, time::Duration};

/// What was heard, in order.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(Key, u64)>>>);

impl Listener<Key> for Heard {
    fn claimed(&mut self, who: Key, height: u64) {
        self.0.lock().push((who, height));
    }
}

impl Heard {
    fn of(&self, who: &Key) -> Vec<u64> {
        let heard = self.0.lock();
        let of = heard.iter().filter(|(it, _)| it == who);
        of.map(|(_, height)| *height).collect()
    }
}

const REPEAT_MS: u64 = 500;

async fn start(cluster: &Cluster, who: usize) -> (Mailbox, Heard) {
    let heard = Heard::default();
    let (actor, mailbox) = Actor::<_, Net, _>::new(
        cluster.context.child("claims"),
        NZU64!(REPEAT_MS),
        NZUsize!(4),
        cluster.channel(who).await,
        cluster.blocker(who),
        heard.clone(),
    );
    actor.start();
    (mailbox, heard)
}

fn run<F: Future<Output = ()>>(count: usize, test: impl FnOnce(Cluster, World) -> F) {
    let runner = deterministic::Runner::timed(Duration::from_secs(60));
    runner.start(|context| async move {
        test(Cluster::new(context, count).await, World::new()).await;
    });
}

fn one() -> Probability {
    Probability::new(1, 1).expect("one")
}

// D-39, K-13
#[test]
fn all_hear_what_a_node_executed_and_it_never_goes_back() {
    run(3, |cluster, world| async move {
        cluster.link_all(one()).await;
        let (mailbox, own) = start(&cluster, 0).await;
        let (_other, heard) = start(&cluster, 1).await;
        let (_third, also) = start(&cluster, 2).await;
        for height in [3, 4, 2] {
            mailbox.executed(height);
            cluster.sleep(50).await;
        }
        assert_eq!(heard.of(&world.key(0)), [3, 4]);
        assert_eq!(also.of(&world.key(0)), [3, 4]);
        assert!(own.of(&world.key(0)).is_empty());
    });
}

// what is lost comes again.
#[test]
fn a_claim_is_repeated() {
    run(2, |cluster, world| async move {
        let (mailbox, _own) = start(&cluster, 0).await;
        let (_other, heard) = start(&cluster, 1).await;
        mailbox.executed(7);
        cluster.sleep(100).await;
        assert!(heard.of(&world.key(0)).is_empty(), "there is no link");
        cluster.link_all(one()).await;
        cluster.sleep(REPEAT_MS).await;
        assert_eq!(heard.of(&world.key(0)), [7]);
    });
}

// K-03, K-16: a small message without content. Garbage instead of a height.
#[test]
fn who_sends_anything_else_is_blocked() {
    for garbage in [&b""[..], b"1234567", b"123456789"] {
        run(2, |cluster, _| async move {
            cluster.link_all(one()).await;
            let (_mailbox, heard) = start(&cluster, 0).await;
            let mut played = cluster.play(1).await;
            played.send_bytes(0, bytes::Bytes::from_static(garbage));
            cluster.sleep(50).await;
            assert!(heard.0.lock().is_empty());
            assert_eq!(cluster.blocked().await, [(0, 1)]);
        });
    }
}
