use crate::{
    activity::Verdict,
    testing::{Node, World, acked, judged},
    tip_manager::Message,
};
use std::slice::from_ref;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const OTHER: usize = 2;

// L-09, R-15
#[test]
fn a_flood_by_one_producer_asks_for_a_window_of_verdicts_and_starves_no_other_lane() {
    let world = World::new();
    let window = world.genesis.window();
    let flood = world.lane(SEQUENCER, 5 * window);
    let mut node = Node::new(&world, ME);
    // The application is busy: it answers nothing.
    node.verdict = None;
    let mut asked = Vec::new();
    for header in flood.iter().cycle().take(20 * flood.len()) {
        let effects = node.hear(&world, SEQUENCER, world.envelope(from_ref(header), None));
        asked.extend(judged(&effects));
        node.sync();
    }
    asked.extend(judged(&node.tell(Message::Ticked)));
    assert_eq!(asked, (1..=window).collect::<Vec<_>>(), "each once");
    assert_eq!(node.state.headers_held() as u64, window);

    // All wait at once, and what another producer sends meanwhile is asked for and acked first.
    let other = world.lane(OTHER, 1);
    let effects = node.hear(&world, OTHER, world.envelope(&other, None));
    assert_eq!(judged(&effects), [1]);
    node.sync();
    assert_eq!(
        acked(&node.judge(&other[0], Verdict::Valid)),
        [(0, vec![1])]
    );
    let verdicts = flood[1..window as usize].iter().rev();
    for header in verdicts {
        assert_eq!(acked(&node.judge(header, Verdict::Valid)), []);
    }
    let heights = (1..=window).collect();
    assert_eq!(
        acked(&node.judge(&flood[0], Verdict::Valid)),
        [(0, heights)]
    );
}
