//! Reads effects: what a test asserts about.

use super::Nouns;
use crate::{
    activity::Activity,
    refusal::Refusal,
    scheme::free,
    tip_manager::{Candidate, Effect, To},
    types::{Evidence, Signed},
    wire::{Envelope, Gossip, Told},
};
use std::sync::Arc;

type Effects<'a> = &'a [Effect<Nouns>];

/// To whom, whether as a reply, and the ranks shown.
type Exchanged = (To<free::PublicKey>, bool, Vec<(u64, u64)>);

/// Epoch and heights of each message of acks.
pub fn acked(effects: Effects) -> Vec<(u64, Vec<u64>)> {
    let acks = effects.iter().filter_map(|it| match it {
        Effect::Ack(acks) => Some((
            acks.committee.epoch(),
            acks.acks.iter().map(|ack| ack.height).collect(),
        )),
        _ => None,
    });
    acks.collect()
}

/// The heights of all acks, in order.
pub fn heights(effects: Effects) -> Vec<u64> {
    acked(effects)
        .into_iter()
        .flat_map(|(_, heights)| heights)
        .collect()
}

/// The encoded ack messages.
pub fn ack_bytes(effects: Effects) -> Vec<bytes::Bytes> {
    let acks = effects.iter().filter_map(|it| match it {
        Effect::Ack(acks) => Some(acks.encode()),
        _ => None,
    });
    acks.collect()
}

/// Who was refused, and why.
pub fn refused(effects: Effects) -> Vec<(free::PublicKey, Refusal)> {
    let refusals = effects.iter().filter_map(|it| match it {
        Effect::Refuse { from, refusal } => Some((from.clone(), refusal.clone())),
        _ => None,
    });
    refusals.collect()
}

/// Why, when who does not matter.
pub fn refusals(effects: Effects) -> Vec<Refusal> {
    refused(effects)
        .into_iter()
        .map(|(_, refusal)| refusal)
        .collect()
}

/// To whom fetches go, and for which heights.
pub fn fetches(effects: Effects) -> Vec<(To<free::PublicKey>, u64, u64)> {
    let fetches = effects.iter().filter_map(|it| match it {
        Effect::Gossip {
            to,
            gossip: Gossip::Fetch { from, to: upto, .. },
        } => Some((to.clone(), *from, *upto)),
        _ => None,
    });
    fetches.collect()
}

/// The certificates gossiped: to whom, whether as a reply, and their ranks.
pub fn exchanged(effects: Effects) -> Vec<Exchanged> {
    let exchanged = effects.iter().filter_map(|it| match it {
        Effect::Gossip {
            to,
            gossip:
                Gossip::Certificates {
                    reply,
                    certificates,
                },
        } => Some((
            to.clone(),
            *reply,
            certificates.iter().map(|it| it.rank()).collect(),
        )),
        _ => None,
    });
    exchanged.collect()
}

/// The heights the application is asked about.
pub fn judged(effects: Effects) -> Vec<u64> {
    let judged = effects.iter().filter_map(|it| match it {
        Effect::Judge(header) => Some(header.height()),
        _ => None,
    });
    judged.collect()
}

/// The headers the application is asked about.
pub fn to_judge(effects: Effects) -> Vec<Arc<Signed<Nouns>>> {
    let judged = effects.iter().filter_map(|it| match it {
        Effect::Judge(header) => Some(header.clone()),
        _ => None,
    });
    judged.collect()
}

/// The batches of certificates to check.
pub fn to_check(effects: Effects) -> Vec<Vec<Candidate<Nouns>>> {
    let batches = effects.iter().filter_map(|it| match it {
        Effect::Check(batch) => Some(batch.clone()),
        _ => None,
    });
    batches.collect()
}

/// The heights newly locked.
pub fn locked(effects: Effects) -> Vec<u64> {
    let locked = effects.iter().filter_map(|it| match it {
        Effect::Report(Activity::Tip(header)) => Some(header.height()),
        _ => None,
    });
    locked.collect()
}

/// Height and epoch of the certificates newly adopted.
pub fn certified(effects: Effects) -> Vec<(u64, u64)> {
    let certified = effects.iter().filter_map(|it| match it {
        Effect::Report(Activity::Certified(certificate)) => Some(certificate.rank()),
        _ => None,
    });
    certified.collect()
}

/// The proofs reported.
pub fn proofs(effects: Effects) -> Vec<Evidence<Nouns>> {
    let proofs = effects.iter().filter_map(|it| match it {
        Effect::Report(Activity::Evidence(evidence)) => Some(evidence.clone()),
        _ => None,
    });
    proofs.collect()
}

/// The envelopes sent to one peer.
pub fn answers(effects: Effects) -> Vec<(free::PublicKey, Envelope<Nouns>)> {
    let answers = effects.iter().filter_map(|it| match it {
        Effect::Answer { to, envelope } => Some((to.clone(), envelope.clone())),
        _ => None,
    });
    answers.collect()
}

/// The answers to nodes that lost their disks.
pub fn told(effects: Effects) -> Vec<Told<Nouns>> {
    let told = effects.iter().filter_map(|it| match it {
        Effect::Tell { told, .. } => Some(told.clone()),
        _ => None,
    });
    told.collect()
}
