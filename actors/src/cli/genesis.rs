//! `genesis`.

use super::{
    failure::{Exit, Failure},
    program::Program,
};
use crate::{
    deploy::{Blocks, Genesis, Hexed, Lanes, Standard, Transactions, partition},
    node, state,
};
use clap::Args;
use commonware_cryptography::ed25519::PublicKey;
use commonware_runtime::{Runner as _, Strategizer as _, Supervisor as _, tokio};
use commonware_utils::NZUsize;
use drystone_engine::types::Digest;
use serde_json::{Value, json};
use std::{
    fs,
    num::NonZeroU64,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

#[derive(Args)]
pub(super) struct Arguments<O: Args> {
    /// The file it is written to. It must not be there yet.
    #[arg(long, default_value = "genesis.json")]
    out: PathBuf,
    /// Public keys of validators.
    #[arg(long, required = true, num_args = 1.., value_delimiter = ',')]
    validators: Vec<Hexed<PublicKey>>,
    /// Public keys of sequencers; the validators, if none are given.
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    sequencers: Vec<Hexed<PublicKey>>,
    #[command(flatten)]
    shape: Shape<O>,
}

/// What a genesis says beside who takes part.
#[derive(Args)]
pub(super) struct Shape<O: Args> {
    /// What people call the deployment.
    #[arg(long, default_value = "drystone")]
    pub(super) name: String,
    /// Blocks in an epoch: short for `--set blocks.epoch_blocks=NUMBER`.
    #[arg(long)]
    pub(super) epoch_blocks: Option<NonZeroU64>,
    /// Another parameter: `lanes.slot_ms=2`, `blocks.skew_ms=500`, `transactions.bytes_max=1024`, and so on, as they are called
    /// in the file.
    #[arg(long = "set", value_name = "FIELD=NUMBER", value_parser = parameter)]
    pub(super) parameters: Vec<(String, u64)>,
    #[command(flatten)]
    pub(super) application: O,
}

fn parameter(text: &str) -> Result<(String, u64), String> {
    let wanted = || format!("{text:?} must be FIELD=NUMBER, as in lanes.slot_ms=2");
    let (field, value) = text.split_once('=').ok_or_else(wanted)?;
    Ok((field.to_owned(), value.parse().map_err(|_| wanted())?))
}

/// The parameters of a genesis with some of them changed.
fn parameters(changes: &[(String, u64)]) -> Result<(Lanes, Blocks, Transactions), String> {
    let defaults = (Lanes::default(), Blocks::default(), Transactions::default());
    let (lanes, blocks, transactions) = &defaults;
    let mut all = json!({ "lanes": lanes, "blocks": blocks, "transactions": transactions });
    for (field, value) in changes {
        let pointer = format!("/{}", field.replace('.', "/"));
        let place = all.pointer_mut(&pointer).filter(|it| it.is_number());
        let place = place.ok_or_else(|| {
            let known = json!({ "lanes": lanes, "blocks": blocks, "transactions": transactions });
            format!("{field} is no parameter; these are, with their defaults: {known}")
        })?;
        *place = (*value).into();
    }
    let read = |error: serde_json::Error| error.to_string();
    Ok((
        serde_json::from_value(all["lanes"].take()).map_err(read)?,
        serde_json::from_value(all["blocks"].take()).map_err(read)?,
        serde_json::from_value(all["transactions"].take()).map_err(read)?,
    ))
}

pub(super) fn make<P: Program>(arguments: Arguments<P::Options>) -> Result<Value, Failure> {
    let Arguments {
        out,
        validators,
        sequencers,
        shape,
    } = arguments;
    let sequencers = if sequencers.is_empty() {
        validators.clone()
    } else {
        sequencers
    };
    if out.exists() {
        let reason = "it is there already: a genesis that is in use must not change";
        return Err(Failure::configuration(out.display(), reason));
    }
    let scratch = out.with_extension(format!("scratch-{}", std::process::id()));
    let genesis = compose::<P>(&shape, validators, sequencers, &scratch)?;
    fs::write(&out, genesis.text()).map_err(|it| Failure::configuration(out.display(), it))?;
    Ok(json!({
        "file": out,
        "digest": genesis.digest().to_string(),
        "root": genesis.root.to_string(),
    }))
}

/// Puts a genesis together, checks it, and finds the root of its first state in a scratch directory.
pub(super) fn compose<P: Program>(
    shape: &Shape<P::Options>,
    validators: Vec<Hexed<PublicKey>>,
    sequencers: Vec<Hexed<PublicKey>>,
    scratch: &Path,
) -> Result<Genesis<P::Genesis>, Failure> {
    let wrong = |reason: String| Failure::configuration("genesis", reason);
    let (lanes, blocks, transactions) = parameters(&shape.parameters).map_err(wrong)?;
    let genesis = Genesis {
        name: shape.name.clone(),
        start_ms: 0,
        validators,
        sequencers,
        lanes,
        blocks: Blocks {
            epoch_blocks: shape.epoch_blocks.unwrap_or(blocks.epoch_blocks),
            ..blocks
        },
        transactions,
        application: P::genesis(&shape.application).map_err(wrong)?,
        root: Hexed(Digest::from([0; 32])),
    };
    genesis.check().map_err(|it| wrong(it.to_string()))?;
    let config = tokio::Config::new().with_storage_directory(scratch);
    let found = tokio::Runner::new(config).start(|context| rooted::<P>(context, genesis));
    let _ = fs::remove_dir_all(scratch);
    found
}

/// Dates the genesis, and finds its root.
async fn rooted<P: Program>(
    context: tokio::Context,
    mut genesis: Genesis<P::Genesis>,
) -> Result<Genesis<P::Genesis>, Failure> {
    let now = commonware_runtime::Clock::current(&context).duration_since(UNIX_EPOCH);
    let now = now.map_err(|it| Failure::configuration("the clock", it))?;
    genesis.start_ms = u64::try_from(now.as_millis()).expect("far below 2^64");
    let wrong = |reason: String| Failure::configuration("genesis", reason);
    let agreement = genesis.check().map_err(|it| wrong(it.to_string()))?;
    let strategy = context.strategy(NZUsize!(1));
    let (application, _) =
        P::application(&genesis.application, agreement.digest(), strategy.clone())
            .map_err(wrong)?;
    let root = node::root::<_, Standard<P::Application, P::Admission>>(
        context.child("state"),
        state::Config::recommended(partition("state")),
        &agreement.parameters.genesis,
        &application,
        strategy,
    );
    let root = root.await.map_err(|it| Failure::new(Exit::Disk, it))?;
    genesis.root = Hexed(root);
    Ok(genesis)
}
