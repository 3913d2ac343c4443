//! One blob: what is durable, and what was issued since, in order. Pure.
//!
//! There is one copy of the bytes: reads overlay the unsynced changes on the durable image, so a sync costs what it
//! moves and a crash costs what it drops.

use super::pages::Pages;
use crate::host::draw::Draws;
use commonware_runtime::IoBuf;
use std::{borrow::Cow, collections::VecDeque, ops::Range};

/// A change that is visible and not yet durable.
#[derive(Clone, Debug)]
struct Change {
    /// Its place in the issue order of the whole machine.
    number: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Write { offset: usize, bytes: IoBuf },
    Resize { len: usize },
}

impl Kind {
    fn apply(&self, durable: &mut Pages) {
        match self {
            Self::Write { offset, bytes } => durable.put(*offset, bytes.as_ref()),
            Self::Resize { len } => durable.resize(*len),
        }
    }

    /// The length the blob has after this change.
    fn len_after(&self, len: usize) -> usize {
        match self {
            Self::Write { offset, bytes } => len.max(offset + bytes.len()),
            Self::Resize { len } => *len,
        }
    }
}

/// A blob's bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    durable: Pages,
    pending: VecDeque<Change>,
    /// The visible length.
    len: usize,
}

impl Image {
    /// The visible length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The numbers of the changes that are not durable, in order.
    pub(super) fn pending(&self) -> impl Iterator<Item = u64> {
        self.pending.iter().map(|change| change.number)
    }

    pub(super) fn write(&mut self, number: u64, offset: usize, bytes: IoBuf) {
        self.push(number, Kind::Write { offset, bytes });
    }

    pub(super) fn resize(&mut self, number: u64, len: usize) {
        self.push(number, Kind::Resize { len });
    }

    fn push(&mut self, number: u64, kind: Kind) {
        self.len = kind.len_after(self.len);
        self.pending.push_back(Change { number, kind });
    }

    /// The visible bytes of a range that lies within the visible length.
    pub(super) fn read(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        assert!(
            range.end <= self.len,
            "a read of {range:?} passes the end at {}",
            self.len
        );
        if self.pending.is_empty() {
            return self.durable.read(range);
        }
        let mut out = vec![0; range.len()];
        self.durable.copy(range.start, &mut out);
        for change in &self.pending {
            match &change.kind {
                Kind::Write { offset, bytes } => {
                    overlay(&mut out, range.start, *offset, bytes.as_ref())
                }
                // What a shrink cut off reads as zero if the blob has grown again.
                Kind::Resize { len } => {
                    let kept = len.saturating_sub(range.start).min(out.len());
                    out[kept..].fill(0);
                }
            }
        }
        Cow::Owned(out)
    }

    /// Makes every change up to `number` durable.
    pub(super) fn persist_through(&mut self, number: u64) {
        while let Some(change) = self.pop_through(number) {
            change.kind.apply(&mut self.durable);
        }
    }

    /// Makes the write `number` durable and no other, unless an unsynced resize was issued before it.
    ///
    /// Earlier writes give up the bytes they share with it, or they would cover it once it has left the queue. A
    /// resize cannot give up a part of itself, so what comes up to the last one goes to the disk first: a device
    /// may always persist more than it was asked to.
    pub(super) fn persist_one(&mut self, number: u64) {
        let resize = (self.pending.iter())
            .take_while(|change| change.number < number)
            .filter(|change| matches!(change.kind, Kind::Resize { .. }))
            .last();
        if let Some(resize) = resize.map(|change| change.number) {
            self.persist_through(resize);
        }
        let Some(change) = self.take_one(number) else {
            return;
        };
        change.kind.apply(&mut self.durable);
        if let Kind::Write { offset, bytes } = &change.kind {
            self.carve(number, *offset..offset + bytes.len());
        }
    }

    /// Forgets every change up to `number`.
    pub(super) fn forget_through(&mut self, number: u64) {
        while self.pop_through(number).is_some() {}
        self.measure();
    }

    /// Forgets the change `number`.
    pub(super) fn forget_one(&mut self, number: u64) {
        self.take_one(number);
        self.measure();
    }

