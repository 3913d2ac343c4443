//! Restart time against the length of the journal, on real files.

use super::{
    arguments::Scheme,
    doubles::{Forever, Nouns},
    measure::Usage,
    plot::{self, Axes, Curve},
    table::Table,
};
use clap::Args;
use commonware_cryptography::{Hasher as _, Sha256, Signer as _};
use commonware_runtime::{Runner as _, Supervisor as _, tokio};
use commonware_utils::{TryFromIterator as _, channel::mpsc, ordered::Set};
use drystone_engine::{
    Canary, Epochs, Key, Record, journal,
    scheme::fixture::{Ed25519, Fixture, Free},
    tip_manager,
    types::{Bounds, Committee, Genesis, Header, Limits, Payload, Signed, Tip},
};
use std::{error::Error, fs, path::Path, sync::Arc};

#[derive(Args)]
pub struct Arguments {
    /// What signs headers: `free`, or `ed25519`, whose keys take time to decode.
    #[arg(long, default_value = "free")]
    scheme: Scheme,
    /// Locks appended before the restart.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1000,10000,100000,1000000"
    )]
    records: Vec<u64>,
}

const LANES: u32 = 100;
/// Heights of each lane that a node keeps locked when it forgets what is executed: a second of a lane in full run.
const KEPT: u64 = 64;
/// Records appended before a sync is waited for.
const BATCH: usize = 1_000;

/// What of the locks is still needed at the restart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// All of them: the chain stood still while lanes went on.
    All,
    /// The last of each lane: what is executed was forgotten on the way.
    Last,
}

impl Need {
    const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Last => "last",
        }
    }
}

/// Everything a restart needs besides the journal.
struct Deployment<F: Fixture> {
    genesis: Arc<Genesis>,
    keys: Vec<F::PrivateKey>,
    committee: Arc<Committee<Nouns<F>>>,
}

impl<F: Fixture> Deployment<F> {
    fn new() -> Self {
        let genesis = Genesis {
            digest: Sha256::hash(&[b"restart"]),
            slot_ms: 1,
            window_ms: 60_000,
            in_flight_max: 32,
            lane_ahead_max: Limits {
                chunks: 1 << 20,
                bytes: 1 << 40,
                items: 1 << 30,
            },
            lane_headers_max: 1 << 22,
            chunk_bytes_max: 1,
            chunk_items_max: 1,
        };
        let keys = F::identities(0, LANES);
        let signers = F::committee(0, genesis.ack_namespace(), &keys);
        let names = Set::try_from_iter(keys.iter().map(|key| key.public_key()));
        let names = names.expect("identities are distinct");
        let scheme = signers.signers[0].clone();
        Self {
            genesis: Arc::new(genesis),
            committee: Arc::new(Committee::new(0, scheme, names)),
            keys,
        }
    }

    fn root(&self, lane: usize) -> Tip {
        self.genesis.root(&self.keys[lane].public_key())
    }

    /// The next header of a lane.
    fn header(&self, lane: usize, below: Tip) -> Signed<Nouns<F>> {
        let header = Header {
            sequencer: self.keys[lane].public_key(),
            height: below.height + 1,
            slot: below.slot + 1,
            previous: below.digest,
            payload: Payload {
                digest: below.digest,
                bytes: 1,
                items: 1,
            },
        };
        Signed::sign(header, &self.keys[lane], &self.genesis.header_namespace())
    }

    /// Lanes by turns grow by a header until there are so many locks.
    fn fill(&self, files: &Path, count: u64, need: Need) {
        runner(files).start(async |context| {
            let opened =
                journal::open::<_, Record<Nouns<F>>>(context.child("journal"), config()).await;
            let (mut journal, _) = opened.expect("an empty place");
            let (synced, mut durable) = mpsc::unbounded_channel();
            let mut writer = journal.subscribe(move |position| {
                // Nobody listens after the last record.
                let _ = synced.send(position);
            });
            let journal = journal.start();
            let mut tips: Vec<_> = (0..self.keys.len()).map(|lane| self.root(lane)).collect();
            let mut batch = Vec::new();
            for number in 0..count {
                let lane = usize::try_from(number % u64::from(LANES)).expect("a hundred");
                let header = Arc::new(self.header(lane, tips[lane]));
                tips[lane] = header.tip();
                batch.push(Record::Lock { epoch: 0, header });
                if batch.len() < BATCH && number + 1 < count {
                    continue;
                }
                let position = writer.append(std::mem::take(&mut batch));
                while durable.recv().await.expect("the disk is healthy") < position {}
                if need == Need::Last {
                    for (key, tip) in self.keys.iter().zip(&tips) {
                        let key = |height| Key::Lock(key.public_key(), height, 0);
                        writer.forget(key(0)..=key(tip.height.saturating_sub(KEPT)));
                    }
                }
            }
            drop(writer);
            let ended = journal.await.expect("the task is not aborted");
            ended.expect("the disk is healthy");
        });
    }

