//! A bounded, seeded search on stable Rust: inputs are mutated corpus files, in the same order on every machine.
//!
//! It has no coverage to guide it. What it gives is a floor that every test run holds; for depth see the crate's
//! documentation.

use crate::Target;
use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Inputs grow to this length, at most.
const LENGTH_MAX: usize = 1024;

/// An input that a target does not bear.
#[derive(Clone, Debug)]
pub struct Crash {
    /// The bytes.
    pub input: Vec<u8>,
    /// How many inputs were tried before it.
    pub after: u64,
    /// What the target said.
    pub message: String,
}

/// SplitMix64: a search is the same everywhere.
struct Draws(u64);

impl Draws {
    const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Below a positive bound.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.word() % bound as u64).expect("below a usize")
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.word() as u8).collect()
    }
}

/// Where the corpus of a target lies.
pub fn corpus_of(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// The corpus of a target, by file name. A target without a directory has none.
///
/// # Errors
/// If a file cannot be read.
pub fn corpus(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let directory = corpus_of(target);
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|it| it.path()));
    let mut paths: Vec<_> = entries.collect::<io::Result<_>>()?;
    paths.sort();
    paths.into_iter().map(fs::read).collect()
}

/// Runs the corpus as it is, then this many mutations of it. Gives the first input that makes the target panic.
pub fn search(target: Target, corpus: &[Vec<u8>], seed: u64, inputs: u64) -> Option<Crash> {
    let mut draws = Draws(seed);
    let tried = |after: u64, input: Vec<u8>| {
        let run = || target(&input);
        let panic = catch_unwind(AssertUnwindSafe(run)).err()?;
        let text = panic.downcast_ref::<String>().cloned();
        let message = text.or_else(|| panic.downcast_ref::<&str>().map(|it| String::from(*it)));
        Some(Crash {
            input,
            after,
            message: message.unwrap_or_default(),
        })
    };
    let whole = corpus.iter().cloned().zip(0..);
    if let Some(crash) = whole
        .into_iter()
        .find_map(|(input, after)| tried(after, input))
    {
        return Some(crash);
    }
    (0..inputs).find_map(|number| {
        let input = mutated(&mut draws, corpus);
        tried(corpus.len() as u64 + number, input)
    })
}

/// A corpus file with a few changes, or noise.
fn mutated(draws: &mut Draws, corpus: &[Vec<u8>]) -> Vec<u8> {
    if corpus.is_empty() || draws.below(4) == 0 {
        let count = draws.below(LENGTH_MAX);
        return draws.bytes(count);
    }
    let mut input = corpus[draws.below(corpus.len())].clone();
    for _ in 0..=draws.below(4) {
        mutate(draws, corpus, &mut input);
    }
    input.truncate(LENGTH_MAX);
    input
}

fn mutate(draws: &mut Draws, corpus: &[Vec<u8>], input: &mut Vec<u8>) {
    let at = draws.below(input.len() + 1);
    match draws.below(6) {
        0 => input.truncate(at),
        1 => {
            let count = 1 + draws.below(64);
            let noise = draws.bytes(count);
            input.splice(at..at, noise);
        }
        2 => {
            // The rest of another file.
            let other = &corpus[draws.below(corpus.len())];
            let from = draws.below(other.len() + 1);
            input.splice(at.., other[from..].iter().copied());
        }
        _ if input.is_empty() => input.push(draws.word() as u8),
        3 => {
            let at = at % input.len();
            input[at] ^= 1 << draws.below(8);
        }
        4 => {
            // Lengths, epochs and heights have their edges here.
            let at = at % input.len();
            input[at] = [0, 1, 0x7f, 0x80, 0xff][draws.below(5)];
        }
        _ => {
            let at = at % input.len();
            input.remove(at);
        }
    }
}
