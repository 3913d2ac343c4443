//! What an application gives, and what it gets for it.

use super::{
    bench::{self, Load, LoadOptions},
    client::Client,
    failure::{Exit, Failure},
    genesis, keys, localnet, query, run,
};
use crate::{
    application::Application,
    deploy::{CLIENTS, Genesis, Light},
    transaction::Admission,
};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use commonware_parallel::Rayon;
use drystone_engine::types::Digest;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    env,
    fmt::Display,
    fs,
    future::Future,
    io::{self, Write as _},
    marker::PhantomData,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};
use tokio::runtime::Builder;

/// An application as a program.
pub trait Program: Sized + Send + Sync + 'static {
    /// What the binary is called.
    const NAME: &'static str;
    /// Its version.
    const VERSION: &'static str;
    /// The application's part of the genesis.
    type Genesis: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What is said of it on the command line.
    type Options: Args + Send + Sync;
    /// Commands of the application's own.
    type Command: Subcommand + Send + Sync;
    /// Questions of the application's own, under `query`.
    type Query: Subcommand + Send + Sync;
    /// What executes.
    type Application: Application;
    /// What a place in a chunk is charged.
    type Admission: Admission;
    /// Makes transactions for `bench`.
    type Load: Load;

    /// The application's part of a new genesis.
    ///
    /// # Errors
    /// What is wrong with the options.
    fn genesis(options: &Self::Options) -> Result<Self::Genesis, String>;

    /// The application of a genesis. The digest names the deployment.
    ///
    /// # Errors
    /// What is wrong with the genesis.
    fn application(
        genesis: &Self::Genesis,
        deployment: Digest,
        strategy: Rayon,
    ) -> Result<(Self::Application, Self::Admission), String>;

    /// Carries out a command of the application's own.
    fn command(
        command: Self::Command,
        client: &Client,
    ) -> impl Future<Output = Result<Value, Failure>>;

    /// Answers a question of the application's own.
    fn query(query: Self::Query, client: &Client) -> impl Future<Output = Result<Value, Failure>>;

    /// What `bench` submits.
    fn load(
        client: &Client,
        options: &LoadOptions,
    ) -> impl Future<Output = Result<Self::Load, Failure>>;
}

#[derive(Parser)]
struct Arguments<O: Args, C: Subcommand, Q: Subcommand> {
    /// Answers in JSON.
    #[arg(long, global = true)]
    json: bool,
    /// The node that is asked.
    #[arg(
        long,
        global = true,
        env = CLIENTS,
        default_value = "http://127.0.0.1:8000"
    )]
    node: String,
    /// The genesis file of the deployment: with it, what is proven is proven by the signatures of its validators, and the node
    /// that is asked need not be believed.
    #[arg(long, global = true, value_name = "FILE")]
    genesis: Option<PathBuf>,
    #[command(subcommand)]
    command: Command<O, C, Q>,
}

#[derive(Subcommand)]
enum Command<O: Args, C: Subcommand, Q: Subcommand> {
    /// The keys of nodes.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Makes the file that all nodes of a deployment share.
    Genesis(genesis::Arguments<O>),
    /// Prepares the directory of a new node: once in its life, before its first run, and never after its disk was lost.
    Init(run::Arguments),
    /// Runs a node until it is told to stop.
    Run(run::Arguments),
    /// A network of real processes on this machine.
    Localnet(localnet::Arguments<O>),
    /// Submits a transaction.
    Submit(query::Submit),
    /// Asks a node.
    #[command(subcommand)]
    Query(query::Query<Q>),
    /// Submits at a steady rate, and tells what became of it.
    Bench(bench::Arguments),
    #[command(flatten)]
    Application(C),
}

/// The command line of a program.
type Parsed<P> = Arguments<<P as Program>::Options, <P as Program>::Command, <P as Program>::Query>;

/// What the end of every help text says.
const CODES: &str = "Exit codes: 0 done, 1 the node stopped, 2 wrong usage, 3 wrong configuration, 4 the directory is in use, \
                     5 the disk failed, 6 another deployment's directory, 7 the node cannot be reached, 8 it refuses, \
                     9 not found, 10 the transaction was not executed.";

/// The main of an application's binary.
pub fn main<P: Program>() -> ExitCode {
    let command = Parsed::<P>::command();
    let command = command.name(P::NAME).version(P::VERSION).after_help(CODES);
    let parsed = command.try_get_matches();
    let arguments = match parsed.and_then(|it| Parsed::<P>::from_arg_matches(&it)) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && env::args().any(|it| it == "--json") => {
            let failure = Failure::new(Exit::Usage, error.to_string().trim_end());
            let _ = writeln!(io::stdout(), "{}", failure.json());
            return failure.exit.into();
        }
        Err(error) => error.exit(),
    };
    let json = arguments.json;
    let (text, code) = match dispatch::<P>(arguments) {
        Ok(Value::Null) => return ExitCode::SUCCESS,
        Ok(answer) => (query::shown(&answer, json), ExitCode::SUCCESS),
        Err(failure) if json => (failure.json().to_string(), failure.exit.into()),
        Err(failure) => {
            // Where the log lies the disk may be full as well: the exit code has to say it then.
            let _ = writeln!(io::stderr(), "{}: {failure}", P::NAME);
            return failure.exit.into();
        }
    };
    // Whoever reads may have had enough.
    let _ = writeln!(io::stdout(), "{text}");
    code
}

fn dispatch<P: Program>(arguments: Parsed<P>) -> Result<Value, Failure> {
    let Arguments {
        json,
        node,
        genesis,
        command,
    } = arguments;
    let client = Asked::<P> {
        node,
        genesis,
        program: PhantomData,
    };
    match command {
        Command::Keys(command) => keys::command(command),
        Command::Genesis(arguments) => genesis::make::<P>(arguments),
        Command::Init(arguments) => run::init::<P>(&arguments),
        Command::Run(arguments) => run::run::<P>(&arguments),
        Command::Localnet(arguments) => localnet::localnet::<P>(arguments, json),
        Command::Submit(arguments) => client.ask(async |it| query::submit(arguments, it).await),
        Command::Query(query) => client.ask(async |it| query::query::<P>(query, it).await),
        Command::Bench(arguments) => {
            client.ask(async |it| bench::bench::<P>(arguments, it, json).await)
        }
        Command::Application(command) => client.ask(async |it| P::command(command, it).await),
    }
}

/// Which node a client asks, and whom it believes.
struct Asked<P> {
    node: String,
    genesis: Option<PathBuf>,
    program: PhantomData<P>,
}

impl<P: Program> Asked<P> {
    fn client(&self) -> Result<Client, Failure> {
        let client = Client::new(&self.node)?;
        let Some(path) = &self.genesis else {
            return Ok(client);
        };
        let wrong = |it: &dyn Display| Failure::configuration(path.display(), it);
        let text = fs::read_to_string(path).map_err(|it| wrong(&it))?;
        let genesis = Genesis::<P::Genesis>::read(&text).map_err(|it| wrong(&it))?;
        let agreement = genesis.check().map_err(|it| wrong(&it))?;
        let light = Light::<P::Application, P::Admission>::new(&agreement);
        Ok(client.trusting(Arc::new(move |block, finality| {
            light.executed(block, finality)
        })))
    }

    /// Runs what a client does.
    fn ask(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::new(Exit::Stopped, error))?;
        let client = self.client()?;
        runtime.block_on(work(&client))
    }
}
