//! What peers see: four channels, their messages, their limits.
//!
//! | channel | message | from, to |
//! |---|---|---|
//! | headers | [`Envelope`] | a sequencer to validators; also the answer to a fetch |
//! | acks | [`Acks`] | a validator to the sequencer |
//! | gossip | [`Gossip`] | newest certificates, fetches, questions after a lost disk; any to any |
//! | answers | [`Told`] | what a question is answered with |
//!
//! Decoding is staged: the epoch is read first and resolved within the bounds, so that an index is
//! looked up in, and a proof's size bounded by, that epoch's committee. A claimed count is checked
//! against a constant before anything is allocated. Every message has one encoding.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use crate::{
    epochs::Epochs,
    refusal::Refusal,
    types::{Certificate, Committee, Digest, Proof, Signed, Tip, Types},
};
use bytes::{BufMut, Bytes, BytesMut};
use commonware_codec::{
    Buf, EncodeSize as _, FixedSize, Read as _, ReadExt as _, Write as _, types::lazy::Lazy,
};
use commonware_cryptography::certificate::{Attestation, Scheme, Verifier as _};
use commonware_utils::Participant;
use std::sync::Arc;

/// Headers in one envelope, at most.
pub const HEADERS_MAX: usize = 256;
/// Acks in one message, at most.
pub const ACKS_MAX: usize = 256;
/// Certificates in one gossip message, at most.
pub const CERTIFICATES_MAX: usize = 64;

/// A signature in an ack.
type AckSignature<T> = <<T as Types>::Scheme as Scheme>::Signature;

/// The largest message of any channel, for a network with up to `validators` in an epoch.
pub fn message_size_max<T: Types>(validators: u32) -> usize {
    let certificate = 16 + Tip::SIZE + T::Scheme::max_certificate_size(validators);
    let envelope = 32 + HEADERS_MAX * Signed::<T>::COMPACT_SIZE + certificate;
    let acks = 32 + ACKS_MAX * (8 + Digest::SIZE + AckSignature::<T>::SIZE);
    let gossip = 32 + CERTIFICATES_MAX * certificate;
    envelope.max(acks).max(gossip)
}

fn finish(buf: &impl Buf) -> Result<(), Refusal> {
    if buf.remaining() > 0 {
        return Err(Refusal::Malformed(format!(
            "{} trailing bytes",
            buf.remaining()
        )));
    }
    Ok(())
}

fn count(buf: &mut impl Buf, max: usize) -> Result<usize, Refusal> {
    let count = usize::from(u16::read(buf)?);
    if count > max {
        return Err(Refusal::Malformed(format!(
            "{count} entries, at most {max} are allowed"
        )));
    }
    Ok(count)
}

fn flag(buf: &mut impl Buf) -> Result<bool, Refusal> {
    match u8::read(buf)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Refusal::Malformed(format!(
            "flag is {other}, it must be 0 or 1"
        ))),
    }
}

fn sequencer<T: Types>(committee: &Committee<T>, index: u32) -> Result<&T::PublicKey, Refusal> {
    committee.sequencer(index).ok_or(Refusal::UnknownSequencer {
        epoch: committee.epoch(),
        index,
    })
}

fn certificate_size<T: Types>(certificate: &Certificate<T>) -> usize {
    8 + Tip::SIZE + certificate.proof.encode_size()
}

fn write_certificate<T: Types>(certificate: &Certificate<T>, buf: &mut impl BufMut) {
    certificate.epoch.write(buf);
    certificate.tip.write(buf);
    certificate.proof.write(buf);
}

fn read_certificate<T: Types>(
    key: &T::PublicKey,
    committee: &Committee<T>,
    buf: &mut impl Buf,
) -> Result<Arc<Certificate<T>>, Refusal> {
    let tip = Tip::read(buf)?;
    if tip.height == 0 {
        return Err(Refusal::Malformed(
            "a lane's root has no certificate".into(),
        ));
    }
    let proof = Proof::<T>::read_cfg(buf, &committee.scheme().certificate_codec_config())?;
    Ok(Arc::new(Certificate {
        epoch: committee.epoch(),
        sequencer: key.clone(),
        tip,
        proof,
    }))
}

