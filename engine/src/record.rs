//! What the tip journal holds.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use crate::{
    journal::{self, Grouped},
    types::{Certificate, Evidence, Signed, Tip, Types},
};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize as _, Read, ReadExt as _, Write};
use std::sync::Arc;

/// One entry of the journal that all lanes of a node share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<T: Types> {
    /// A header is locked in an epoch: durable before its ack leaves.
    Lock {
        /// The epoch.
        epoch: u64,
        /// The header.
        header: Arc<Signed<T>>,
    },
    /// A lane's base: durable before any lock it covers is dropped and before it is acked.
    Base {
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The place.
        tip: Tip,
        /// What certifies it; `None` if it is the lane's entry in the executed lane table.
        certificate: Option<Arc<Certificate<T>>>,
    },
    /// A header of this node's own lane: durable before it is sent.
    Own {
        /// The header.
        header: Arc<Signed<T>>,
    },
    /// An epoch was entered: durable before any lock is dropped and before the first ack in it.
    Entered {
        /// The epoch.
        epoch: u64,
    },
    /// This node lost its disk once: it signs nothing in epochs below this one.
    Muted {
        /// The first epoch in which it may sign.
        until: u64,
    },
    /// A sequencer is proven faulty: the first proof in an epoch.
    Evidence {
        /// The epoch in which it was found.
        epoch: u64,
        /// The proof.
        evidence: Evidence<T>,
    },
}

/// What a later record replaces, and what is forgotten by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key<P> {
    /// Of [`Record::Lock`]: the lane, the height, the epoch.
    Lock(P, u64, u64),
    /// Of [`Record::Base`]: the lane.
    Base(P),
    /// Of [`Record::Own`]: the height.
    Own(u64),
    /// Of [`Record::Entered`].
    Entered,
    /// Of [`Record::Muted`].
    Muted,
    /// Of [`Record::Evidence`]: the lane and the epoch.
    Evidence(P, u64),
}

/// What the journal keeps together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group<P> {
    /// A lane's locks, by height and epoch.
    Locks(P),
    /// A lane's base.
    Base(P),
    /// The headers of this node's own lane, by height.
    Own,
    /// The epoch entered.
    Entered,
    /// The epoch from which on this node signs.
    Muted,
    /// The proofs against a lane, by epoch.
    Evidence(P),
}

impl<P: Ord + Clone + Send + Sync + 'static> Grouped for Key<P> {
    type Group = Group<P>;
    type Place = (u64, u64);

    fn split(self) -> (Group<P>, (u64, u64)) {
        match self {
            Self::Lock(lane, height, epoch) => (Group::Locks(lane), (height, epoch)),
            Self::Base(lane) => (Group::Base(lane), (0, 0)),
            Self::Own(height) => (Group::Own, (height, 0)),
            Self::Entered => (Group::Entered, (0, 0)),
            Self::Muted => (Group::Muted, (0, 0)),
            Self::Evidence(lane, epoch) => (Group::Evidence(lane), (epoch, 0)),
        }
    }
}

impl<T: Types> journal::Record for Record<T> {
    type Key = Key<T::PublicKey>;

    fn key(&self) -> Self::Key {
        match self {
            Self::Lock { epoch, header } => {
                Key::Lock(header.header().sequencer.clone(), header.height(), *epoch)
            }
            Self::Base { sequencer, .. } => Key::Base(sequencer.clone()),
            Self::Own { header } => Key::Own(header.height()),
            Self::Entered { .. } => Key::Entered,
            Self::Muted { .. } => Key::Muted,
            Self::Evidence { epoch, evidence } => {
                Key::Evidence(evidence.sequencer().clone(), *epoch)
            }
        }
    }
}

impl<T: Types> Write for Record<T> {
    fn write(&self, buf: &mut impl BufMut) {
        match self {
            Self::Lock { epoch, header } => {
                0u8.write(buf);
                epoch.write(buf);
                header.write(buf);
            }
            Self::Base {
                sequencer,
                tip,
                certificate: None,
            } => {
                1u8.write(buf);
                sequencer.write(buf);
                tip.write(buf);
            }
            Self::Base {
                certificate: Some(certificate),
                ..
            } => {
                2u8.write(buf);
                certificate.write(buf);
            }
            Self::Own { header } => {
                3u8.write(buf);
                header.write(buf);
            }
            Self::Entered { epoch } => {
                4u8.write(buf);
                epoch.write(buf);
            }
            Self::Muted { until } => {
                5u8.write(buf);
                until.write(buf);
            }
            Self::Evidence { epoch, evidence } => {
                6u8.write(buf);
                epoch.write(buf);
                evidence.write(buf);
            }
        }
    }
}

impl<T: Types> EncodeSize for Record<T> {
    fn encode_size(&self) -> usize {
        1 + match self {
            Self::Lock { header, .. } => 8 + header.encode_size(),
            Self::Base {
                sequencer,
                certificate: None,
                ..
            } => sequencer.encode_size() + Tip::SIZE,
            Self::Base {
                certificate: Some(certificate),
                ..
            } => certificate.encode_size(),
            Self::Own { header } => header.encode_size(),
            Self::Entered { .. } | Self::Muted { .. } => 8,
            Self::Evidence { evidence, .. } => 8 + evidence.encode_size(),
        }
    }
}

impl<T: Types> Read for Record<T> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(match u8::read(buf)? {
            0 => Self::Lock {
                epoch: u64::read(buf)?,
                header: Arc::new(Signed::read(buf)?),
            },
            1 => Self::Base {
                sequencer: T::PublicKey::read(buf)?,
                tip: Tip::read(buf)?,
                certificate: None,
            },
            2 => {
                let certificate = Certificate::<T>::read(buf)?;
                Self::Base {
                    sequencer: certificate.sequencer.clone(),
                    tip: certificate.tip,
                    certificate: Some(Arc::new(certificate)),
                }
            }
            3 => Self::Own {
                header: Arc::new(Signed::read(buf)?),
            },
            4 => Self::Entered {
                epoch: u64::read(buf)?,
            },
            5 => Self::Muted {
                until: u64::read(buf)?,
            },
            6 => Self::Evidence {
                epoch: u64::read(buf)?,
                evidence: Evidence::read(buf)?,
            },
            tag => return Err(Error::InvalidEnum(tag)),
        })
    }
}
