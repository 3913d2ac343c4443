//! `localnet`: a whole network on this machine, each node a process of its own.

mod nodes;
mod watch;

use super::{
    failure::{Exit, Failure},
    genesis::{Shape, compose},
    program::Program,
    run,
};
use crate::deploy::{Hexed, Peer, Settings, keys};
use clap::Args;
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_math::algebra::Random as _;
use commonware_utils::sys_rng;
use nodes::Process;
pub(super) use nodes::urls;
use rand::RngExt as _;
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

#[derive(Args)]
pub(super) struct Arguments<O: Args> {
    /// How many nodes. All are validators and sequencers.
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    /// Where their files lie. A network that is there already is started again.
    #[arg(long)]
    dir: PathBuf,
    /// Prints pids and urls, and returns; SIGTERM stops a node.
    #[arg(long)]
    background: bool,
    #[command(flatten)]
    shape: Shape<O>,
}

/// The file that all nodes share.
const GENESIS: &str = "genesis.json";

pub(super) fn localnet<P: Program>(
    arguments: Arguments<P::Options>,
    json: bool,
) -> Result<Value, Failure> {
    let directory = &arguments.dir;
    if !directory.join(GENESIS).exists() {
        generate::<P>(&arguments)?;
    }
    let homes = nodes::homes(directory)?;
    let mut processes = Vec::new();
    for home in homes {
        processes.push(Process::start(home, arguments.background)?);
    }
    let urls: Vec<_> = processes.iter().map(|it| it.url.clone()).collect();
    if arguments.background {
        if let Err(failure) = watch::ready(&urls, &mut processes) {
            // A part of a network is none.
            processes.iter().for_each(Process::terminate);
            for process in &mut processes {
                let _ = process.wait();
            }
            return Err(failure);
        }
        let nodes = processes
            .iter()
            .map(|it| json!({ "pid": it.pid(), "url": it.url, "log": it.home.join(nodes::LOG) }));
        return Ok(json!({ "nodes": nodes.collect::<Vec<_>>() }));
    }
    watch::table(&mut processes, json)
}

/// Writes keys, genesis and settings, and prepares the directories.
fn generate<P: Program>(arguments: &Arguments<P::Options>) -> Result<(), Failure> {
    let Arguments {
        nodes, dir, shape, ..
    } = arguments;
    if *nodes == 0 {
        return Err(Failure::new(Exit::Usage, "a network has at least 1 node"));
    }
    let failed = |it: std::io::Error| Failure::new(Exit::Disk, format!("{}: {it}", dir.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    let private: Vec<_> = (0..*nodes).map(|_| PrivateKey::random(sys_rng())).collect();
    let public: Vec<_> = private.iter().map(|it| Hexed(it.public_key())).collect();
    let scratch = dir.join("scratch");
    let genesis = compose::<P>(shape, public.clone(), public.clone(), &scratch)?;
    let ports = ports(2 * nodes).map_err(failed)?;
    let (listens, clients) = ports.split_at(*nodes);
    let peers: Vec<_> = public
        .iter()
        .zip(listens)
        .map(|(key, address)| Peer {
            key: key.clone(),
            address: address.to_string(),
        })
        .collect();
    for (index, key) in private.iter().enumerate() {
        let home = nodes::home(dir, index);
        fs::create_dir_all(&home).map_err(failed)?;
        keys::write(&home.join("node.key"), key)
            .map_err(|it| Failure::configuration(home.display(), it))?;
        let mut settings = Settings::beside(listens[index], listens[index].to_string());
        settings.genesis = Path::new("..").join(GENESIS);
        settings.threads = threads(*nodes, settings.threads);
        settings.network.private_addresses = true;
        settings.network.peers = peers.clone();
        settings.http.listen = clients[index];
        fs::write(home.join(nodes::SETTINGS), settings.text()).map_err(failed)?;
    }
    // Written last: with it the network is complete, but for the marks in the directories.
    fs::write(dir.join(GENESIS), genesis.text()).map_err(failed)?;
    for index in 0..*nodes {
        run::prepare::<P>(&nodes::home(dir, index).join(nodes::SETTINGS))?;
    }
    Ok(())
}

/// Threads of each of so many nodes, which share the processors: with more than there are, they wait for each other.
fn threads(nodes: usize, max: NonZeroUsize) -> NonZeroUsize {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(processors / nodes).map_or(NonZeroUsize::MIN, |it| it.min(max))
}

/// Ports from here on are tried, below those that systems give to whoever dials: a node that comes back finds its own free.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// Addresses on loopback that nobody listens at. Another program may take one before its node does; then the node says so.
fn ports(count: usize) -> std::io::Result<Vec<SocketAddr>> {
    // From a place of its own, so that two networks that are made at once seldom try the same.
    let first = sys_rng().random_range(PORTS);
    let tried = (first..PORTS.end).chain(PORTS.start..first);
    // All are held before one is freed, so that they differ.
    let held = tried.filter_map(|it| TcpListener::bind((Ipv4Addr::LOCALHOST, it)).ok());
    let held: Vec<_> = held.take(count).collect();
    if held.len() < count {
        return Err(std::io::ErrorKind::AddrInUse.into());
    }
    held.iter().map(TcpListener::local_addr).collect()
}