fn write_headers<T: Types>(headers: &[Arc<Signed<T>>], buf: &mut impl BufMut) {
    assert!(
        headers.len() <= HEADERS_MAX,
        "the sender splits what it sends"
    );
    u16::try_from(headers.len())
        .expect("HEADERS_MAX fits")
        .write(buf);
    for header in headers {
        header.write_compact(buf);
    }
}

fn read_headers<T: Types>(
    key: &T::PublicKey,
    buf: &mut impl Buf,
) -> Result<Vec<Arc<Signed<T>>>, Refusal> {
    let count = count(buf, HEADERS_MAX)?;
    if buf.remaining() < count * Signed::<T>::COMPACT_SIZE {
        return Err(Refusal::Malformed("fewer headers than claimed".into()));
    }
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        headers.push(Arc::new(Signed::read_compact(key.clone(), buf)?));
    }
    Ok(headers)
}

fn write_optional<T: Types>(certificate: Option<&Certificate<T>>, buf: &mut impl BufMut) {
    u8::from(certificate.is_some()).write(buf);
    if let Some(certificate) = certificate {
        write_certificate(certificate, buf);
    }
}

fn read_optional<T: Types>(
    key: &T::PublicKey,
    epochs: &Epochs<T>,
    buf: &mut impl Buf,
) -> Result<Option<Arc<Certificate<T>>>, Refusal> {
    if !flag(buf)? {
        return Ok(None);
    }
    let committee = epochs.resolve(u64::read(buf)?)?;
    read_certificate(key, &committee, buf).map(Some)
}

/// Headers of one lane, lowest first, and the newest certificate their sender knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<T: Types> {
    /// Whose lane.
    pub sequencer: T::PublicKey,
    /// Signed headers. Empty when only the certificate is news.
    pub headers: Vec<Arc<Signed<T>>>,
    /// The newest certificate.
    pub certificate: Option<Arc<Certificate<T>>>,
}

impl<T: Types> Envelope<T> {
    /// Encodes for peers that know the committee.
    ///
    /// # Panics
    /// If the sequencer is not in the committee or there are more than [`HEADERS_MAX`] headers.
    pub fn encode(&self, committee: &Committee<T>) -> Bytes {
        let index = committee
            .sequencer_index(&self.sequencer)
            .expect("a sequencer of the epoch");
        let size = 8
            + 4
            + 2
            + self.headers.len() * Signed::<T>::COMPACT_SIZE
            + 1
            + self.certificate.as_deref().map_or(0, certificate_size);
        let mut buf = BytesMut::with_capacity(size);
        committee.epoch().write(&mut buf);
        index.write(&mut buf);
        write_headers(&self.headers, &mut buf);
        write_optional(self.certificate.as_deref(), &mut buf);
        buf.freeze()
    }

    /// Decodes what a peer sent.
    ///
    /// # Errors
    /// If the bytes are malformed or the epoch does not resolve.
    pub fn decode(mut buf: impl Buf, epochs: &Epochs<T>) -> Result<Self, Refusal> {
        let committee = epochs.resolve(u64::read(&mut buf)?)?;
        let key = sequencer(&committee, u32::read(&mut buf)?)?;
        let headers = read_headers(key, &mut buf)?;
        let certificate = read_optional(key, epochs, &mut buf)?;
        finish(&buf)?;
        Ok(Self {
            sequencer: key.clone(),
            headers,
            certificate,
        })
    }
}

/// One ack without its signer.
pub struct Ack<T: Types> {
    /// The height acked.
    pub height: u64,
    /// The header acked.
    pub digest: Digest,
    /// The validator's signature.
    pub attestation: Attestation<T::Scheme>,
}

impl<T: Types> Clone for Ack<T> {
    fn clone(&self) -> Self {
        Self {
            height: self.height,
            digest: self.digest,
            attestation: self.attestation.clone(),
        }
    }
}

/// Acks of one validator for one lane in one epoch.
pub struct Acks<T: Types> {
    /// The committee of the epoch.
    pub committee: Arc<Committee<T>>,
    /// Whose lane.
    pub sequencer: T::PublicKey,
    /// At most [`ACKS_MAX`], all by one signer.
    pub acks: Vec<Ack<T>>,
}

