//! What is asked for, and what answers it.

use super::Refusal;
use bytes::{BufMut, Bytes, BytesMut};
use commonware_codec::{Buf, Error, FixedSize, Read, ReadExt as _, Write};
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Genesis, Signed, Tip, Types};
use std::sync::Arc;

/// Headers of a lane, lowest first, each extending the one before.
pub type Run<T> = Vec<Arc<Signed<T>>>;

/// Asks for the run of a lane in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<P> {
    /// The block's height.
    pub height: u64,
    /// Whose lane.
    pub sequencer: P,
    /// The place below the lowest header.
    pub above: Tip,
    /// The place of the highest.
    pub to: Tip,
}

impl<P: PublicKey> Question<P> {
    /// The headers asked for.
    pub const fn headers(&self) -> u64 {
        self.to.height.saturating_sub(self.above.height)
    }

    /// Whether a block could stand for such a run: no lane is ever further ahead of its inclusion.
    pub fn is_possible(&self, genesis: &Genesis) -> bool {
        self.height > 0
            && (1..=genesis.lane_headers_max).contains(&self.headers())
            && genesis.expiry_ms(self.to.slot).is_some()
    }

    /// The run as it travels, if these headers of a block have it: compact, lowest first.
    pub(super) fn answer<T: Types<PublicKey = P>>(&self, headers: &[Signed<T>]) -> Option<Bytes> {
        let within = |it: u64| self.above.height < it && it <= self.to.height;
        let mut buf = BytesMut::new();
        let mut below = self.above;
        for it in headers {
            if it.header().sequencer == self.sequencer && within(it.height()) {
                if !it.extends(&below) {
                    return None;
                }
                below = it.tip();
                it.write_compact(&mut buf);
            }
        }
        (below == self.to).then(|| buf.freeze())
    }

    /// Reads a run from its highest header down: each digest is named by the header above, the first by the question. Ends
    /// at the first that is another. Whether the lowest follows `above` is its lane's business, and not the sender's.
    pub(super) fn open<T: Types<PublicKey = P>>(&self, mut run: Bytes) -> Result<Run<T>, Refusal> {
        let other = || Refusal::OtherRun(self.height);
        let size = Signed::<T>::COMPACT_SIZE;
        if (run.len() / size) as u64 != self.headers() || !run.len().is_multiple_of(size) {
            return Err(other());
        }
        let mut headers = Vec::with_capacity(run.len() / size);
        let (mut height, mut digest) = (self.to.height, self.to.digest);
        while !run.is_empty() {
            let mut last = run.split_off(run.len() - size);
            let header = Signed::<T>::read_compact(self.sequencer.clone(), &mut last)?;
            if header.height() != height || header.digest() != digest {
                return Err(other());
            }
            (height, digest) = (height - 1, header.header().previous);
            headers.push(Arc::new(header));
        }
        headers.reverse();
        Ok(headers)
    }
}

impl<P: PublicKey> Write for Question<P> {
    fn write(&self, buf: &mut impl BufMut) {
        self.height.write(buf);
        self.sequencer.write(buf);
        self.above.write(buf);
        self.to.write(buf);
    }
}

impl<P: PublicKey> FixedSize for Question<P> {
    const SIZE: usize = 8 + P::SIZE + 2 * Tip::SIZE;
}

impl<P: PublicKey> Read for Question<P> {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            height: u64::read(buf)?,
            sequencer: P::read(buf)?,
            above: Tip::read(buf)?,
            to: Tip::read(buf)?,
        })
    }
}
