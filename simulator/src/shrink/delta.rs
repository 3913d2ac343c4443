//! Delta debugging over any list, and bisection of any number.

/// What a trial of a candidate showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same failure: the candidate may replace the original.
    Same,
    /// No failure, or another one.
    Different,
    /// Nobody tried: the budget of tries or time is spent.
    Unaffordable,
}

/// Returns a part of `items`, in their order, for which `judge` still says [`Verdict::Same`].
///
/// It removes runs of items, long runs first and late items before early ones, because what comes after the cause is
/// the likeliest to be noise. Unless the budget ends, the result is minimal in this sense: no single item can be left
/// out. `items` itself is taken to fail and is never judged.
pub fn minimize<T: Clone>(items: &[T], mut judge: impl FnMut(&[T]) -> Verdict) -> Vec<T> {
    let mut kept = items.to_vec();
    let mut run_len = kept.len();
    while run_len > 0 {
        let mut removed = false;
        let mut end = kept.len();
        while end > 0 {
            let start = end.saturating_sub(run_len);
            let candidate = [&kept[..start], &kept[end..]].concat();
            match judge(&candidate) {
                Verdict::Same => {
                    kept = candidate;
                    removed = true;
                }
                Verdict::Different => {}
                Verdict::Unaffordable => return kept,
            }
            end = start;
        }
        // A removal may have made an earlier refusal obsolete: singles are tried until a whole round removes nothing.
        run_len = match run_len {
            1 if !removed => 0,
            len => (len / 2).max(1),
        };
    }
    kept
}

/// Returns the smallest value between `floor` and `value` that bisection finds to be [`Verdict::Same`].
///
/// Exact if every larger value fails as well; else it is still a value that was seen to fail. `value` itself is taken
/// to fail and is never judged.
pub fn lower(value: u64, floor: u64, mut judge: impl FnMut(u64) -> Verdict) -> u64 {
    let (mut fails, mut untried) = (value, floor);
    while untried < fails {
        // The floor first: most numbers do not matter at all, and then one trial is enough.
        let middle = if fails == value && untried == floor {
            floor
        } else {
            untried + (fails - untried) / 2
        };
        match judge(middle) {
            Verdict::Same => fails = middle,
            Verdict::Different => untried = middle + 1,
            Verdict::Unaffordable => break,
        }
    }
    fails
}
