//! What stands around an engine: an application that agrees at once, and who notes what is certified.

use super::board::Board;
use commonware_cryptography::{Hasher as _, Sha256, Signer as _, ed25519 as edwards};
use commonware_parallel::Sequential;
use commonware_runtime::Clock as _;
use commonware_utils::{TryFromIterator as _, channel::oneshot, ordered::Set, sync::Mutex};
use drystone_engine::{
    Activity, Automaton, Judgement, Next, Reporter, Verdict,
    scheme::{
        fixture::{Committee as Signers, Fixture},
        free,
    },
    types::{self, Committee, Header, Payload, Provider},
};
use drystone_simulator::host::Crew;
use std::{fmt, marker::PhantomData, sync::Arc, time::UNIX_EPOCH};

/// The engine's nouns over one scheme.
pub struct Nouns<F>(PhantomData<F>);

impl<F> Clone for Nouns<F> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<F> fmt::Debug for Nouns<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nouns")
    }
}

impl<F> PartialEq for Nouns<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F> Eq for Nouns<F> {}

impl<F: Fixture> types::Types for Nouns<F> {
    type PublicKey = F::PublicKey;
    type PrivateKey = F::PrivateKey;
    type Scheme = F::Scheme;
    type Strategy = Sequential;
    type Automaton = Agreeing<F::PublicKey>;
    type Reporter = Noting<F::PublicKey>;
}

/// ed25519 identities that ack for free, as the baseline's `mock`.
pub struct Mock;

impl Fixture for Mock {
    type PublicKey = edwards::PublicKey;
    type PrivateKey = edwards::PrivateKey;
    type Scheme = free::Scheme<edwards::PublicKey>;

    fn committee(
        _: u64,
        namespace: &[u8],
        validators: &[edwards::PrivateKey],
    ) -> Signers<Self::Scheme> {
        let set = Set::try_from_iter(validators.iter().map(|key| key.public_key()));
        let set = set.expect("a validator occurs once in a set");
        let verifier = free::Scheme::verifier(namespace, set.clone());
        let signers = set.iter().filter_map(|key| verifier.sign_as(key)).collect();
        Signers { signers, verifier }
    }
}

/// What the doubles of all nodes share.
pub struct Shared<P> {
    pub board: Arc<Mutex<Board>>,
    pub clock: Arc<Crew>,
    /// Those that have a lane.
    pub sequencers: Arc<Set<P>>,
}

impl<P> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self {
            board: self.board.clone(),
            clock: self.clock.clone(),
            sequencers: self.sequencers.clone(),
        }
    }
}

impl<P> Shared<P> {
    fn now_us(&self) -> u64 {
        let since = self.clock.current().duration_since(UNIX_EPOCH);
        let since = since.expect("the runtime's time begins at the epoch");
        u64::try_from(since.as_micros()).expect("a run is shorter than 2^64 us")
    }
}

/// An application that proposes at once, up to a height, and agrees at once.
pub struct Agreeing<P> {
    pub shared: Shared<P>,
    pub node: usize,
    pub height: u64,
    /// Kept, so that the engine waits for the chunk that never comes.
    pub parked: Arc<Mutex<Option<oneshot::Sender<Payload>>>>,
}

impl<P> Clone for Agreeing<P> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            node: self.node,
            height: self.height,
            parked: self.parked.clone(),
        }
    }
}

impl<F: Fixture> Automaton<Nouns<F>> for Agreeing<F::PublicKey> {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        let (sender, receiver) = oneshot::channel();
        if next.height > self.height {
            *self.parked.lock() = Some(sender);
            return receiver;
        }
        let now_us = self.shared.now_us();
        self.shared.board.lock().proposed(self.node, now_us);
        let name = [(self.node as u64).to_be_bytes(), next.height.to_be_bytes()].concat();
        let payload = Payload {
            digest: Sha256::hash(&[&name]),
            bytes: 1,
            items: 1,
        };
        assert!(sender.send(payload).is_ok(), "the receiver is held here");
        receiver
    }

    fn judge(&mut self, _: &Header<F::PublicKey>) -> Judgement {
        Judgement::Now(Verdict::Valid)
    }

    fn relay(&mut self, _: &Header<F::PublicKey>) {}
}

/// Notes the certificates of one validator.
pub struct Noting<P> {
    pub shared: Shared<P>,
    pub node: usize,
}

impl<P> Clone for Noting<P> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            node: self.node,
        }
    }
}

impl<F: Fixture> Reporter<Nouns<F>> for Noting<F::PublicKey> {
    fn report(&self, activity: Activity<Nouns<F>>) {
        if let Activity::Certified(certificate) = activity {
            let lane = self.shared.sequencers.position(&certificate.sequencer);
            let lane = lane.expect("only sequencers have lanes");
            let now_us = self.shared.now_us();
            let mut board = self.shared.board.lock();
            board.certified(self.node, lane, certificate.tip, now_us);
        }
    }
}

/// One epoch without end, as one validator sees it.
pub struct Forever<F: Fixture>(pub Arc<Committee<Nouns<F>>>);

impl<F: Fixture> Provider<Nouns<F>> for Forever<F> {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns<F>>>> {
        (epoch == self.0.epoch()).then(|| self.0.clone())
    }
}
