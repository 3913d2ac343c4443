//! What a full mailbox keeps. // K-36

use super::node::{LATER_MS, ME};
use crate::{
    mempool::{Answer, Executed, Ingress, mailbox},
    testing::{
        World,
        payments::{Payments, Till, config, payment},
    },
    transaction::Invalid,
};
use commonware_runtime::{
    Metrics as _, Runner as _,
    deterministic::{Context, Runner},
};

/// How often somebody found the mailbox full.
fn backoffs(context: &Context) -> u64 {
    let metrics = context.encode();
    let mut counts = metrics.lines().filter_map(|line| {
        let (name, count) = line.rsplit_once(' ')?;
        let counts = name.contains("mailbox_backoff_total");
        counts.then(|| count.parse::<u64>().expect("a count"))
    });
    counts.next().expect("it is counted")
}

#[test]
fn a_full_mailbox_turns_clients_away_and_loses_nothing_that_was_executed() {
    Runner::default().start(|context| async move {
        // Nobody reads it for now.
        let (mempool, mut inbox) = mailbox::<_, Payments>(&context, &config(), Till::default());
        let asked: Vec<_> = (0..100).map(|_| mempool.usage()).collect();
        let before = backoffs(&context);
        let batch = vec![
            Ok(payment(1, LATER_MS, 0)),
            Err(Invalid::because("not a payment")),
            Ok(payment(2, LATER_MS, 0)),
        ];
        let busy = Answer::Busy { retry_after_ms: 77 };
        assert_eq!(mempool.submit_all(batch).await, vec![busy; 3]);
        let sequencer = World::new().key(ME);
        let ids: Vec<_> = (1..=100)
            .map(|it| (payment(1, LATER_MS, it).facts.id, LATER_MS))
            .collect();
        for (step, id) in (1..).zip(&ids) {
            mempool.certified(sequencer.clone(), step);
            mempool.executed(Executed {
                time_ms: step,
                transactions: vec![*id],
                lanes: [(sequencer.clone(), step)].into(),
            });
        }
        assert_eq!(backoffs(&context) - before, 1 + 2 * 100);

        drop(mempool);
        let (mut certified, mut executed) = (Vec::new(), Vec::new());
        while let Some(message) = inbox.recv().await {
            match message {
                Ingress::Certified(lanes) => certified.push(lanes),
                Ingress::Executed(blocks) => executed.push(blocks),
                Ingress::Usage(_) => {}
                _ => panic!("nothing else was kept"),
            }
        }
        let lanes = [(sequencer, 100)].into();
        let all = Executed {
            time_ms: 100,
            transactions: ids,
            lanes,
        };
        assert_eq!(certified, std::slice::from_ref(&all.lanes));
        assert_eq!(executed, [all]);
        drop(asked);
    });
}
