//! What peers see: one channel.
//!
//! | kind | message |
//! |---|---|
//! | 0 | a [`Request`] |
//! | 1 | an [`Answer`]: the run, compact headers, lowest first |
//! | 2 | an [`Answer`]: not here, or not now |
//!
//! A run is the rest of its message: its length is never claimed, and it is a view of the bytes that came.

use super::{Question, Refusal};
use bytes::{Bytes, BytesMut};
use commonware_codec::{FixedSize as _, ReadExt as _, Write as _};
use commonware_cryptography::PublicKey;
use commonware_runtime::{IoBuf, IoBufs};
use drystone_engine::types::{Genesis, Signed, Types};

/// Asks a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<P> {
    /// Names the question between the two.
    pub number: u64,
    /// The question.
    pub question: Question<P>,
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of the request.
    pub number: u64,
    /// Whole headers, as many as a run may have, not read yet. `None` if they are not here, or too much is asked.
    pub run: Option<Bytes>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<P> {
    /// A question.
    Request(Request<P>),
    /// The answer to one.
    Answer(Answer),
}

const REQUEST: u8 = 0;
const RUN: u8 = 1;
const ABSENT: u8 = 2;

/// Kind and number.
const PREFIX: usize = 1 + 8;

/// The largest message.
pub fn message_size_max<T: Types>(genesis: &Genesis) -> usize {
    PREFIX + run_size_max::<T>(genesis).max(Question::<T::PublicKey>::SIZE)
}

fn run_size_max<T: Types>(genesis: &Genesis) -> usize {
    let headers = usize::try_from(genesis.lane_headers_max).unwrap_or(usize::MAX);
    headers
        .saturating_mul(Signed::<T>::COMPACT_SIZE)
        .min(usize::MAX - PREFIX)
}

impl<P: PublicKey> Message<P> {
    /// The message. A run goes out as it lies.
    pub fn encode(self) -> IoBufs {
        let (kind, number) = match &self {
            Self::Request(it) => (REQUEST, it.number),
            Self::Answer(it) if it.run.is_some() => (RUN, it.number),
            Self::Answer(it) => (ABSENT, it.number),
        };
        let mut prefix = BytesMut::with_capacity(PREFIX + Question::<P>::SIZE);
        kind.write(&mut prefix);
        number.write(&mut prefix);
        let mut run = None;
        match self {
            Self::Request(it) => it.question.write(&mut prefix),
            Self::Answer(it) => run = it.run,
        }
        let mut message = IoBufs::from(prefix.freeze());
        if let Some(run) = run {
            message.append(IoBuf::from(run));
        }
        message
    }

    /// Reads a message. A run is a view of it, whose headers are not read.
    ///
    /// # Errors
    /// If it is malformed, longer than a run may be, or asks for what no block can stand for.
    pub fn decode<T: Types<PublicKey = P>>(
        message: IoBuf,
        genesis: &Genesis,
    ) -> Result<Self, Refusal> {
        let mut buf = Bytes::from(message);
        let kind = u8::read(&mut buf)?;
        let number = u64::read(&mut buf)?;
        let message = match kind {
            REQUEST => {
                let question = Question::read(&mut buf)?;
                if !question.is_possible(genesis) {
                    return Err(Refusal::Impossible(question.height));
                }
                Self::Request(Request { number, question })
            }
            RUN => {
                let (len, size) = (buf.len(), Signed::<T>::COMPACT_SIZE);
                if len == 0 || len > run_size_max::<T>(genesis) || !len.is_multiple_of(size) {
                    return Err(Refusal::Malformed(format!(
                        "a run of {len} bytes: it must be 1 to {} headers of {size}",
                        genesis.lane_headers_max
                    )));
                }
                let run = Some(std::mem::take(&mut buf));
                Self::Answer(Answer { number, run })
            }
            ABSENT => Self::Answer(Answer { number, run: None }),
            other => {
                return Err(Refusal::Malformed(format!(
                    "kind is {other}, it must be at most {ABSENT}"
                )));
            }
        };
        if !buf.is_empty() {
            return Err(Refusal::Malformed(format!("{} trailing bytes", buf.len())));
        }
        Ok(message)
    }
}
