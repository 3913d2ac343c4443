//! The certificate scheme over free signatures.

use super::{keys::Signature, mix::Mix};
use crate::scheme::{AckNamespace, AckSubject};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt as _, Write};
use commonware_cryptography::{
    Digest, PublicKey,
    certificate::{
        self, AssemblyError, Attestation, Membership, Namespace as _, Signers, Verification,
        verify_then_assemble,
    },
};
use commonware_parallel::Strategy;
use commonware_utils::{
    Faults as _, N3f1, Participant,
    bitmap::BitMap,
    iter::NonEmpty,
    ordered::{Quorum as _, Set},
};
use rand_core::CryptoRng;
use std::sync::Arc;

/// The largest identity key this scheme takes, so that a message fits on the stack.
const KEY_SIZE_MAX: usize = 64;

/// The largest message: see [`AckSubject`].
const MESSAGE_SIZE_MAX: usize =
    AckSubject::<super::PublicKey>::SIZE - super::PublicKey::SIZE + KEY_SIZE_MAX;

/// Who signed, and one tag that stands for all their signatures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certificate {
    signers: Signers,
    tag: Signature,
}

impl Certificate {
    /// The indices of those who signed, ascending.
    pub fn signers(&self) -> impl Iterator<Item = Participant> + '_ {
        self.signers.iter()
    }
}

impl Write for Certificate {
    fn write(&self, buf: &mut impl BufMut) {
        self.signers.write(buf);
        self.tag.write(buf);
    }
}

impl EncodeSize for Certificate {
    fn encode_size(&self) -> usize {
        self.signers.encode_size() + Signature::SIZE
    }
}

impl Read for Certificate {
    /// The number of validators in the epoch.
    type Cfg = usize;

    fn read_cfg(buf: &mut impl Buf, participants: &usize) -> Result<Self, Error> {
        let signers = Signers::read_cfg(buf, participants)?;
        if signers.count() == 0 {
            return Err(Error::Invalid(
                "free::Certificate",
                "at least one signer is required",
            ));
        }
        let tag = Signature::read(buf)?;
        Ok(Self { signers, tag })
    }
}

/// One certificate's tag from its signers' tags. Order does not matter, yet two forgeries cannot cancel each other:
/// each signature is scattered together with its signer before it is added.
const fn combine(sum: u128, signer: Participant, signature: u128) -> u128 {
    let scattered = Mix::new()
        .word(signer.get() as u64)
        .word(signature as u64)
        .word((signature >> 64) as u64)
        .finish();
    sum.wrapping_add(scattered)
}

/// Acks that cost nothing, over identities of type `P`. See the [module](super).
#[derive(Clone, Debug)]
pub struct Scheme<P: PublicKey> {
    participants: Arc<Set<P>>,
    /// Per participant, the mix of its key and the namespace: the same for every message.
    keyed: Arc<[Mix]>,
    signer: Option<Participant>,
}

impl<P: PublicKey> Scheme<P> {
    /// A scheme that signs as `me`, or `None` if `me` is not among `participants`.
    pub fn signer(namespace: &[u8], participants: Set<P>, me: &P) -> Option<Self> {
        Self::verifier(namespace, participants).sign_as(me)
    }

    /// A scheme that only verifies.
    pub fn verifier(namespace: &[u8], participants: Set<P>) -> Self {
        const {
            assert!(
                P::SIZE <= KEY_SIZE_MAX,
                "identity keys this large do not fit the message buffer"
            );
        }
        let namespace = AckNamespace::derive(namespace);
        let namespace = namespace.as_ref();
        let keyed = participants
            .iter()
            .map(|key| Mix::keyed(key, namespace))
            .collect();
        Self {
            participants: Arc::new(participants),
            keyed,
            signer: None,
        }
    }

    /// The same scheme signing as `me`; shares everything with this one.
    pub fn sign_as(&self, me: &P) -> Option<Self> {
        let signer = self.participants.index(me)?;
        Some(Self {
            signer: Some(signer),
            ..self.clone()
        })
    }

    /// What `signer` must have signed to attest `message`.
    fn expected(&self, signer: Participant, message: &Message) -> Option<u128> {
        let keyed = self.keyed.get(usize::from(signer))?;
        Some(keyed.bytes(message.as_slice()).finish())
    }

