//! Certificates.

use super::{Committee, Digest, Tip, Types};
use crate::scheme::AckSubject;
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt as _, Write};
use commonware_cryptography::certificate::Verifier;
use commonware_parallel::Strategy;
use rand_core::CryptoRng;

/// What a scheme assembles from 2f+1 signatures.
pub type Proof<T> = <<T as Types>::Scheme as Verifier>::Certificate;

/// 2f+1 acks of one epoch over one tip, and so over all of the lane below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate<T: Types> {
    /// The epoch whose validators signed.
    pub epoch: u64,
    /// Whose lane.
    pub sequencer: T::PublicKey,
    /// The certified place.
    pub tip: Tip,
    /// The signatures.
    pub proof: Proof<T>,
}

impl<T: Types> Certificate<T> {
    /// What the signers signed.
    pub const fn subject(&self) -> AckSubject<'_, T::PublicKey> {
        self.tip.subject(self.epoch, &self.sequencer)
    }

    /// The order in which one certificate of a lane replaces another: height, then epoch.
    pub const fn rank(&self) -> (u64, u64) {
        (self.tip.height, self.epoch)
    }

    /// Checks the signatures against the committee of the certificate's epoch.
    pub fn verify(
        &self,
        committee: &Committee<T>,
        rng: &mut impl CryptoRng,
        strategy: &impl Strategy,
    ) -> bool {
        committee.epoch() == self.epoch
            && committee.scheme().verify_certificate::<_, Digest>(
                rng,
                self.subject(),
                &self.proof,
                strategy,
            )
    }
}

/// As journaled: self-contained. Never used on bytes from the network, whose proofs are bounded by
/// the epoch's committee (see `wire`).
impl<T: Types> Write for Certificate<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.epoch.write(buf);
        self.sequencer.write(buf);
        self.tip.write(buf);
        self.proof.write(buf);
    }
}

impl<T: Types> EncodeSize for Certificate<T> {
    fn encode_size(&self) -> usize {
        self.epoch.encode_size()
            + self.sequencer.encode_size()
            + self.tip.encode_size()
            + self.proof.encode_size()
    }
}

impl<T: Types> Read for Certificate<T> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            epoch: u64::read(buf)?,
            sequencer: T::PublicKey::read(buf)?,
            tip: Tip::read(buf)?,
            proof: Proof::<T>::read_cfg(buf, &T::Scheme::certificate_codec_config_unbounded())?,
        })
    }
}