impl<T: Types> Acks<T> {
    /// Encodes for the sequencer.
    ///
    /// # Panics
    /// If there is no ack, there are too many, or they are not all by one signer.
    pub fn encode(&self) -> Bytes {
        let signer = self
            .acks
            .first()
            .expect("at least one ack")
            .attestation
            .signer;
        assert!(
            self.acks.len() <= ACKS_MAX,
            "the sender splits what it sends"
        );
        let index = self
            .committee
            .sequencer_index(&self.sequencer)
            .expect("of the epoch");
        let size = 8 + 4 + 4 + 2 + self.acks.len() * (8 + Digest::SIZE + AckSignature::<T>::SIZE);
        let mut buf = BytesMut::with_capacity(size);
        self.committee.epoch().write(&mut buf);
        index.write(&mut buf);
        signer.get().write(&mut buf);
        u16::try_from(self.acks.len())
            .expect("ACKS_MAX fits")
            .write(&mut buf);
        for ack in &self.acks {
            assert!(
                ack.attestation.signer == signer,
                "one validator signs a message"
            );
            ack.height.write(&mut buf);
            ack.digest.write(&mut buf);
            ack.attestation.signature.write(&mut buf);
        }
        buf.freeze()
    }

    /// Decodes what a peer sent. The sender must be the validator that signed.
    ///
    /// # Errors
    /// If the bytes are malformed, the epoch does not resolve, or the sender is not the signer.
    pub fn decode(
        mut buf: impl Buf,
        from: &T::PublicKey,
        epochs: &Epochs<T>,
    ) -> Result<Self, Refusal> {
        let committee = epochs.resolve(u64::read(&mut buf)?)?;
        let key = sequencer(&committee, u32::read(&mut buf)?)?.clone();
        let named = u32::read(&mut buf)?;
        let sender = committee
            .validator_index(from)
            .ok_or(Refusal::NotValidator(committee.epoch()))?;
        if named != sender.get() {
            return Err(Refusal::WrongSigner {
                named,
                sender: sender.get(),
            });
        }
        let count = count(&mut buf, ACKS_MAX)?;
        if count == 0 {
            return Err(Refusal::Malformed("no acks".into()));
        }
        if buf.remaining() < count * (8 + Digest::SIZE + AckSignature::<T>::SIZE) {
            return Err(Refusal::Malformed("fewer acks than claimed".into()));
        }
        let mut acks = Vec::with_capacity(count);
        for _ in 0..count {
            acks.push(Ack {
                height: u64::read(&mut buf)?,
                digest: Digest::read(&mut buf)?,
                attestation: Attestation {
                    signer: Participant::new(named),
                    signature: Lazy::read(&mut buf)?,
                },
            });
        }
        finish(&buf)?;
        Ok(Self {
            committee,
            sequencer: key,
            acks,
        })
    }
}

/// What travels between any two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gossip<T: Types> {
    /// The newest certificates the sender knows, one a lane. Unless it is a reply itself, a receiver
    /// that knows newer ones replies with those.
    Certificates {
        /// Whether this answers an exchange.
        reply: bool,
        /// At most [`CERTIFICATES_MAX`].
        certificates: Vec<Arc<Certificate<T>>>,
    },
    /// Asks for the headers of a lane in a range of heights, answered with an [`Envelope`].
    Fetch {
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The lowest height wanted.
        from: u64,
        /// The highest height wanted.
        to: u64,
    },
    /// A node that lost its disk asks what it must not contradict, answered with [`Told`].
    Ask {
        /// Told back, so that an answer to an earlier start is not mistaken for one to this.
        nonce: u64,
    },
}