    /// Keeps of every change up to `number` nothing, all, or any part, as drawn, and forgets the rest.
    pub(super) fn tear_through(&mut self, number: u64, draws: &mut Draws) {
        while let Some(change) = self.pop_through(number) {
            tear(&mut self.durable, &change.kind, draws);
        }
        self.measure();
    }

    /// Keeps of the change `number` nothing, all, or any part, as drawn, and forgets the rest.
    pub(super) fn tear_one(&mut self, number: u64, draws: &mut Draws) {
        if let Some(change) = self.take_one(number) {
            tear(&mut self.durable, &change.kind, draws);
        }
        self.measure();
    }

    /// Makes the first bytes of the write `number` durable, how many is drawn. A resize is not divisible.
    pub(super) fn cut_one(&mut self, number: u64, draws: &mut Draws) {
        if let Some(Change {
            kind: Kind::Write { offset, bytes },
            ..
        }) = self.take_one(number)
        {
            let kept = draws.below(bytes.len() as u64 + 1) as usize;
            self.durable.put(offset, &bytes.as_ref()[..kept]);
        }
        self.measure();
    }

    fn pop_through(&mut self, number: u64) -> Option<Change> {
        if self.pending.front()?.number > number {
            return None;
        }
        self.pending.pop_front()
    }

    fn take_one(&mut self, number: u64) -> Option<Change> {
        let index = self
            .pending
            .iter()
            .position(|change| change.number == number)?;
        self.pending.remove(index)
    }

    /// Takes `range` away from every write before `number`.
    fn carve(&mut self, number: u64, range: Range<usize>) {
        let earlier = self
            .pending
            .partition_point(|change| change.number < number);
        if earlier == 0 {
            return;
        }
        let later = self.pending.split_off(earlier);
        for change in std::mem::take(&mut self.pending) {
            let Kind::Write { offset, bytes } = &change.kind else {
                unreachable!("a resize before a synchronous write is durable before it");
            };
            let (start, end) = (*offset, offset + bytes.len());
            if end <= range.start || range.end <= start {
                self.pending.push_back(change);
                continue;
            }
            for part in [start..range.start, range.end..end] {
                if part.start < part.end {
                    let bytes = bytes.slice(part.start - start..part.end - start);
                    let kind = Kind::Write {
                        offset: part.start,
                        bytes,
                    };
                    self.pending.push_back(Change {
                        number: change.number,
                        kind,
                    });
                }
            }
        }
        self.pending.extend(later);
    }

    /// Recomputes the visible length after changes were forgotten.
    fn measure(&mut self) {
        let durable = self.durable.len();
        self.len = self
            .pending
            .iter()
            .fold(durable, |len, change| change.kind.len_after(len));
    }
}

/// Copies the part of `bytes`, which lie at `offset`, that falls into `out`, which lies at `start`.
fn overlay(out: &mut [u8], start: usize, offset: usize, bytes: &[u8]) {
    let from = start.max(offset);
    let to = (start + out.len()).min(offset + bytes.len());
    if from < to {
        out[from - start..to - start].copy_from_slice(&bytes[from - offset..to - offset]);
    }
}

/// The contract lets any subset of an unsynced write's bytes survive; disks tear at sectors, caches at lines.
const GRANULES: [usize; 3] = [1, 64, 512];

fn tear(durable: &mut Pages, kind: &Kind, draws: &mut Draws) {
    match (draws.below(3), kind) {
        (0, _) => (),
        (1, _) => kind.apply(durable),
        (_, Kind::Resize { .. }) => {
            if draws.coin() {
                kind.apply(durable);
            }
        }
        (_, Kind::Write { offset, bytes }) => {
            let granule = GRANULES[draws.below(GRANULES.len() as u64) as usize];
            let mut bits = 0;
            for (index, part) in bytes.as_ref().chunks(granule).enumerate() {
                if index % 64 == 0 {
                    bits = draws.next();
                }
                if bits >> (index % 64) & 1 == 1 {
                    durable.put(offset + index * granule, part);
                }
            }
        }
    }
}