    fn is_valid(&self, attestation: &Attestation<Self>, message: &Message) -> bool {
        let claimed = attestation.signature.get().map(Signature::tag);
        claimed.is_some() && claimed == self.expected(attestation.signer, message)
    }
}

/// A subject's signed bytes, on the stack.
struct Message {
    bytes: [u8; MESSAGE_SIZE_MAX],
    size: usize,
}

impl Message {
    fn new<P: PublicKey>(subject: &AckSubject<'_, P>) -> Self {
        let mut bytes = [0; MESSAGE_SIZE_MAX];
        subject.write(&mut bytes.as_mut_slice());
        Self {
            bytes,
            size: AckSubject::<P>::SIZE,
        }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.size]
    }
}

impl<P: PublicKey> certificate::Verifier for Scheme<P> {
    type Subject<'a, D: Digest> = AckSubject<'a, P>;
    type Faults = N3f1;
    type PublicKey = P;
    type Certificate = Certificate;

    fn verify_certificate<R, D>(
        &self,
        _: &mut R,
        subject: AckSubject<'_, P>,
        certificate: &Certificate,
        _: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
    {
        let signers = &certificate.signers;
        if signers.len() != self.participants.len()
            || signers.count() < self.participants.quorum::<N3f1>() as usize
        {
            return false;
        }
        let message = Message::new(&subject);
        let tag = signers.iter().try_fold(0, |sum, signer| {
            Some(combine(sum, signer, self.expected(signer, &message)?))
        });
        tag == Some(certificate.tag.tag())
    }

    fn is_batchable() -> bool {
        true
    }

    fn max_certificate_size(participants: u32) -> usize {
        BitMap::<1>::max_encode_size(u64::from(participants)) + Signature::SIZE
    }

    fn certificate_codec_config(&self) -> usize {
        self.participants.len()
    }

    fn certificate_codec_config_unbounded() -> usize {
        u32::MAX as usize
    }
}

impl<P: PublicKey> certificate::Scheme for Scheme<P> {
    type Signature = Signature;

    fn me(&self) -> Option<Membership> {
        self.signer.map(Membership::Signer)
    }

    fn participants(&self) -> &Set<P> {
        &self.participants
    }

    fn sign<D: Digest>(&self, subject: AckSubject<'_, P>) -> Option<Attestation<Self>> {
        let signer = self.signer?;
        let tag = self.expected(signer, &Message::new(&subject))?;
        Some(Attestation {
            signer,
            signature: Signature::new(tag).into(),
        })
    }

    fn verify_attestation<R, D>(
        &self,
        _: &mut R,
        subject: AckSubject<'_, P>,
        attestation: &Attestation<Self>,
        _: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
    {
        self.is_valid(attestation, &Message::new(&subject))
    }

    fn verify_attestations<R, D, I>(
        &self,
        _: &mut R,
        subject: AckSubject<'_, P>,
        attestations: I,
        _: &impl Strategy,
    ) -> Verification<Self>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: Send,
    {
        let message = Message::new(&subject);
        let (verified, invalid): (Vec<_>, Vec<_>) = attestations
            .into_iter()
            .partition(|attestation| self.is_valid(attestation, &message));
        let mut invalid: Vec<_> = invalid
            .into_iter()
            .map(|attestation| attestation.signer)
            .collect();
        invalid.sort_unstable();
        Verification::new(verified, invalid)
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: AckSubject<'_, P>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        // Checking each one costs no more than checking the certificate they add up to.
        verify_then_assemble::<Self, _, D, _, _>(self, rng, subject, pending, verified, strategy)
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        _: &impl Strategy,
    ) -> Result<Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let mut sum = 0;
        let mut malformed = None;
        let signers = attestations
            .into_iter()
            .map(|Attestation { signer, signature }| {
                match signature.get() {
                    Some(signature) => sum = combine(sum, signer, signature.tag()),
                    None => malformed = Some(signer),
                }
                signer
            });
        let signers = Signers::try_from((&*self.participants, signers))?;
        if let Some(signer) = malformed {
            return Err(AssemblyError::MalformedSignature(signer));
        }
        let (required, found) = (N3f1::quorum(signers.len()), signers.count() as u32);
        if found < required {
            return Err(AssemblyError::InsufficientAttestations(required, found));
        }
        Ok(Certificate {
            signers,
            tag: Signature::new(sum),
        })
    }

    fn is_attributable() -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
