//! `keys`.

use super::failure::Failure;
use crate::deploy::{Hexed, keys};
use clap::Subcommand;
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_math::algebra::Random as _;
use commonware_utils::sys_rng;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Makes a key.
    New {
        /// The file it is written to. It must not be there yet.
        file: PathBuf,
    },
    /// Shows the public half of a key.
    Show {
        /// Its file.
        file: PathBuf,
    },
}

pub(super) fn command(command: Command) -> Result<Value, Failure> {
    let (file, key) = match command {
        Command::New { file } => {
            let key = PrivateKey::random(sys_rng());
            keys::write(&file, &key).map_err(|it| Failure::configuration("keys new", it))?;
            (file, key)
        }
        Command::Show { file } => {
            let key = keys::read(&file).map_err(|it| Failure::configuration("keys show", it))?;
            (file, key)
        }
    };
    Ok(json!({ "file": file, "public": Hexed(key.public_key()) }))
}
