//! The file of a node's key: hexadecimal text that nobody but its owner may read.

use super::hexed::Hexed;
use commonware_codec::Encode as _;
use commonware_cryptography::ed25519::PrivateKey;
use commonware_formatting::hex;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// What nobody but the owner may do; but its group may read, which is how secrets are mounted into containers.
const OTHERS: u32 = 0o037;

/// Why a key cannot be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key {path} cannot be used: {error}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read or change it.
    #[error("the key {0} is open to others: say `chmod 600 {0}`")]
    Open(PathBuf),
    /// It is none.
    #[error("{path} holds no key: {reason}; a key is 64 hexadecimal digits, `keys new` makes one")]
    Malformed {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a key.
///
/// # Errors
/// If the file cannot be read, is open to others, or holds no key.
pub fn read(path: &Path) -> Result<PrivateKey, KeyError> {
    let failed = |error| KeyError::File {
        path: path.to_owned(),
        error,
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(KeyError::Open(path.to_owned()));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    // The reason must not repeat the text: it may be most of a secret.
    let key: Result<Hexed<PrivateKey>, _> = text.trim().parse();
    let malformed = |_| KeyError::Malformed {
        path: path.to_owned(),
        reason: format!("its {} characters are something else", text.trim().len()),
    };
    Ok(key.map_err(malformed)?.0)
}

/// Writes a new key. A file that is there is left alone.
///
/// # Errors
/// If the file is there already, or cannot be written.
pub fn write(path: &Path, key: &PrivateKey) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        writeln!(file, "{}", hex(&key.encode()))?;
        file.sync_all()
    });
    written.map_err(|error| KeyError::File {
        path: path.to_owned(),
        error,
    })
}
