//! The pure state: what is asked for when, and what is executed when.

use super::{
    doors::open_door,
    kit::{Chain, SPAN_MS},
};
use crate::{
    Canary,
    executor::{Block, Body, Broken, Effect, Message, Ready, Start, State},
    reference::Reference,
    testing::{Key, Nouns, genesis},
};
use drystone_engine::types::Tip;
use std::{collections::BTreeMap, sync::Arc};

type Effects = Vec<Effect<Nouns>>;

fn state(ahead_blocks: usize, ahead_bytes: u64) -> State<Nouns> {
    let start = Start {
        height: 0,
        time_ms: 0,
        lanes: BTreeMap::new(),
    };
    let genesis = Arc::new(genesis());
    State::new(genesis, ahead_blocks, ahead_bytes, start, Canary::None)
}

/// A chain of `blocks` blocks of one chunk each, by turns of two lanes.
fn chain(blocks: u64) -> Chain {
    let mut chain = Chain::new();
    for height in 1..=blocks {
        let who = height as usize % 2;
        chain.chunk(who, 10 * height, [open_door(1, SPAN_MS, height)]);
        chain.block(20 * height, &[who]);
    }
    chain
}

fn walks(effects: &Effects) -> Vec<u64> {
    let height = |it: &Effect<Nouns>| match it {
        Effect::Walk { height, .. } => Some(*height),
        _ => None,
    };
    effects.iter().filter_map(height).collect()
}

fn gathers(effects: &Effects) -> Vec<(u64, Reference<Key>)> {
    let gather = |it: &Effect<Nouns>| match it {
        Effect::Gather { height, reference } => Some((*height, reference.clone())),
        _ => None,
    };
    effects.iter().filter_map(gather).collect()
}

fn executes(effects: &Effects) -> Option<Ready<Nouns>> {
    effects.iter().find_map(|it| match it {
        Effect::Execute(ready) => Some(ready.clone()),
        _ => None,
    })
}

fn finalized(state: &mut State<Nouns>, block: &Block<Key>) -> Effects {
    state
        .apply(Message::Finalized(block.clone()))
        .expect("a chain")
}

/// The headers of a lane in a block arrive.
fn walked(state: &mut State<Nouns>, chain: &Chain, height: u64, who: usize) -> Effects {
    let sequencer = chain.world.key(who);
    let before = chain.blocks[..height as usize - 1].iter();
    let above = before
        .filter_map(|it| it.tips.get(&sequencer))
        .map(|it| it.height)
        .max();
    let to = chain.blocks[height as usize - 1].tips[&sequencer].height;
    let run = chain.lanes[&who][above.unwrap_or(0) as usize..to as usize].iter();
    let run = run.map(|(header, _)| Arc::clone(header)).collect();
    let message = Message::Walked {
        height,
        sequencer,
        run,
    };
    state.apply(message).expect("a lane")
}

fn gathered(
    state: &mut State<Nouns>,
    chain: &Chain,
    height: u64,
    reference: &Reference<Key>,
) -> Effects {
    let mut chunks = chain.lanes.values().flatten();
    let (_, chunk) = chunks
        .find(|(_, it)| it.payload() == reference.payload())
        .expect("there");
    let (reference, body) = (reference.clone(), Body::Chunk(chunk.clone()));
    state
        .apply(Message::Gathered {
            height,
            reference,
            body,
        })
        .expect("asked for")
}

// D-06
#[test]
fn what_completes_out_of_order_is_executed_in_order() {
    let chain = chain(3);
    let mut state = state(8, u64::MAX);
    for block in &chain.blocks {
        assert_eq!(walks(&finalized(&mut state, block)), [block.height]);
    }
    // The headers of the last block come first: its bodies wait for those of the blocks before it to be asked for.
    assert_eq!(walked(&mut state, &chain, 3, 1), []);
    assert_eq!(walked(&mut state, &chain, 2, 0), []);
    let asked = gathers(&walked(&mut state, &chain, 1, 1));
    assert_eq!(asked.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2, 3]);
    for (height, reference) in asked[1..].iter().rev() {
        assert_eq!(gathered(&mut state, &chain, *height, reference), []);
    }
    let mut effects = gathered(&mut state, &chain, 1, &asked[0].1);
    for height in 1..=3 {
        let ready = executes(&effects).expect("the next block");
        assert_eq!(ready.block, chain.blocks[height - 1]);
        effects = state.apply(Message::Executed).expect("handed out");
    }
    assert_eq!((effects, state.queued(), state.bytes()), (vec![], 0, 0));
}

