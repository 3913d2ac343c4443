//! What all nodes of a run have reported.

use commonware_utils::channel::oneshot;
use drystone_engine::types::Tip;

/// Who has certified how much of which lane, and how long that took.
///
/// A chunk is certified at a validator once that validator has verified, or assembled, a certificate at or above it.
pub struct Board {
    height: u64,
    /// When the application gave each chunk of each lane.
    proposed_us: Vec<Vec<u64>>,
    /// The height certified at each validator, for each lane.
    certified: Vec<Vec<u64>>,
    /// The newest certificate of each lane, wherever it was reported.
    newest: Vec<Option<Tip>>,
    /// From proposal to certificate, for each chunk and validator.
    pub latencies_us: Vec<u64>,
    /// Certificates that validators reported, own ones included.
    pub reported: u64,
    /// Certificates that the lanes' own nodes reported.
    pub assembled: u64,
    /// Pairs of a validator and a lane that are not at the end yet.
    missing: usize,
    done: Option<oneshot::Sender<()>>,
}

impl Board {
    pub fn new(height: u64, validators: usize, lanes: usize, done: oneshot::Sender<()>) -> Self {
        let chunks = usize::try_from(height).expect("a run is short");
        let missing = validators * lanes;
        Self {
            height,
            proposed_us: vec![Vec::with_capacity(chunks); lanes],
            certified: vec![vec![0; lanes]; validators],
            newest: vec![None; lanes],
            latencies_us: Vec::with_capacity(chunks * missing),
            reported: 0,
            assembled: 0,
            missing,
            done: Some(done),
        }
    }

    /// The application gave a lane's next chunk.
    pub fn proposed(&mut self, lane: usize, now_us: u64) {
        self.proposed_us[lane].push(now_us);
    }

    /// A validator reported a certificate.
    pub fn certified(&mut self, validator: usize, lane: usize, tip: Tip, now_us: u64) {
        self.reported += 1;
        self.assembled += u64::from(validator == lane);
        self.newest[lane] = self.newest[lane].max(Some(tip));
        let before = std::mem::replace(&mut self.certified[validator][lane], tip.height);
        assert!(
            before < tip.height,
            "a validator reported a certificate below its last one"
        );
        let index = |height: u64| usize::try_from(height).expect("a run is short");
        let chunks = &self.proposed_us[lane][index(before)..index(tip.height)];
        self.latencies_us
            .extend(chunks.iter().map(|at_us| now_us - at_us));
        if tip.height == self.height {
            self.missing -= 1;
            if self.missing == 0 {
                self.done.take().map(|it| it.send(()));
            }
        }
    }

    /// The newest certificate of each lane.
    pub fn newest(&self) -> impl Iterator<Item = (usize, Tip)> + '_ {
        let tips = self.newest.iter().enumerate();
        tips.filter_map(|(lane, tip)| Some((lane, (*tip)?)))
    }

    /// How long a chunk took, at that fraction of all pairs of a chunk and a validator.
    pub fn quantile_ms(&mut self, percent: usize) -> f64 {
        self.latencies_us.sort_unstable();
        let last = self.latencies_us.len() - 1;
        self.latencies_us[last * percent / 100] as f64 / 1e3
    }
}
