//! What we hold ourselves to: the first table of that name in the design.

use super::Outcome;

/// A figure, what it should be, and whether it is.
pub struct Judged {
    pub what: String,
    pub target: String,
    pub measured: String,
    pub met: bool,
}

/// Rates at least this many times the baseline's, for each lane.
const RATE: f64 = 8.0;
/// The same with a disk that syncs in 5 ms, 25 validators.
const RATE_DISK: f64 = 10.0;
/// Processor time at most this part of the baseline's, at 25 validators.
const CPU: &[(&str, f64)] = &[("ed25519", 10.0), ("multisig-minsig", 30.0)];
/// Messages for each certified chunk and validator, about.
const MESSAGES: f64 = 2.2;
/// Syncs at most this part of the baseline's, at 25 validators and a disk that syncs in 2 ms or more.
const SYNCS: f64 = 5.0;
/// The rate with 5 % loss, as a part of the lossless one.
const LOSS: f64 = 0.8;

/// Every target that the outcomes tell something about.
pub fn judge(outcomes: &[Outcome]) -> Vec<Judged> {
    outcomes
        .iter()
        .flat_map(|it| {
            [
                rate(it),
                cpu(it),
                messages(it),
                syncs(it),
                loss(it, outcomes),
            ]
            .into_iter()
            .flatten()
        })
        .collect()
}

fn at_least(what: String, times: f64, theirs: f64, ours: f64) -> Judged {
    let ratio = ours / theirs;
    Judged {
        what,
        target: format!("{times} times or more"),
        measured: format!("{ratio:.1} times ({theirs:.1} to {ours:.1})"),
        met: ratio >= times,
    }
}

fn at_most(what: String, part: f64, theirs: f64, ours: f64) -> Judged {
    let ratio = theirs / ours;
    Judged {
        what,
        target: format!("1/{part} or less"),
        measured: format!("1/{ratio:.1} ({theirs:.2} to {ours:.2})"),
        met: ratio >= part,
    }
}

fn rate(it: &Outcome) -> Option<Judged> {
    let times = match (it.case.scheme, it.case.fsync_us, it.case.loss_percent) {
        ("mock", 0, 0) => RATE,
        ("mock", 5_000, 0) if it.case.n == 25 => RATE_DISK,
        _ => return None,
    };
    let what = format!("chunks per virtual second and lane: {}", it.case);
    Some(at_least(what, times, it.theirs.rate(), it.ours.rate()))
}

fn cpu(it: &Outcome) -> Option<Judged> {
    let (_, part) = CPU.iter().find(|(scheme, _)| *scheme == it.case.scheme)?;
    let what = format!("us CPU per chunk and validator: {}", it.case);
    let (theirs, ours) = (it.theirs.cpu_us_per_cv(), it.ours.cpu_us_per_cv());
    (it.case.n == 25).then(|| at_most(what, *part, theirs, ours))
}

fn messages(it: &Outcome) -> Option<Judged> {
    if it.case.scheme != "mock" || it.case.fsync_us > 0 || it.case.loss_percent > 0 {
        return None;
    }
    let (theirs, ours) = (it.theirs.get("msgs_per_cv"), it.ours.get("msgs_per_cv"));
    Some(Judged {
        what: format!("messages per chunk and validator: {}", it.case),
        target: "about two".to_string(),
        measured: format!("{ours:.2} (theirs {theirs:.2})"),
        met: ours <= MESSAGES,
    })
}

fn syncs(it: &Outcome) -> Option<Judged> {
    let what = format!("syncs per chunk and validator: {}", it.case);
    let (theirs, ours) = (it.theirs.get("fsyncs_per_cv"), it.ours.get("fsyncs_per_cv"));
    (it.case.n == 25 && it.case.fsync_us >= 2_000).then(|| at_most(what, SYNCS, theirs, ours))
}

fn loss(it: &Outcome, outcomes: &[Outcome]) -> Option<Judged> {
    if it.case.loss_percent != 5 {
        return None;
    }
    let lossless = |other: &&Outcome| {
        let (a, b) = (&it.case, &other.case);
        (a.scheme, a.n, a.fsync_us) == (b.scheme, b.n, b.fsync_us) && b.loss_percent == 0
    };
    let lossless = outcomes.iter().find(lossless)?;
    let ours = it.ours.rate() / lossless.ours.rate();
    let theirs = it.theirs.rate() / lossless.theirs.rate();
    Some(Judged {
        what: format!("part of the lossless rate: {}", it.case),
        target: format!("{:.0} % or more", LOSS * 100.0),
        measured: format!("{:.0} % (theirs {:.0} %)", ours * 100.0, theirs * 100.0),
        met: ours >= LOSS,
    })
}