// D-39
#[test]
fn no_more_is_gathered_than_fits_and_the_next_block_always_is() {
    let chain = chain(6);
    let body = u64::from(chain.reference(1, 0).bytes);
    // Two bodies fit, three do not; four blocks are looked at.
    let mut state = state(4, 2 * body);
    let mut asked = Vec::new();
    for block in &chain.blocks {
        let effects = finalized(&mut state, block);
        let within = block.height <= 4;
        assert_eq!(
            walks(&effects).len(),
            usize::from(within),
            "block {}",
            block.height
        );
        if within {
            let effects = walked(&mut state, &chain, block.height, block.height as usize % 2);
            asked.extend(gathers(&effects));
        }
    }
    assert_eq!(asked.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((state.queued(), state.bytes()), (6, 2 * body));
    let (height, reference) = asked[0].clone();
    assert!(executes(&gathered(&mut state, &chain, height, &reference)).is_some());
    // One is done: another takes its place, in the number of blocks and in bytes.
    let effects = state.apply(Message::Executed).expect("handed out");
    assert_eq!((walks(&effects), gathers(&effects)[0].0), (vec![5], 3));
    assert_eq!(state.bytes(), 2 * body);
}

// D-39
#[test]
fn a_block_larger_than_what_is_gathered_ahead_is_gathered_when_its_turn_comes() {
    let chain = chain(2);
    let mut state = state(4, 1);
    for block in &chain.blocks {
        finalized(&mut state, block);
    }
    let first = gathers(&walked(&mut state, &chain, 1, 1));
    assert_eq!(first.len(), 1, "whatever its size");
    assert_eq!(walked(&mut state, &chain, 2, 0), [], "not beside another");
    gathered(&mut state, &chain, 1, &first[0].1);
    let effects = state.apply(Message::Executed).expect("handed out");
    assert_eq!(gathers(&effects).len(), 1);
}

// D-05, D-37
#[test]
fn chunks_are_ordered_by_slot_and_sequencer_and_expired_ones_left_out() {
    let mut chain = Chain::new();
    for (who, slots) in [(0, [5, 30]), (1, [30, 31]), (2, [4, 6])] {
        for slot in slots {
            chain.chunk(who, slot, [open_door(who as u8, SPAN_MS, slot)]);
        }
    }
    // What was sealed in slot 5 expires at 1_006.
    chain.block(1_007, &[2, 0, 1]);
    let mut state = state(1, 0);
    finalized(&mut state, &chain.blocks[0]);
    let mut asked = Vec::new();
    for who in [1, 0, 2] {
        asked.extend(gathers(&walked(&mut state, &chain, 1, who)));
    }
    let mut effects = Vec::new();
    for (height, reference) in asked.iter().rev() {
        effects = gathered(&mut state, &chain, *height, reference);
    }
    let ready = executes(&effects).expect("everything is here");
    let order: Vec<_> = ready.chunks.iter().map(|(it, _)| it.clone()).collect();
    let mut at_30 = [chain.reference(0, 1), chain.reference(1, 0)];
    at_30.sort_by(|a, b| a.sequencer.cmp(&b.sequencer));
    let [first, second] = at_30;
    let expected = [chain.reference(2, 1), first, second, chain.reference(1, 1)];
    assert_eq!(order, expected);
    // The headers of what expired are kept with the others.
    assert_eq!(ready.runs.values().map(Vec::len).sum::<usize>(), 6);
}

// D-37
#[test]
fn a_block_without_tips_and_one_of_expired_chunks_need_nothing() {
    let mut chain = Chain::new();
    chain
        .chunk(0, 5, [open_door(1, SPAN_MS, 1)])
        .block(7, &[])
        .block(5_000, &[0]);
    let mut state = state(4, 0);
    let ready = executes(&finalized(&mut state, &chain.blocks[0])).expect("at once");
    assert!(ready.chunks.is_empty() && ready.runs.is_empty());
    finalized(&mut state, &chain.blocks[1]);
    walked(&mut state, &chain, 2, 0);
    let effects = state.apply(Message::Executed).expect("handed out");
    let ready = executes(&effects).expect("no body is waited for");
    assert!(ready.chunks.is_empty() && ready.runs.len() == 1);
}

// K-20: before anything of it is executed: height, time, what it builds on.
#[test]
fn what_is_no_chain_is_told_apart() {
    let chain = chain(3);
    let mut fresh = state(4, u64::MAX);
    let gap = fresh.apply(Message::Finalized(chain.blocks[1].clone()));
    assert_eq!(
        gap,
        Err(Broken::Gap {
            height: 2,
            expected: 1
        })
    );
    let mut still = chain.blocks[0].clone();
    still.time_ms = 0;
    let stopped = fresh.apply(Message::Finalized(still));
    assert_eq!(stopped, Err(Broken::Time { height: 1 }));

    // A tip at the height that is included already.
    let mut back = state(4, u64::MAX);
    finalized(&mut back, &chain.blocks[0]);
    let mut again = chain.blocks[0].clone();
    (again.height, again.time_ms) = (2, 50);
    let behind = back.apply(Message::Finalized(again));
    assert_eq!(behind, Err(Broken::Run { height: 2 }));

    let lane = &chain.lanes[&1];
    let headers = |indices: &[usize]| indices.iter().map(|it| lane[*it].0.clone()).collect();
    let (sequencer, stranger) = (
        chain.world.key(1),
        chain
            .world
            .header(2, chain.world.root(2), 10, lane[0].1.payload()),
    );
    let runs = [
        headers(&[1]),
        headers(&[0, 1]),
        headers(&[]),
        vec![stranger],
    ];
    for run in runs {
        let mut state = state(4, u64::MAX);
        finalized(&mut state, &chain.blocks[0]);
        let message = Message::Walked {
            height: 1,
            sequencer: sequencer.clone(),
            run,
        };
        assert_eq!(state.apply(message), Err(Broken::Run { height: 1 }));
    }
}

#[test]
fn a_run_begins_where_the_block_before_ended_whether_that_is_executed_or_not() {
    let mut chain = Chain::new();
    for height in 1..=3 {
        chain.chunk(0, height, [open_door(1, SPAN_MS, height)]);
        chain.block(10 * height, &[0]);
    }
    let mut state = state(4, u64::MAX);
    let mut above: Vec<Tip> = Vec::new();
    for block in &chain.blocks {
        let effects = finalized(&mut state, block);
        let Effect::Walk {
            above: from, to, ..
        } = &effects[0]
        else {
            panic!("headers come first");
        };
        above.push(*from);
        assert_eq!(*to, block.tips[&chain.world.key(0)]);
    }
    let tips = chain.lanes[&0].iter().map(|(it, _)| it.tip());
    let expected: Vec<_> = [chain.world.root(0)]
        .into_iter()
        .chain(tips)
        .take(3)
        .collect();
    assert_eq!(above, expected);
}
