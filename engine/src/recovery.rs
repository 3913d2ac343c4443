//! What a node that lost its disk must learn before it signs again.
//!
//! Its key may have signed anything before. It asks the validators of the newest epoch it knows, and
//! goes on once 2f+1 of the others have answered *this* start's question: it acks nothing in any epoch
//! it could have acked in, and extends the highest header of its lane that anybody shows. If a header
//! that nobody showed exists, the lane is split until a later epoch drops the locks on it.
//!
//! A lost disk counts towards f: where f is 0, among up to three validators, none can be borne, and a validator that lost
//! its disk does not start again. It would wait for answers that do not exist.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use crate::{
    environment::{Environment, Transport},
    epochs::Epochs,
    record::Record,
    refusal::Refusal,
    types::{Bounds, Certificate, Genesis, Signed, Types},
    wire::{Gossip, Told},
};
use commonware_macros::select;
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_utils::ordered::Set;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use thiserror::Error;
use tracing::{debug, info};

/// The answers so far. Pure.
pub struct State<T: Types> {
    genesis: Arc<Genesis>,
    header_namespace: Vec<u8>,
    me: T::PublicKey,
    nonce: u64,
    bounds: Bounds,
    validators: Set<T::PublicKey>,
    quorum: usize,
    /// How many of the validators may lie: f.
    faults: usize,
    answers: BTreeMap<T::PublicKey, Told<T>>,
}

impl<T: Types> State<T> {
    /// Asks the validators of the newest epoch known.
    ///
    /// # Errors
    /// If there are too few others to make a quorum.
    pub fn new(
        genesis: Arc<Genesis>,
        me: T::PublicKey,
        nonce: u64,
        bounds: Bounds,
        epochs: &Epochs<T>,
    ) -> Result<Self, RecoveryError> {
        let committee = epochs.current();
        let validators = committee.validators();
        let others = validators.len() - usize::from(validators.position(&me).is_some());
        if others < committee.quorum() {
            return Err(RecoveryError::TooFew {
                others,
                quorum: committee.quorum(),
            });
        }
        Ok(Self {
            header_namespace: genesis.header_namespace(),
            genesis,
            me,
            nonce,
            bounds,
            validators: validators.clone(),
            quorum: committee.quorum(),
            faults: committee.faults(),
            answers: BTreeMap::new(),
        })
    }

    /// The question's number.
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Who has not answered yet.
    pub fn silent(&self) -> Vec<T::PublicKey> {
        let others = self.validators.iter().filter(|it| **it != self.me);
        others
            .filter(|it| !self.answers.contains_key(it))
            .cloned()
            .collect()
    }

    /// Takes an answer whose certificate, if any, was checked. Returns what to journal once 2f+1
    /// others have answered.
    ///
    /// # Errors
    /// If the answer is not one to this question, or shows headers this node's key did not sign.
    pub fn told(
        &mut self,
        from: T::PublicKey,
        told: Told<T>,
    ) -> Result<Option<Vec<Record<T>>>, Refusal> {
        if self.validators.position(&from).is_none() {
            return Err(Refusal::NotValidator(told.epoch));
        }
        if told.nonce != self.nonce {
            return Err(Refusal::Malformed(
                "an answer to an earlier question".into(),
            ));
        }
        for header in &told.headers {
            if !header.is_well_formed(&self.genesis) {
                return Err(Refusal::Impossible(header.height()));
            }
            if !header.verify(&self.header_namespace) {
                return Err(Refusal::HeaderSignature(header.height()));
            }
        }
        self.answers.insert(from, told);
        Ok((self.answers.len() >= self.quorum).then(|| self.conclude()))
    }

    fn conclude(&self) -> Vec<Record<T>> {
        let entered = self.entered();
        let until = entered.saturating_add(self.bounds.future).saturating_add(1);
        let mut records = vec![Record::Muted { until }];
        let certificates = self
            .answers
            .values()
            .filter_map(|it| it.certificate.clone());
        let certificate = certificates.max_by_key(|it: &Arc<Certificate<T>>| it.rank());
        let base = certificate
            .as_ref()
            .map_or(self.genesis.root(&self.me), |it| it.tip);
        records.extend(certificate.map(|certificate| Record::Base {
            sequencer: self.me.clone(),
            tip: certificate.tip,
            certificate: Some(certificate),
        }));
        let run = self.highest_run();
        let own = run.into_iter().filter(|it| it.height() > base.height);
        records.extend(own.map(|header| Record::Own { header }));
        records
    }

