//! The name of the deployment that a directory belongs to: the digest of its genesis block.

#[cfg(test)]
mod tests;

use super::handle::Error;
use commonware_runtime::{Clock, Metrics, Storage};
use commonware_storage::metadata::{Config, Metadata};
use commonware_utils::sequence::U64;
use drystone_engine::types::Digest;

/// Reads it, or writes it, durably, before there is a state. Whatever else lies in the directory is of no use to a node
/// of another deployment: neither its locks nor its blocks say anything of that chain.
///
/// # Errors
/// If the directory belongs to another deployment, if it has a state and no name, or if the disk fails.
pub(super) async fn check<E: Storage + Clock + Metrics>(
    context: E,
    state: &str,
    genesis: Digest,
    has_state: bool,
) -> Result<(), Error> {
    let config = Config {
        partition: format!("{state}-deployment"),
        codec_config: (),
    };
    let names = Metadata::<E, U64, Digest>::init(context, config).await?;
    let key = U64::new(0);
    match names.get(&key).copied() {
        Some(found) if found != genesis => Err(Error::Deployment {
            expected: genesis,
            found,
        }),
        Some(_) => Ok(()),
        None if has_state => Err(Error::Nameless),
        None => {
            names.put_sync(key, genesis).await?;
            Ok(())
        }
    }
}
