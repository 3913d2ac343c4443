//! The one encoding of a block.

use super::{Block, Body, Executed, Included, place};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt as _, Write};
use commonware_consensus::BoundedBlock;
use commonware_cryptography::certificate::{Scheme as _, Verifier as _};
use drystone_engine::types::{Certificate, Digest, Header, Proof, Provider, Types};
use std::{fmt, sync::Arc};

/// What a decoder holds claims against.
///
/// The proof of a certificate is bounded by the committee of its epoch. A node that follows from far behind may not know
/// that committee yet, and must be able to keep the block all the same: then a certificate is bounded by the largest
/// committee that the deployment allows. Whether it is valid is asked once the committee is known.
pub struct Bounds<T: Types> {
    /// Knows the committees.
    pub provider: Arc<dyn Provider<T>>,
    /// Validators in an epoch, at most.
    pub validators_max: u32,
    /// Lanes in a block, at most: the sequencers of two epochs.
    pub lanes_max: u16,
}

impl<T: Types> Clone for Bounds<T> {
    fn clone(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            ..*self
        }
    }
}

impl<T: Types> fmt::Debug for Bounds<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounds")
            .field("validators_max", &self.validators_max)
            .field("lanes_max", &self.lanes_max)
            .finish_non_exhaustive()
    }
}

impl<T: Types> Bounds<T> {
    fn certificate_size_max(&self) -> usize {
        T::Scheme::max_certificate_size(self.validators_max)
    }

    fn read_proof(
        &self,
        epoch: u64,
        sequencer: &T::PublicKey,
        buf: &mut impl Buf,
    ) -> Result<Proof<T>, Error> {
        let Some(committee) = self.provider.committee(epoch) else {
            let proof =
                Proof::<T>::read_cfg(buf, &T::Scheme::certificate_codec_config_unbounded())?;
            return if proof.encode_size() <= self.certificate_size_max() {
                Ok(proof)
            } else {
                Err(Error::Invalid("Block", "a certificate is too large"))
            };
        };
        if committee.sequencer_index(sequencer).is_none() {
            return Err(Error::Invalid("Block", "a lane of no sequencer"));
        }
        assert!(
            committee.scheme().participants().len() <= self.validators_max as usize,
            "validators_max is {}: epoch {epoch} has more validators",
            self.validators_max
        );
        Proof::<T>::read_cfg(buf, &committee.scheme().certificate_codec_config())
    }
}

impl Write for Executed {
    fn write(&self, buf: &mut impl BufMut) {
        self.height.write(buf);
        self.root.write(buf);
    }
}

impl FixedSize for Executed {
    const SIZE: usize = 8 + Digest::SIZE;
}

impl Read for Executed {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            height: u64::read(buf)?,
            root: Digest::read(buf)?,
        })
    }
}

impl<T: Types> Included<T> {
    /// All but the proof.
    const FIXED_SIZE: usize = <Header<T::PublicKey> as FixedSize>::SIZE + 8;
}

impl<T: Types> Write for Included<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.header.write(buf);
        self.certificate.epoch.write(buf);
        self.certificate.proof.write(buf);
    }
}

impl<T: Types> EncodeSize for Included<T> {
    fn encode_size(&self) -> usize {
        Self::FIXED_SIZE + self.certificate.proof.encode_size()
    }
}

impl<T: Types> Read for Included<T> {
    type Cfg = Bounds<T>;

    fn read_cfg(buf: &mut impl Buf, bounds: &Bounds<T>) -> Result<Self, Error> {
        let header = Header::<T::PublicKey>::read(buf)?;
        if header.height == 0 {
            return Err(Error::Invalid("Block", "a lane's root has no header"));
        }
        let epoch = u64::read(buf)?;
        let proof = bounds.read_proof(epoch, &header.sequencer, buf)?;
        let certificate = Arc::new(Certificate {
            epoch,
            sequencer: header.sequencer.clone(),
            tip: place(&header),
            proof,
        });
        Ok(Self {
            header,
            certificate,
        })
    }
}

impl<T: Types> Body<T> {
    /// All but the tips.
    const FIXED_SIZE: usize = Digest::SIZE + 8 + 8 + Executed::SIZE + 2;
}

impl<T: Types> Write for Body<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.parent.write(buf);
        self.height.write(buf);
        self.timestamp_ms.write(buf);
        self.executed.write(buf);
        u16::try_from(self.tips.len())
            .expect("as many lanes as the deployment allows")
            .write(buf);
        self.tips.iter().for_each(|it| it.write(buf));
    }
}

impl<T: Types> EncodeSize for Body<T> {
    fn encode_size(&self) -> usize {
        let tips: usize = self.tips.iter().map(EncodeSize::encode_size).sum();
        Self::FIXED_SIZE + tips
    }
}

impl<T: Types> Read for Body<T> {
    type Cfg = Bounds<T>;

    fn read_cfg(buf: &mut impl Buf, bounds: &Bounds<T>) -> Result<Self, Error> {
        let mut body = Self {
            parent: Digest::read(buf)?,
            height: u64::read(buf)?,
            timestamp_ms: u64::read(buf)?,
            executed: Executed::read(buf)?,
            tips: Vec::new(),
        };
        let count = u16::read(buf)?;
        if count > bounds.lanes_max {
            return Err(Error::InvalidLength(usize::from(count)));
        }
        // It grows with what is really there, not with what is claimed.
        for _ in 0..count {
            let next = Included::<T>::read_cfg(buf, bounds)?;
            if body
                .tips
                .last()
                .is_some_and(|it| it.sequencer() >= next.sequencer())
            {
                return Err(Error::Invalid("Block", "tips out of order"));
            }
            body.tips.push(next);
        }
        Ok(body)
    }
}

impl<T: Types> Write for Block<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.body.write(buf);
    }
}

impl<T: Types> EncodeSize for Block<T> {
    fn encode_size(&self) -> usize {
        self.body.encode_size()
    }
}

impl<T: Types> Read for Block<T> {
    type Cfg = Bounds<T>;

    fn read_cfg(buf: &mut impl Buf, bounds: &Bounds<T>) -> Result<Self, Error> {
        Body::read_cfg(buf, bounds).map(Self::new)
    }
}

impl<T: Types> BoundedBlock for Block<T> {
    fn max_encode_size(bounds: &Bounds<T>) -> usize {
        let tip = Included::<T>::FIXED_SIZE + bounds.certificate_size_max();
        Body::<T>::FIXED_SIZE + usize::from(bounds.lanes_max) * tip
    }
}