    /// The newest epoch that f+1 of the answers stand at or above: at least one of these is honest, so no liar can mute
    /// this node for ever by naming an epoch that never comes. The highest answer alone would let it.
    ///
    /// What this gives away: this node, and honest ones that were quicker than the f+1, may stand above it. Nodes that are
    /// further apart than the future bound take nothing from each other, so that bound is added for the one; a node even
    /// further ahead acked where hardly anybody counted it, and if it acks there again it is still the one faulty node that
    /// a lost disk counts as.
    fn entered(&self) -> u64 {
        let mut epochs: Vec<_> = self.answers.values().map(|it| it.epoch).collect();
        epochs.sort_unstable();
        epochs[epochs.len() - 1 - self.faults]
    }

    /// The run that ends highest: what the lane must be extended from.
    fn highest_run(&self) -> Vec<Arc<Signed<T>>> {
        let runs = self.answers.values().map(|it| &it.headers);
        let highest = runs.max_by_key(|it| it.last().map(|header| header.tip()));
        highest.cloned().unwrap_or_default()
    }
}

/// Why recovery ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecoveryError {
    /// The transport closed.
    #[error("the network closed before 2f+1 validators had answered")]
    Closed,
    /// No quorum is left beside this node.
    #[error(
        "the disk is lost, or was never initialised, and only {others} other validators can say what was signed before, \
         {quorum} must: restore the disk, or replace this validator's key"
    )]
    TooFew {
        /// Validators beside this node.
        others: usize,
        /// How many must answer.
        quorum: usize,
    },
}

/// Asks until 2f+1 others have answered. Nothing else of the node runs meanwhile.
///
/// # Errors
/// If the transport closes.
pub async fn recover<E, N, T>(
    context: &mut E,
    mut state: State<T>,
    epochs: &Epochs<T>,
    (questions, answers): (&mut N::Sender, &mut N::Receiver),
    strategy: &T::Strategy,
    interval: Duration,
) -> Result<Vec<Record<T>>, RecoveryError>
where
    E: Environment,
    N: Transport<PublicKey = T::PublicKey>,
    T: Types,
{
    info!("the disk is not initialised: asking the validators what was signed before");
    let me = state.me.clone();
    loop {
        let ask = Gossip::<T>::Ask {
            nonce: state.nonce(),
        }
        .encode(epochs);
        questions.send(Recipients::Some(state.silent()), ask, true);
        let deadline = context.current() + interval;
        loop {
            let received = select! {
                received = answers.recv() => Some(received),
                _ = context.sleep_until(deadline) => None,
            };
            let Some(received) = received else { break };
            let (from, bytes) = received.map_err(|_| RecoveryError::Closed)?;
            let outcome = Told::decode(bytes, &me, epochs).and_then(|told| {
                check(&told, epochs, context, strategy)?;
                state.told(from.clone(), told)
            });
            match outcome {
                Ok(Some(records)) => return Ok(records),
                Ok(None) => {}
                Err(refusal) => debug!(?from, %refusal, "ignored an answer"),
            }
        }
    }
}

fn check<E: Environment, T: Types>(
    told: &Told<T>,
    epochs: &Epochs<T>,
    context: &mut E,
    strategy: &T::Strategy,
) -> Result<(), Refusal> {
    let Some(certificate) = &told.certificate else {
        return Ok(());
    };
    let (height, epoch) = certificate.rank();
    let committee = epochs
        .committee(epoch)
        .ok_or(Refusal::EpochUnknown(epoch))?;
    if certificate.verify(&committee, context, strategy) {
        Ok(())
    } else {
        Err(Refusal::CertificateSignature { height, epoch })
    }
}