impl<T: Types> Gossip<T> {
    /// Encodes for peers that know the current committee.
    ///
    /// # Panics
    /// If a sequencer is in no committee the sender knows, or there are too many certificates.
    pub fn encode(&self, epochs: &Epochs<T>) -> Bytes {
        let mut buf = BytesMut::new();
        match self {
            Self::Certificates {
                reply,
                certificates,
            } => {
                assert!(
                    certificates.len() <= CERTIFICATES_MAX,
                    "the sender splits what it sends"
                );
                0u8.write(&mut buf);
                u8::from(*reply).write(&mut buf);
                u16::try_from(certificates.len())
                    .expect("CERTIFICATES_MAX fits")
                    .write(&mut buf);
                for certificate in certificates {
                    let committee = epochs
                        .committee(certificate.epoch)
                        .expect("it was verified");
                    let index = committee
                        .sequencer_index(&certificate.sequencer)
                        .expect("its lane was in the epoch's set");
                    index.write(&mut buf);
                    write_certificate(certificate, &mut buf);
                }
            }
            Self::Fetch {
                sequencer,
                from,
                to,
            } => {
                let committee = epochs
                    .holding(sequencer)
                    .expect("a sequencer of an epoch within the bounds");
                let index = committee.sequencer_index(sequencer).expect("just seen");
                1u8.write(&mut buf);
                committee.epoch().write(&mut buf);
                index.write(&mut buf);
                from.write(&mut buf);
                to.write(&mut buf);
            }
            Self::Ask { nonce } => {
                2u8.write(&mut buf);
                nonce.write(&mut buf);
            }
        }
        buf.freeze()
    }

    /// Decodes what a peer sent.
    ///
    /// # Errors
    /// If the bytes are malformed or an epoch does not resolve.
    pub fn decode(mut buf: impl Buf, epochs: &Epochs<T>) -> Result<Self, Refusal> {
        let message = match u8::read(&mut buf)? {
            0 => {
                let reply = flag(&mut buf)?;
                let count = count(&mut buf, CERTIFICATES_MAX)?;
                let mut certificates = Vec::new();
                for _ in 0..count {
                    let index = u32::read(&mut buf)?;
                    let committee = epochs.resolve(u64::read(&mut buf)?)?;
                    let key = sequencer(&committee, index)?;
                    certificates.push(read_certificate(key, &committee, &mut buf)?);
                }
                Self::Certificates {
                    reply,
                    certificates,
                }
            }
            1 => {
                let committee = epochs.resolve(u64::read(&mut buf)?)?;
                let sequencer = sequencer(&committee, u32::read(&mut buf)?)?.clone();
                let (from, to) = (u64::read(&mut buf)?, u64::read(&mut buf)?);
                if from == 0 || to < from {
                    return Err(Refusal::Malformed(format!("no heights in {from}..={to}")));
                }
                Self::Fetch {
                    sequencer,
                    from,
                    to,
                }
            }
            2 => Self::Ask {
                nonce: u64::read(&mut buf)?,
            },
            tag => return Err(Refusal::Malformed(format!("unknown gossip {tag}"))),
        };
        finish(&buf)?;
        Ok(message)
    }
}

/// What a validator answers a node that lost its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T: Types> {
    /// The question's.
    pub nonce: u64,
    /// The newest epoch the validator has entered.
    pub epoch: u64,
    /// The asker's lane above the certificate, lowest first; empty if the asker has no lane here.
    pub headers: Vec<Arc<Signed<T>>>,
    /// The newest certificate of the asker's lane.
    pub certificate: Option<Arc<Certificate<T>>>,
}

impl<T: Types> Told<T> {
    /// Encodes for the asker, which knows its own key.
    ///
    /// # Panics
    /// If there are more than [`HEADERS_MAX`] headers.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::new();
        self.nonce.write(&mut buf);
        self.epoch.write(&mut buf);
        write_headers(&self.headers, &mut buf);
        write_optional(self.certificate.as_deref(), &mut buf);
        buf.freeze()
    }

    /// Decodes an answer about one's own lane. The epochs are not bounded by the asker's: it does not
    /// know how far the others are.
    ///
    /// # Errors
    /// If the bytes are malformed or the certificate's epoch is unknown.
    pub fn decode(
        mut buf: impl Buf,
        me: &T::PublicKey,
        epochs: &Epochs<T>,
    ) -> Result<Self, Refusal> {
        let nonce = u64::read(&mut buf)?;
        let epoch = u64::read(&mut buf)?;
        let headers = read_headers(me, &mut buf)?;
        let certificate = if flag(&mut buf)? {
            let of = u64::read(&mut buf)?;
            let committee = epochs.committee(of).ok_or(Refusal::EpochUnknown(of))?;
            Some(read_certificate(me, &committee, &mut buf)?)
        } else {
            None
        };
        finish(&buf)?;
        Ok(Self {
            nonce,
            epoch,
            headers,
            certificate,
        })
    }
}
