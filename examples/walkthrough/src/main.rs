//! Your own actor on both runtimes: a counter that must not forget what it reported, whatever happens to its machine.

use commonware_cryptography::{Signer as _, ed25519};
use commonware_runtime::{Blob as _, Runner as _, WriteOptions, tokio};
use drystone_engine::Environment;
use drystone_simulator::prelude::*;
use serde::Serialize;
use std::{collections::BTreeMap, env, process, time::Duration};

/// The actor. It knows its environment by traits only, so it cannot tell a simulated machine from a real one.
async fn count<E: Environment>(context: E, until: u64, report: impl Fn(u64)) -> Result<(), Stop> {
    // One byte a tick: the length of the file is the count.
    let (blob, mut count) = context.open("counter", b"ticks").await?;
    report(count);
    while count < until {
        context.sleep(Duration::from_millis(100)).await;
        blob.write_at(count, vec![1], WriteOptions::default())
            .await?;
        blob.sync().await?; // Report before this line, and the simulator finds it.
        count += 1;
        report(count);
    }
    Ok(())
}

/// What a node reports, and all that properties see of it.
#[derive(Clone, Debug, Serialize)]
struct Counted(u64);

impl Observation for Counted {
    const KINDS: &'static [&'static str] = &["counted"];
    fn kind(&self) -> &'static str {
        "counted"
    }
}

/// A count never goes back, across any crash.
#[derive(Default)]
struct NeverForgets(BTreeMap<Option<usize>, u64>);

impl Property<Counted> for NeverForgets {
    fn name(&self) -> &'static str {
        "never forgets"
    }
    fn sentence(&self) -> &'static str {
        "a node that restarts goes on from the last count it reported"
    }
    fn observe(&mut self, seen: &Stamped<Counted>) -> Verdict {
        let before = self.0.insert(seen.node, seen.what.0).unwrap_or(0);
        let forgot = || Violation::by(seen, format!("{} after {before}", seen.what.0));
        (seen.what.0 >= before).then_some(1).ok_or_else(forgot)
    }
}

/// How the actor is put into the simulated world: a key a node, and how one boots.
struct Counters;

impl System for Counters {
    const NAME: &'static str = "counters";
    type Options = ();
    type Role = ();
    type Action = ();
    type Observation = Counted;
    type PublicKey = ed25519::PublicKey;

    fn draw_options(_: &mut Draw, _: usize) {}
    fn properties(_: &Plan<Self>) -> Vec<Box<dyn Property<Counted>>> {
        vec![Box::new(NeverForgets::default())]
    }
    fn goal(_: &Plan<Self>) -> Box<dyn Goal<Counted>> {
        let done = |seen: &Stamped<Counted>| seen.node == Some(2) && seen.what.0 == 40;
        Box::new(reaches("node 2 counts to 40", done))
    }
    fn new(_: &Plan<Self>, _: Observer<Counted>) -> Self {
        Self
    }
    fn key(&self, node: usize) -> ed25519::PublicKey {
        ed25519::PrivateKey::from_seed(node as u64).public_key()
    }
    fn start(&mut self, seat: Seat<Self>) -> impl Future<Output = Result<(), Stop>> + Send + use<> {
        let report = move |counted| seat.observer.report(Counted(counted));
        count(seat.host, 40, report)
    }
}

fn main() {
    let (nodes, unsynced) = ([2].into(), Unsynced::Lost);
    let crash = Fault::Crash { nodes, unsynced };
    let outcome = Scenario::<Counters>::cluster(4)
        .at(secs(1), crash)
        .at(secs(2), Heal)
        .run(7);
    let (passed, trace) = (outcome.passed(), outcome.trace_hash);
    println!("simulated: passed {passed}, trace {trace}");
    let files = env::temp_dir().join(format!("walkthrough-{}", process::id()));
    let runner = tokio::Runner::new(tokio::Config::new().with_storage_directory(files));
    let counted = runner.start(|context| count(context, 5, |counted| println!("real: {counted}")));
    counted.expect("a disk that works");
}
