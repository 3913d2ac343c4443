//! What the storage contract promises, replayed naively: a base image, the changes issued since, and which of them a
//! completed sync has promised. Shares nothing with the disk.

use std::{collections::BTreeSet, time::SystemTime};

pub(super) const BLOBS: usize = 2;

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize { len: usize },
}

impl Change {
    pub(super) fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                for (index, byte) in bytes.iter().enumerate() {
                    let at = offset + index;
                    if image.len() <= at {
                        image.resize(at + 1, 0);
                    }
                    image[at] = *byte;
                }
            }
            Self::Resize { len } => image.resize(*len, 0),
        }
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        match self {
            Self::Write { offset, bytes } => bytes.get(at.checked_sub(*offset)?).copied(),
            Self::Resize { len } => (*len <= at).then_some(0),
        }
    }
}

/// A change issued since the base image.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) blob: usize,
    pub(super) change: Change,
    pub(super) promised: bool,
}

/// A sync in flight, by positions in the list of issued changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) due: SystemTime,
    pub(super) blob: usize,
    pub(super) end: usize,
    pub(super) only_last: bool,
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) base: [Vec<u8>; BLOBS],
    pub(super) issued: Vec<Issued>,
    pub(super) flights: Vec<Flight>,
}

impl Model {
    pub(super) fn replay(&self, blob: usize, keep: impl Fn(usize, &Issued) -> bool) -> Vec<u8> {
        let mut image = self.base[blob].clone();
        for (index, issued) in self.issued.iter().enumerate() {
            if issued.blob == blob && keep(index, issued) {
                issued.change.apply(&mut image);
            }
        }
        image
    }

    pub(super) fn visible(&self, blob: usize) -> Vec<u8> {
        self.replay(blob, |_, _| true)
    }

    pub(super) fn issue(&mut self, blob: usize, change: Change) {
        self.issued.push(Issued {
            blob,
            change,
            promised: false,
        });
    }

    /// Marks what a completed sync has promised. A synchronous write takes along what comes up to the last resize
    /// before it, as the disk documents.
    pub(super) fn land(&mut self, flight: Flight) {
        let last = flight.end.saturating_sub(1);
        let resize = self.issued[..last].iter().rposition(|issued| {
            issued.blob == flight.blob && matches!(issued.change, Change::Resize { .. })
        });
        for (index, issued) in self.issued[..flight.end].iter_mut().enumerate() {
            let covered =
                !flight.only_last || index == last || resize.is_some_and(|resize| index <= resize);
            if issued.blob == flight.blob && covered {
                issued.promised = true;
            }
        }
    }

    pub(super) fn settle(&mut self, now: SystemTime) {
        let (landed, flying): (Vec<_>, Vec<_>) =
            self.flights.drain(..).partition(|flight| flight.due <= now);
        self.flights = flying;
        landed.into_iter().for_each(|flight| self.land(flight));
    }

    /// Whether `seen` may be what is left of a blob: promised changes whole, of the others any bytes.
    pub(super) fn explains(&self, blob: usize, seen: &[u8]) -> bool {
        let changes = || self.issued.iter().filter(|issued| issued.blob == blob);
        let mut lens = BTreeSet::from([self.base[blob].len()]);
        for Issued {
            change, promised, ..
        } in changes()
        {
            let changed: BTreeSet<usize> = match change {
                Change::Resize { len } => BTreeSet::from([*len]),
                Change::Write { offset, bytes } => {
                    let shortest = if *promised { bytes.len() } else { 1 };
                    lens.iter()
                        .flat_map(|len| {
                            (shortest..=bytes.len()).map(move |kept| (*len).max(offset + kept))
                        })
                        .collect()
                }
            };
            if *promised {
                lens.clear();
            }
            lens.extend(changed);
        }
        lens.contains(&seen.len())
            && seen.iter().enumerate().all(|(at, byte)| {
                let mut allowed = BTreeSet::from([self.base[blob].get(at).copied().unwrap_or(0)]);
                for Issued {
                    change, promised, ..
                } in changes()
                {
                    if let Some(value) = change.byte(at) {
                        if *promised {
                            allowed.clear();
                        }
                        allowed.insert(value);
                    }
                }
                allowed.contains(byte)
            })
    }

    /// Whether some outcome of the syncs in flight leaves exactly this and nothing more.
    pub(super) fn explains_loss(&self, seen: &[Vec<u8>; BLOBS]) -> bool {
        (0..1 << self.flights.len()).any(|coins: u32| {
            let mut model = Model {
                base: self.base.clone(),
                issued: self.issued.clone(),
                flights: Vec::new(),
            };
            for (index, flight) in self.flights.iter().enumerate() {
                if coins >> index & 1 == 1 {
                    model.land(*flight);
                }
            }
            (0..BLOBS).all(|blob| model.replay(blob, |_, issued| issued.promised) == seen[blob])
        })
    }

    /// Whether this is the promised changes, the first of the others, and the first bytes of the next.
    pub(super) fn explains_prefix(&self, seen: &[Vec<u8>; BLOBS]) -> bool {
        (0..=self.issued.len()).any(|kept| {
            let cuts = match self.issued.get(kept) {
                Some(Issued {
                    change: Change::Write { bytes, .. },
                    ..
                }) => bytes.len(),
                _ => 0,
            };
            (0..=cuts).any(|cut| {
                let mut model = Model {
                    base: self.base.clone(),
                    issued: self.issued.clone(),
                    flights: Vec::new(),
                };
                for issued in &mut model.issued[..kept] {
                    issued.promised = true;
                }
                if let Some(Issued {
                    change: Change::Write { bytes, .. },
                    promised,
                    ..
                }) = model.issued.get_mut(kept)
                    && !*promised
                {
                    bytes.truncate(cut);
                    *promised = cut > 0;
                }
                (0..BLOBS).all(|blob| model.replay(blob, |_, issued| issued.promised) == seen[blob])
            })
        })
    }
}
