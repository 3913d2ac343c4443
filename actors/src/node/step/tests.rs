use super::Heights;

const LAG_MAX: u64 = 3;

fn behind(before: Option<u64>, newest: u64, executed: u64) -> bool {
    let heights = Heights {
        before,
        newest,
        executed,
        behind: None,
    };
    heights.is_behind(LAG_MAX)
}

// K-33
#[test]
fn a_node_takes_transactions_once_it_has_heard_of_a_new_block_and_executed_almost_all() {
    assert!(behind(None, 9, 9), "it does not know yet what it knew");
    assert!(behind(Some(9), 9, 9), "it may have been away for long");
    assert!(!behind(Some(9), 10, 9));
    assert!(!behind(Some(9), 12, 9));
    assert!(behind(Some(9), 13, 9), "further than a block may name");
    assert!(!behind(Some(0), 1, 0), "a chain begins");
}
