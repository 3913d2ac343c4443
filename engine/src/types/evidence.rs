//! Proof of equivocation.

use super::{Certificate, Committee, Signed, Types};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt as _, Write};
use commonware_parallel::Strategy;
use rand_core::CryptoRng;
use std::sync::Arc;

/// Self-contained proof that a sequencer signed two headers for one height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence<T: Types> {
    /// Two signed headers of one lane and height. Lower digest first.
    Headers(Arc<Signed<T>>, Arc<Signed<T>>),
    /// A signed header beside a certificate over another at its height.
    Certified(Arc<Signed<T>>, Arc<Certificate<T>>),
}

impl<T: Types> Evidence<T> {
    /// The proof made of two conflicting headers, in its one canonical order.
    pub fn headers(a: Arc<Signed<T>>, b: Arc<Signed<T>>) -> Self {
        if a.digest() <= b.digest() {
            Self::Headers(a, b)
        } else {
            Self::Headers(b, a)
        }
    }

    /// The sequencer that is proven faulty.
    pub fn sequencer(&self) -> &T::PublicKey {
        let (Self::Headers(header, _) | Self::Certified(header, _)) = self;
        &header.header().sequencer
    }

    /// The height signed twice.
    pub fn height(&self) -> u64 {
        let (Self::Headers(header, _) | Self::Certified(header, _)) = self;
        header.height()
    }

    /// Checks the proof by itself. A certificate needs the committee of its epoch: while that is not
    /// known, or is another epoch's, nothing is proven.
    pub fn verify(
        &self,
        header_namespace: &[u8],
        committee: Option<&Committee<T>>,
        rng: &mut impl CryptoRng,
        strategy: &impl Strategy,
    ) -> bool {
        match self {
            Self::Headers(a, b) => {
                a.header().sequencer == b.header().sequencer
                    && a.height() == b.height()
                    && a.digest() < b.digest()
                    && a.verify(header_namespace)
                    && b.verify(header_namespace)
            }
            Self::Certified(header, certificate) => {
                header.header().sequencer == certificate.sequencer
                    && header.height() == certificate.tip.height
                    && header.digest() != certificate.tip.digest
                    && header.verify(header_namespace)
                    && committee.is_some_and(|it| certificate.verify(it, rng, strategy))
            }
        }
    }
}

impl<T: Types> Write for Evidence<T> {
    fn write(&self, buf: &mut impl BufMut) {
        match self {
            Self::Headers(a, b) => {
                0u8.write(buf);
                a.write(buf);
                b.write(buf);
            }
            Self::Certified(header, certificate) => {
                1u8.write(buf);
                header.write(buf);
                certificate.write(buf);
            }
        }
    }
}

impl<T: Types> EncodeSize for Evidence<T> {
    fn encode_size(&self) -> usize {
        1 + match self {
            Self::Headers(a, b) => a.encode_size() + b.encode_size(),
            Self::Certified(header, certificate) => {
                header.encode_size() + certificate.encode_size()
            }
        }
    }
}

/// As journaled. Refuses two headers out of order: one proof has one encoding.
impl<T: Types> Read for Evidence<T> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        match u8::read(buf)? {
            0 => {
                let a = Signed::read(buf)?;
                let b = Signed::read(buf)?;
                if a.digest() >= b.digest() {
                    return Err(Error::Invalid(
                        "Evidence",
                        "headers must differ, lower digest first",
                    ));
                }
                Ok(Self::Headers(Arc::new(a), Arc::new(b)))
            }
            1 => Ok(Self::Certified(
                Arc::new(Signed::read(buf)?),
                Arc::new(Certificate::read(buf)?),
            )),
            tag => Err(Error::InvalidEnum(tag)),
        }
    }
}
