//! A directory, and the deployment that it belongs to.

use super::kit::cluster;
use crate::{
    Observer, Plan, Seat, System as _,
    host::{Config, Crash, Crew, Machine},
    network::Network,
    nodes::{Nodes, Options, Seen, deployment::Key},
    system::Port,
    trace::{Event, Now, Recorder},
    world,
};
use commonware_runtime::{Clock as _, Handle, Spawner as _, Supervisor as _};
use commonware_utils::sync::Mutex;
use std::{sync::Arc, time::Duration};

/// Machines on a network, on which nodes of any deployment are started.
struct Lab {
    machines: Vec<Machine>,
    network: Network<Key, Crew>,
    recorder: Arc<Mutex<Recorder<Seen>>>,
    now: Now,
}

impl Lab {
    fn new(crew: &Crew, plan: &Plan<Nodes>) -> Self {
        let clock = crew.child("clock");
        let now: Now = Arc::new(move || world::now_us(&clock));
        let nodes = plan.nodes.len();
        let recorder = Recorder::new(nodes, Vec::new(), None, u64::MAX, None);
        let recorder = Arc::new(Mutex::new(recorder));
        let system = Nodes::new(plan, Observer::new(recorder.clone(), now.clone(), None, 0));
        let keys = (0..nodes).map(|node| system.key(node)).collect();
        let network = Network::new(crew.child("network"), keys, Nodes::network(&plan.options));
        let machine = |index| Machine::new(crew, index, Config::default());
        Self {
            machines: (0..nodes).map(machine).collect(),
            network,
            recorder,
            now,
        }
    }

    fn system(&self, plan: &Plan<Nodes>) -> Nodes {
        let observer = Observer::new(self.recorder.clone(), self.now.clone(), None, 0);
        Nodes::new(plan, observer)
    }

    /// Starts a node. Resolves when its life ends, to why.
    fn boot(&self, system: &mut Nodes, node: usize, incarnation: u32) -> Handle<Option<String>> {
        let (at_us, recorder) = ((self.now)(), self.recorder.clone());
        recorder
            .lock()
            .event(at_us, Some(node), incarnation, Event::Booted);
        let host = self.machines[node].boot();
        let main = host.child("main");
        let started = system.start(Seat {
            node,
            incarnation,
            key: system.key(node),
            role: Default::default(),
            host,
            network: Port::new(self.network.clone(), node),
            observer: Observer::new(recorder, self.now.clone(), Some(node), incarnation),
        });
        main.spawn(|_| async move { started.await.err().map(|it| it.to_string()) })
    }

    async fn crash(&self, node: usize) {
        self.network.take_down(node);
        self.machines[node].crash(Crash::Lost).await;
    }

    /// The newest height that a node told of since this was last asked.
    fn height(&self, of: usize) -> u64 {
        let mut seen = Vec::new();
        self.recorder.lock().read(&mut seen);
        let heights = seen.iter().filter_map(|it| match it.what {
            Seen::Executed { height, .. } if it.node == Some(of) => Some(height),
            _ => None,
        });
        heights.max().unwrap_or(0)
    }
}

// The lanes are the same and so is the application: only what the accounts begin with is not.
#[test]
fn a_node_of_another_deployment_does_not_start_in_a_directory_with_a_chain() {
    let ours = cluster(4, Options::all(4)).plan(0);
    let theirs = cluster(
        4,
        Options {
            balance: ours.options.balance + 1,
            ..Options::all(4)
        },
    );
    let theirs = theirs.plan(0);
    let cycle = Duration::from_micros(10);
    Crew::run(42, world::start(), cycle, |crew| async move {
        let lab = Lab::new(&crew, &ours);
        let (mut ours, mut theirs) = (lab.system(&ours), lab.system(&theirs));
        let lives: Vec<_> = (0..4).map(|node| lab.boot(&mut ours, node, 0)).collect();
        crew.sleep(Duration::from_secs(4)).await;
        let before = lab.height(1);
        assert!(before > 0, "there is a chain in the directory");

        lab.crash(1).await;
        let refused = lab.boot(&mut theirs, 1, 1).await.expect("it ends");
        let refused = refused.expect("it does not start");
        assert!(
            refused.starts_with("the directory belongs to the deployment"),
            "{refused}"
        );

        lab.crash(1).await;
        let again = lab.boot(&mut ours, 1, 2);
        crew.sleep(Duration::from_secs(4)).await;
        assert!(lab.height(1) > before, "the refusal left it as it was");
        drop((lives, again));
    });
}
