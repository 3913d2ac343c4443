//! A peer that has a key and keeps to the handshake, and then sends what it likes.

use super::street::{LOOK, PATIENCE, Street, address, key, name};
use crate::deploy::network::{handshake, namespace};
use bytes::Bytes;
use commonware_codec::{Encode as _, varint::UInt};
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_p2p::Ingress;
use commonware_runtime::{
    Clock as _, Network as _, SinkOf, Spawner as _, StreamOf, Supervisor as _,
};
use commonware_stream::Upgrader;
use commonware_utils::SystemTimeExt as _;
use futures::future::{Either, select};
use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

type Context = super::street::Context;
type Upgraded = commonware_stream::SakeCups<PrivateKey, commonware_cryptography::ChaCha20Poly1305>;
type Sender = <Upgraded as Upgrader>::Sender<StreamOf<Context>, SinkOf<Context>>;

/// The first byte of each kind of message.
const GREETING: u8 = 1;
const PEERS: u8 = 3;
/// Larger than any message.
const SIZE: u32 = 1 << 20;
/// Longer than a node takes to judge a message.
const SETTLED: Duration = Duration::from_secs(3);

/// Where somebody says that it is, and its signature, as it travels.
pub fn info(street: &Street, number: u64, address: SocketAddr, signer: PrivateKey) -> Vec<u8> {
    let timestamp = street.context.current().epoch_millis();
    let ingress = Ingress::Socket(address);
    let namespace = [&*namespace(&street.agreement), b"_TRACKER_IP"].concat();
    let signature = signer.sign(&namespace, &(ingress.clone(), timestamp).encode());
    let parts = [
        ingress.encode(),
        UInt(timestamp).encode(),
        name(number).encode(),
        signature.encode(),
    ];
    parts.concat()
}

/// A message that tells where others are.
pub fn list(infos: &[Bytes]) -> Vec<u8> {
    let count = u32::try_from(infos.len()).expect("few");
    [&[PEERS][..], &UInt(count).encode(), &infos.concat()].concat()
}

/// Connects to a node, which begins to listen some time after it is opened.
async fn connect(context: &Context, to: SocketAddr) -> (SinkOf<Context>, StreamOf<Context>) {
    let mut waited = Duration::ZERO;
    loop {
        match context.dial(to).await {
            Ok(connection) => return connection,
            Err(error) => assert!(waited < PATIENCE, "nobody listens at {to}: {error}"),
        }
        context.sleep(LOOK).await;
        waited += LOOK;
    }
}

/// See the module.
pub struct Raw {
    context: Context,
    sender: Sender,
    /// Set once the other end has hung up.
    closed: Arc<AtomicBool>,
}

impl Raw {
    /// Connects in the name of a node, and greets. `None` if it is not let in.
    pub async fn dial(street: &Street, from: u64, to: u64) -> Option<Self> {
        Self::dial_as(street, from, to, &namespace(&street.agreement)).await
    }

    pub async fn dial_as(street: &Street, from: u64, to: u64, spoken: &[u8]) -> Option<Self> {
        let context = street.context.child("raw");
        let (sink, stream) = connect(&context, address(to)).await;
        let spoken = [spoken, b"_STREAM"].concat();
        let dialing = handshake(key(from)).dial(
            context.child("handshake"),
            &spoken,
            SIZE,
            name(to),
            stream,
            sink,
        );
        let late = context.sleep(SETTLED);
        let Either::Left((Ok((sender, mut receiver)), _)) = select(pin!(dialing), pin!(late)).await
        else {
            return None;
        };
        let closed = Arc::new(AtomicBool::new(false));
        let hung_up = closed.clone();
        context.child("reader").spawn(move |_| async move {
            while receiver.recv().await.is_ok() {}
            hung_up.store(true, Ordering::Relaxed);
        });
        let mut raw = Self {
            context,
            sender,
            closed,
        };
        let greeting = info(street, from, address(from), key(from));
        raw.send([vec![GREETING], greeting].concat()).await;
        Some(raw)
    }

    /// Sends, if there is still somebody.
    pub async fn send(&mut self, message: Vec<u8>) {
        let _ = self.sender.send(message).await;
    }

    /// Whether the other end has not hung up, some time later.
    pub async fn is_open(&self) -> bool {
        self.context.sleep(SETTLED).await;
        !self.closed.load(Ordering::Relaxed)
    }
}
