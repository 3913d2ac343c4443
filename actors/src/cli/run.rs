//! `run`: one node as a process. `init`: its directory.

mod hints;
mod place;

use super::{
    failure::{Exit, Failure},
    program::Program,
};
use crate::{
    deploy::{self, Hexed, Standard},
    http::{self, About, Api, Watch},
    node,
};
use ::tokio::{
    select,
    signal::unix::{SignalKind, signal},
};
use clap::Args;
use commonware_cryptography::{Signer as _, ed25519::PublicKey};
use commonware_runtime::{
    Error as RuntimeError, Runner as _, Spawner as _, Strategizer as _, Supervisor as _,
    tokio::{self, Context},
};
use drystone_engine::journal;
use hints::{damaged, explained, hint, panicked};
use place::Place;
use serde_json::{Value, json};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};
use tracing::{info, warn};

/// How long the parts of a node may take to finish what they have begun.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Args)]
pub(super) struct Arguments {
    /// The node's settings.
    #[arg(long, default_value = "node.toml")]
    config: PathBuf,
}

/// The nouns of a program's nodes.
type Nouns<P> = Standard<<P as Program>::Application, <P as Program>::Admission>;

pub(super) fn init<P: Program>(arguments: &Arguments) -> Result<Value, Failure> {
    prepare::<P>(&arguments.config)
}

/// Marks the directory of a new node.
pub(super) fn prepare<P: Program>(config: &Path) -> Result<Value, Failure> {
    let place = Place::<P>::read(config)?;
    let _lock = place.claim()?;
    place.fresh()?;
    let directory = place.settings.directory.clone();
    let runner = tokio::Runner::new(place.runtime());
    let journal = journal::Config::recommended(deploy::partition("lanes"), ());
    let marked = runner
        .start(|context| async move { node::initialise::<Nouns<P>>(&context, &journal).await });
    marked.map_err(|it| hint(&it))?;
    place.name()?;
    Ok(json!({ "directory": directory, "deployment": place.agreement.digest().to_string() }))
}

pub(super) fn run<P: Program>(arguments: &Arguments) -> Result<Value, Failure> {
    let place = Place::<P>::read(&arguments.config)?;
    let _lock = place.claim()?;
    place.check()?;
    place.listens()?;
    place.log();
    let runner = tokio::Runner::new(place.runtime());
    let directory = place.settings.directory.clone();
    // The runtime hands on the panic of any task: consensus knows no other answer to a disk that fails.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runner.start(|context| live::<P>(context, place))
    }));
    let ended = ended.unwrap_or_else(|panic| Err(panicked(&*panic)));
    ended.map_err(|failure| explained(failure, &directory))?;
    Ok(Value::Null)
}

/// Resolves when the process is told to stop.
fn told() -> std::io::Result<impl Future<Output = &'static str>> {
    let (mut terminated, mut interrupted) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        select! {
            _ = terminated.recv() => "SIGTERM",
            _ = interrupted.recv() => "SIGINT",
        }
    })
}

/// One life of a node.
async fn live<P: Program>(context: Context, place: Place<P>) -> Result<(), Failure> {
    let Place {
        settings,
        genesis,
        agreement,
        key,
        ..
    } = place;
    let told = told().map_err(|it| Failure::new(Exit::Stopped, it))?;
    let strategy = context.strategy(settings.verify_threads);
    let (application, admission) =
        P::application(&genesis.application, agreement.digest(), strategy.clone())
            .map_err(|it| Failure::configuration("genesis", it))?;
    let watch = Watch::<PublicKey>::new(settings.http.remembered_max);
    let me = key.public_key();
    let config = deploy::config(
        &agreement,
        &settings,
        deploy::Parts {
            key: key.clone(),
            application,
            admission,
            watcher: watch.clone(),
            strategy,
        },
    );
    let size = deploy::message_size_max(&agreement, &config);
    let door = deploy::connect(&context, &agreement, &settings.network, key, size)
        .map_err(|it| Failure::configuration("network", it))?;
    info!(key = %Hexed(me.clone()), deployment = %agreement.digest(), "starting");
    let started = node::start(context.child("node"), config, door.network).await;
    let (node, mut running) = started.map_err(|it| hint(&it))?;
    let follower = watch.clone().follow(node.executor.clone());
    context.child("index").spawn(move |_| follower);

    let peers = agreement.validators.iter().chain(&agreement.sequencers);
    let peers: std::collections::BTreeSet<_> = peers.filter(|it| **it != me).collect();
    let about = About {
        deployment: genesis.name,
        genesis: agreement.digest(),
        parameters: agreement.parameters.clone(),
        validator: agreement.validators.position(&me).is_some(),
        sequencer: agreement.sequencers.position(&me).is_some(),
        peers: peers.len(),
        me: Hexed(me.clone()).to_string(),
        version: P::VERSION,
    };
    let api = Api::new(
        context.child("http"),
        node,
        watch,
        about,
        settings.http.clone(),
    );
    let mut stopping = context.stopped();
    let served = http::serve(api, async move {
        let _ = (&mut stopping).await;
    });
    let served = served.await.map_err(|error| {
        let place = format!("http.listen, {}", settings.http.listen);
        Failure::configuration(place, error)
    })?;
    info!(address = %served.address, "clients are listened to");
    let mut serving = context.child("clients").spawn(|_| served.task);
    let mut network = door.handle;

    let ended = |part: &str| Failure::new(Exit::Stopped, format!("{part} ended early"));
    select! {
        signal = told => {
            info!(signal, "stopping");
            let stopped = context.stop(0, Some(PATIENCE)).await;
            if let Err(RuntimeError::Timeout) = stopped {
                warn!("not all parts ended in time; what was promised is durable all the same");
            }
            Ok(())
        }
        ended = &mut running => match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(hint(&error)),
            Err(error) => Err(Failure::new(Exit::Stopped, error)),
        },
        _ = &mut network => Err(ended("the network")),
        served = &mut serving => match served {
            Ok(Err(reason)) => Err(damaged(&reason)),
            _ => Err(ended("the interface to clients")),
        },
    }
}
