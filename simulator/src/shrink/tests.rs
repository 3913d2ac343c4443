use super::{Verdict, lower, minimize};

fn same_if(same: bool) -> Verdict {
    if same {
        Verdict::Same
    } else {
        Verdict::Different
    }
}

#[test]
fn two_culprits_among_a_hundred_remain_in_order() {
    let items: Vec<u32> = (0..100).collect();
    let mut tries = 0;
    let kept = minimize(&items, |candidate| {
        tries += 1;
        same_if(candidate.contains(&13) && candidate.contains(&77))
    });
    assert_eq!(kept, [13, 77]);
    assert!(
        tries < 100,
        "one by one would be no worse than {tries} tries"
    );
}

#[test]
fn a_removal_that_only_works_after_another_is_found() {
    // Item 3 protects item 1: 1 can go only when 3 is gone.
    let kept = minimize(&[0, 1, 2, 3, 4], |candidate| {
        same_if(candidate.contains(&2) && (candidate.contains(&1) || !candidate.contains(&3)))
    });
    assert_eq!(kept, [2]);
}

#[test]
fn nothing_remains_when_nothing_matters() {
    assert!(minimize(&[1, 2, 3], |_| Verdict::Same).is_empty());
}

#[test]
fn everything_remains_when_everything_matters() {
    assert_eq!(minimize(&[1, 2, 3], |_| Verdict::Different), [1, 2, 3]);
}

#[test]
fn a_spent_budget_ends_the_search_with_the_best_so_far() {
    let mut budget = 2;
    let kept = minimize(&[0, 1, 2, 3, 4, 5, 6, 7], |candidate| {
        if budget == 0 {
            return Verdict::Unaffordable;
        }
        budget -= 1;
        same_if(candidate.contains(&0))
    });
    assert_eq!(
        kept,
        [0, 1, 2, 3],
        "the first try takes all, the second the later half"
    );
}

#[test]
fn a_number_that_does_not_matter_falls_to_its_floor_in_one_try() {
    let mut tries = 0;
    let lowest = lower(1_000_000, 10, |_| {
        tries += 1;
        Verdict::Same
    });
    assert_eq!((lowest, tries), (10, 1));
}

#[test]
fn a_threshold_is_found_exactly() {
    for threshold in [1, 2, 499, 500, 999, 1000] {
        assert_eq!(
            lower(1000, 0, |value| same_if(value >= threshold)),
            threshold
        );
    }
}
