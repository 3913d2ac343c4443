//! What the tests share: free keys, lanes of real bodies, certificates.

pub mod blocks;
pub mod disks;
pub mod network;

pub use crate::mocks as payments;

use crate::{
    chunk::{self, Chunk},
    reference::{Place, Reference},
    transaction::{Account, Checks, Facts, Invalid, Rules, Transaction},
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256, Signer as _, certificate::Scheme as _};
use commonware_parallel::Sequential;
use commonware_utils::{TryFromIterator as _, channel::oneshot, iter::NonEmpty, ordered::Set};
use drystone_engine::{
    Activity, Automaton, Judgement, Next, Reporter,
    scheme::{
        fixture::{Fixture as _, Free},
        free,
    },
    types::{Certificate, Committee, Digest, Genesis, Header, Limits, Payload, Signed, Tip, Types},
};
use std::sync::Arc;

pub type Key = free::PublicKey;

/// The nouns over free signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nouns;

impl Types for Nouns {
    type PublicKey = Key;
    type PrivateKey = free::PrivateKey;
    type Scheme = free::Scheme<Key>;
    type Strategy = Sequential;
    type Automaton = Nobody;
    type Reporter = Nobody;
}

/// Stands where an engine would call: these tests call the actors themselves.
#[derive(Clone)]
pub struct Nobody;

impl Automaton<Nouns> for Nobody {
    fn propose(&mut self, _: Next) -> oneshot::Receiver<Payload> {
        unreachable!("no engine runs here")
    }

    fn judge(&mut self, _: &Header<Key>) -> Judgement {
        unreachable!("no engine runs here")
    }

    fn relay(&mut self, _: &Header<Key>) {
        unreachable!("no engine runs here")
    }
}

impl Reporter<Nouns> for Nobody {
    fn report(&self, _: Activity<Nouns>) {
        unreachable!("no engine runs here")
    }
}

pub fn genesis() -> Genesis {
    Genesis {
        digest: Sha256::hash(&[b"test"]),
        slot_ms: 1,
        window_ms: 1_000,
        in_flight_max: 4,
        lane_ahead_max: Limits {
            chunks: 4,
            bytes: 4_000,
            items: 400,
        },
        lane_headers_max: 16,
        chunk_bytes_max: 1_000,
        chunk_items_max: 100,
    }
}

/// A chunk told from others by `salt`, of about this many bytes.
pub fn chunk(salt: u64, bytes: usize) -> Chunk {
    let mut transaction = salt.to_be_bytes().to_vec();
    transaction.resize(bytes.saturating_sub(8).max(8), 0);
    Chunk::pack(&[Bytes::from(transaction)], &LIMITS).expect("within limits")
}

/// A chunk that [`Letters`] refuses.
pub fn invalid_chunk() -> Chunk {
    Chunk::pack(&[Bytes::from_static(b"!")], &LIMITS).expect("within limits")
}

/// What the genesis of these tests lets into a chunk.
pub const LIMITS: chunk::Limits = chunk::Limits {
    bytes_max: 1_000,
    items_max: 100,
};

/// Rules that refuse what begins with an exclamation mark.
#[derive(Clone, Copy)]
pub struct Letters;

impl Rules for Letters {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        if bytes.first() == Some(&b'!') {
            return Err(Invalid::because("it shouts"));
        }
        Ok(Facts {
            id: Sha256::hash(&[bytes]),
            account: Account([0; 32]),
            expiry_ms: u64::MAX,
        })
    }

    async fn check(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        transactions.iter().map(|_| Ok(())).collect()
    }
}

/// Keys of which the first four are validators and all are sequencers.
pub struct World {
    pub genesis: Arc<Genesis>,
    pub keys: Vec<free::PrivateKey>,
}

impl World {
    pub fn new() -> Self {
        Self {
            genesis: Arc::new(genesis()),
            keys: Free::identities(1, 6),
        }
    }

    pub fn key(&self, who: usize) -> Key {
        self.keys[who].public_key()
    }

    pub fn root(&self, who: usize) -> Tip {
        self.genesis.root(&self.key(who))
    }

    /// The header of `who` above a place.
    pub fn header(
        &self,
        who: usize,
        below: Tip,
        slot: u64,
        payload: Payload,
    ) -> Arc<Signed<Nouns>> {
        let header = Header {
            sequencer: self.key(who),
            height: below.height + 1,
            slot,
            previous: below.digest,
            payload,
        };
        let namespace = self.genesis.header_namespace();
        Arc::new(Signed::sign(header, &self.keys[who], &namespace))
    }

    /// `count` headers above a place, in the slots from `slot` on. Another `salt` is another branch.
    pub fn branch(
        &self,
        who: usize,
        mut below: Tip,
        slot: u64,
        count: u64,
        salt: u64,
    ) -> Vec<Arc<Signed<Nouns>>> {
        let payload = Payload {
            digest: Sha256::hash(&[&salt.to_be_bytes()]),
            bytes: 100,
            items: 10,
        };
        let next = |index| {
            let header = self.header(who, below, slot + index, payload);
            below = header.tip();
            header
        };
        (0..count).map(next).collect()
    }

    /// Names a chunk of `who`.
    pub fn reference(&self, who: usize, height: u64, slot: u64, chunk: &Chunk) -> Reference<Key> {
        let payload = chunk.payload();
        Reference {
            sequencer: self.key(who),
            place: Place {
                height,
                slot,
                digest: payload.digest,
            },
            bytes: payload.bytes,
            items: payload.items,
        }
    }

    /// A lane from height 1: the header of height `h` is at index `h - 1`.
    pub fn lane(&self, who: usize, slot: u64, count: u64) -> Vec<Arc<Signed<Nouns>>> {
        self.branch(who, self.root(who), slot, count, 0)
    }

    pub fn committee(&self, me: usize, epoch: u64) -> Committee<Nouns> {
        self.seats(me, epoch)
    }

    /// The same for other nouns.
    pub fn seats<T>(&self, me: usize, epoch: u64) -> Committee<T>
    where
        T: Types<PublicKey = Key, Scheme = free::Scheme<Key>>,
    {
        let schemes = Free::committee(0, self.genesis.ack_namespace(), &self.keys[..4]);
        let sequencers = Set::try_from_iter(self.keys.iter().map(|it| it.public_key()));
        let scheme = schemes.of(&self.key(me)).clone();
        Committee::new(epoch, scheme, sequencers.expect("distinct"))
    }

    /// What the first three validators certify.
    pub fn certificate(&self, epoch: u64, header: &Signed<Nouns>) -> Arc<Certificate<Nouns>> {
        certify([0, 1, 2].map(|it| self.committee(it, epoch)), header)
    }
}

/// What three validators certify, each of whom brings the committee as it sees it.
pub fn certify(seats: [Committee<Nouns>; 3], header: &Signed<Nouns>) -> Arc<Certificate<Nouns>> {
    let (tip, sequencer) = (header.tip(), header.header().sequencer.clone());
    let epoch = seats[0].epoch();
    let acks = seats.each_ref().map(|it| {
        let ack = it.scheme().sign::<Digest>(tip.subject(epoch, &sequencer));
        ack.expect("a validator")
    });
    let acks = NonEmpty::try_new(acks.into_iter()).expect("three");
    let proof = seats[0].scheme().assemble(acks, &Sequential);
    Arc::new(Certificate {
        epoch,
        sequencer,
        tip,
        proof: proof.expect("a quorum"),
    })
}
