//! Starts a node.

use super::{
    Config, Deployment, Network,
    handle::{Error, Node},
    open::open,
};
use commonware_macros::select;
use commonware_runtime::Handle;
use commonware_utils::channel::oneshot;
use drystone_engine::{Environment, Transport};

/// A node, and what resolves when it stops, with the reason if it was not asked to.
pub type Running<D> = (Node<D>, Handle<Result<(), Error>>);

/// Starts every part.
///
/// # Errors
/// If the disk fails, if the directory is another deployment's, if a new node's application makes another first state than
/// the genesis block names, or if the lanes cannot start: see [`Engine::start`](drystone_engine::Engine::start).
///
/// # Panics
/// If the configuration contradicts itself; or, since consensus knows no other answer, if the disk fails under it.
pub async fn start<E, N, D>(
    context: E,
    config: Config<D>,
    network: Network<N>,
) -> Result<Running<D>, Error>
where
    E: Environment,
    N: Transport<PublicKey = D::PublicKey>,
    D: Deployment,
{
    let (ready, started) = oneshot::channel();
    // All parts are tasks below this one: they end with it.
    let handle = context.spawn(move |context| async move {
        let stopped = context.stopped();
        let (node, tasks) = select! {
            _ = stopped => return Ok(()),
            opened = open(&context, config, network) => opened?,
        };
        let _ = ready.send(node);
        tasks.outlive(context).await
    });
    match started.await {
        Ok(node) => Ok((node, handle)),
        Err(_) => {
            handle.await??;
            Err(Error::Stopped)
        }
    }
}
