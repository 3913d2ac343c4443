//! What a voter learns comes in any order, and changes no verdict.

use super::{
    Node, executed,
    judging::{lane, world},
    naming,
};
use crate::{
    block::{
        Executed,
        rules::{Fault, Invalid},
    },
    chain::{Effect, Judged, Message},
    testing::{
        Key, Nouns,
        blocks::{digest, first, included},
    },
};
use drystone_engine::types::{Limits, Signed};
use proptest::{collection::vec, prelude::*};
use std::sync::Arc;

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    /// The certificate of this lane does not hold.
    Certificate(usize),
    /// Its two lanes stand for more than fits.
    Load,
    /// It names another state than this node comes to.
    Root,
}

/// What is yet to be learned.
enum Fact {
    Told(Message<Nouns>),
    /// The clock reaches the block's time.
    Time,
}

fn defect() -> impl Strategy<Value = Defect> {
    prop_oneof![
        3 => Just(Defect::None),
        1 => (0..2usize).prop_map(Defect::Certificate),
        1 => Just(Defect::Load),
        1 => Just(Defect::Root),
    ]
}

fn expected(defect: Defect, key: impl Fn(usize) -> Key) -> Judged<Nouns> {
    Err(match defect {
        Defect::None => return Ok(()),
        Defect::Certificate(who) => Invalid::Tip {
            sequencer: key(who),
            fault: Fault::Certificate,
        },
        Defect::Load => Invalid::Live(Limits {
            chunks: 6,
            bytes: 600,
            items: 60,
        }),
        Defect::Root => Invalid::ExecutedRoot {
            height: 1,
            named: digest(1),
            other: digest(9),
        },
    })
}

/// What the voter will learn because it asked.
fn learned(effect: Effect<Nouns>, defect: Defect, lanes: &[Vec<Arc<Signed<Nouns>>>]) -> Fact {
    let who = |key: &Key| {
        let of = lanes.iter().position(|it| it[0].header().sequencer == *key);
        of.expect("one of them")
    };
    Fact::Told(match effect {
        Effect::Check(id, certificates) => {
            let results = certificates.into_iter().map(|it| {
                let holds = defect != Defect::Certificate(who(&it.sequencer));
                (it, holds)
            });
            Message::Checked(id, results.collect())
        }
        Effect::Walk { id, included, .. } => {
            let sequencer = included.sequencer().clone();
            let headers = lanes[who(&sequencer)].clone();
            Message::Walked(id, sequencer, headers)
        }
        other => panic!("a voter does not want {other:?}"),
    })
}

proptest! {
    // D-31, D-32, D-39, R-14
    #[test]
    fn a_verdict_does_not_depend_on_the_order_of_what_it_rests_on(
        defect in defect(),
        picks in vec(any::<prop::sample::Index>(), 16),
    ) {
        let world = world();
        let mut node = Node::new(&world);
        let count = if defect == Defect::Load { 3 } else { 2 };
        let lanes = [0, 1].map(|who| lane(&world, who, count));
        let tips = lanes.iter().map(|it| included(&world, 0, it.last().expect("some")));
        let parents = super::empty(&world, 2);
        let block = naming(&parents[1], executed(1), tips.collect());
        node.now_ms = first(&world).timestamp_ms;

        let root = if defect == Defect::Root { digest(9) } else { digest(1) };
        let mut facts = vec![Fact::Time, Fact::Told(Message::Executed(Executed { height: 1, root }))];
        let effects = node.ask(&parents, &block);
        facts.extend(effects.into_iter().map(|it| learned(it, defect, &lanes)));
        let mut answers = Vec::new();
        for pick in picks {
            if facts.is_empty() {
                break;
            }
            let effects = match facts.swap_remove(pick.index(facts.len())) {
                Fact::Told(message) => node.tell(message),
                Fact::Time => node.wake(block.timestamp_ms),
            };
            for effect in effects {
                match effect {
                    Effect::Answer(_, answer) => answers.push((facts.len(), answer)),
                    other => facts.push(learned(other, defect, &lanes)),
                }
            }
        }
        prop_assert!(facts.is_empty(), "all was learned");
        let (left, answer) = answers.pop().expect("it was answered");
        prop_assert!(answers.is_empty(), "once");
        prop_assert_eq!(&answer, &expected(defect, |who| world.key(who)));
        prop_assert!(answer.is_err() || left == 0, "a vote rests on everything");
        prop_assert_eq!(node.state.open(), 0);
    }
}