    /// Opens the journal and rebuilds the tip manager's state from it: records found, and what each step took.
    fn restart(&self, files: &Path) -> (usize, Usage, Usage) {
        runner(files).start(async |context| {
            let began = Usage::now();
            let opened =
                journal::open::<_, Record<Nouns<F>>>(context.child("journal"), config()).await;
            let (_, opened) = opened.expect("it was closed in good order");
            let read = Usage::now();
            let state = tip_manager::State::restore(
                tip_manager::StateConfig {
                    genesis: self.genesis.clone(),
                    me: self.keys[0].public_key(),
                    epochs: Epochs::new(
                        Arc::new(Forever::<F>(self.committee.clone())),
                        Bounds { past: 1, future: 1 },
                        0,
                    ),
                    canary: Canary::None,
                },
                &opened.records,
            );
            let restored = Usage::now();
            assert_eq!(
                state.headers_held(),
                opened.records.len(),
                "every lock is held"
            );
            (
                opened.records.len(),
                read.since(began),
                restored.since(read),
            )
        })
    }
}

fn config() -> journal::Config<()> {
    journal::Config::recommended("restart", ())
}

fn runner(files: &Path) -> tokio::Runner {
    tokio::Runner::new(tokio::Config::new().with_storage_directory(files))
}

/// Bytes of all files below a directory.
fn bytes(directory: &Path) -> Result<u64, Box<dyn Error>> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        sum += match entry.metadata()? {
            it if it.is_dir() => bytes(&entry.path())?,
            it => it.len(),
        };
    }
    Ok(sum)
}

/// Columns in the Markdown and their headings.
const SHOWN: [(&str, &str); 8] = [
    ("needed", "needed at the restart"),
    ("appended", "locks appended"),
    ("found", "locks found"),
    ("bytes", "bytes on disk"),
    ("wall_ms", "restart, ms"),
    ("open_cpu_ms", "CPU to open, ms"),
    ("restore_cpu_ms", "CPU to restore, ms"),
    ("cpu_us_per_lock", "CPU us a lock found"),
];

pub fn run(arguments: &Arguments, out: &Path) -> Result<(), Box<dyn Error>> {
    match arguments.scheme {
        Scheme::Free => measure::<Free>("restart", arguments, out),
        Scheme::Ed25519 => measure::<Ed25519>("restart-ed25519", arguments, out),
        other => Err(format!("{other} is not measured here, only free and ed25519").into()),
    }
}

fn measure<F: Fixture>(
    name: &'static str,
    arguments: &Arguments,
    out: &Path,
) -> Result<(), Box<dyn Error>> {
    let title = format!(
        "Time to open the journal and restore the tip manager: {LANES} lanes, {} headers, files in the system's cache; once all \
         locks are still needed, once the last {KEPT} of each lane.",
        arguments.scheme
    );
    let mut table = Table::new(
        name,
        title,
        "needed,appended,found,bytes,wall_ms,open_cpu_ms,restore_cpu_ms,cpu_us_per_lock",
    );
    let deployment = Deployment::<F>::new();
    let mut curves = Vec::new();
    for need in [Need::All, Need::Last] {
        let mut times = Vec::new();
        for count in &arguments.records {
            let files = tempfile::tempdir()?;
            deployment.fill(files.path(), *count, need);
            let bytes = bytes(files.path())?;
            let (found, open, restore) = deployment.restart(files.path());
            let cpu_ms = (open.cpu_s + restore.cpu_s) * 1e3;
            table.push(&format!(
                "{},{count},{found},{bytes},{:.1},{:.1},{:.1},{:.2}",
                need.name(),
                (open.wall_s + restore.wall_s) * 1e3,
                open.cpu_s * 1e3,
                restore.cpu_s * 1e3,
                cpu_ms * 1e3 / found as f64
            ));
            times.push(cpu_ms);
        }
        let appended: Vec<_> = arguments.records.iter().map(|it| *it as f64).collect();
        let label = format!("{} locks needed", need.name());
        curves.push(Curve::new(&label, &appended, times));
    }
    table.write(out, &SHOWN)?;
    let axes = Axes {
        title: "processor time of a restart against the locks ever appended",
        x: "locks appended",
        y: "ms",
    };
    plot::write(&out.join(name).with_extension("svg"), &axes, &curves)
}
