//! What lies on a disk is changed, or the disk takes no more.

mod files;
mod lone;

use crate::net::{Payers, address, network_with, run};
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_runtime::tokio;
use drystone_actors::{
    cli::Client,
    trial::{Net as _, Processes, came, until},
};
use files::flip;
use futures::future::{join_all, select};
use lone::Lone;
use std::{fs, path::Path, pin::pin};

type Net = Processes<tokio::Context, Payers>;

/// Whose disk it is.
const VICTIM: usize = 3;
/// Enough for three epochs.
const BLOCKS: u64 = 120;
const EPOCH_BLOCKS: &str = "50";
/// Blocks that show that a node without a disk does as the others did.
const FOLLOWED: u64 = 20;
const CLIENTS: u64 = 16;
/// Copies that run at once.
const AT_ONCE: usize = 6;

/// What damage to a file leads to, if nobody does anything about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The node does not start: nobody else knows what it has promised.
    Refused,
    /// It starts, and stops at the next block: what it needs to execute that is gone.
    Later,
    /// It starts, and what is missing is fetched from the others; or it does not start. What was not read back since it was
    /// written last may be taken for a write that a crash tore, and cut off: it depends on the place.
    Open,
}

/// Every kind of file that a node keeps, but for its mark.
const KINDS: [(&str, Fate); 17] = [
    ("chunks-accepted-bodies", Fate::Open),
    ("chunks-accepted-index", Fate::Open),
    ("chunks-waiting-bodies", Fate::Open),
    ("chunks-waiting-index", Fate::Open),
    ("consensus-blocks-keys", Fate::Open),
    ("consensus-blocks-values", Fate::Open),
    ("consensus-finalizations-keys", Fate::Open),
    ("consensus-finalizations-values", Fate::Open),
    ("consensus-marshal-application-metadata", Fate::Open),
    ("executor-index", Fate::Later),
    ("executor-records", Fate::Later),
    (LATER, Fate::Later),
    ("state-bitmap", Fate::Open),
    ("state-log_offsets-blobs", Fate::Open),
    ("state-tree-blobs", Fate::Open),
    ("state-tree-metadata", Fate::Open),
    ("lanes", Fate::Refused),
];
/// The state could be made again, but not by itself: cut off, it is behind what was acknowledged.
const LATER: &str = "state-log_data";
/// Without its mark a node takes its disk for lost: it asks the others before it says anything.
const MARK: &str = "lanes-mark";
/// What an operator is told whose disk is damaged, and has to do then.
const ADVICE: &str = "a file in the directory is damaged";

#[test]
fn a_disk_that_takes_no_more_stops_a_node_and_nothing_is_lost() {
    run(async |context, directory| {
        let net = network_with(context, directory, "4", EPOCH_BLOCKS).await;
        net.kill(VICTIM).await;
        // Its last words go to a file as well, which must not be too long then.
        fs::remove_file(net.home(VICTIM).join("log")).expect("it has logged");
        // No file may grow beyond 64 KiB. A signal would end the process as well, but say nothing.
        let limited = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
        net.start_under(VICTIM, &["sh", "-c", limited]);
        let mut ended = None;
        loaded_until(&net, async || {
            ended = net.ended(VICTIM);
            ended.is_some()
        })
        .await;
        let said = last_words(&net.log(VICTIM));
        assert_eq!(ended, Some(Some(5)), "{said}");
        assert!(said.contains("the disk is full"), "{said}");
        net.start(VICTIM).await;
        is_in_step(&net).await;
        tells_no_lies(&net, &net.client(VICTIM)).await;
    });
}

#[test]
fn damaged_files_stop_a_node_or_are_made_good_by_the_others() {
    run(async |context, directory| {
        let net = network_with(context, directory, "4", EPOCH_BLOCKS).await;
        loaded_until(&net, async || executed(&net, VICTIM).await >= BLOCKS).await;
        net.kill(VICTIM).await;
        let harmless = each_damage_is_found_or_does_no_harm(&net, directory).await;
        what_does_no_harm_is_made_good(&net, &harmless).await;
        who_does_as_it_is_told_comes_back(&net).await;
    });
}

async fn executed(net: &Net, node: usize) -> u64 {
    net.heights(node).await.map_or(0, |it| it.executed)
}

/// The height of those whose disks are sound.
async fn height(net: &Net) -> u64 {
    net.heights(0).await.expect("it answers").executed
}

/// Clients transfer, one transaction after the other each, until something is so.
async fn loaded_until(net: &Net, so: impl AsyncFnMut() -> bool) {
    let client = async |client: u64| {
        for turn in client.. {
            let node = turn as usize % net.nodes();
            if let Some(id) = net.submit(client, node).await {
                net.settled(node, id).await;
            }
        }
    };
    let clients = join_all((0..CLIENTS).map(client));
    let until = until(net, "it comes about under load", so);
    select(pin!(until), pin!(clients)).await;
}

/// Damages a copy of the victim's directory for each kind of file. Answers which of them do no harm that lasts.
async fn each_damage_is_found_or_does_no_harm(net: &Net, directory: &Path) -> Vec<&'static str> {
    let mut harmless = Vec::new();
    for kinds in KINDS.chunks(AT_ONCE) {
        let copies = kinds
            .iter()
            .map(|(kind, _)| Lone::of(net, VICTIM, kind, directory));
        let mut copies: Vec<_> = copies.collect();
        for copy in &mut copies {
            flip(&copy.data, copy.kind);
            copy.start(net, VICTIM);
        }
        for (copy, (kind, fate)) in copies.iter_mut().zip(kinds) {
            let mut sound = copy.runs(net).await;
            if sound {
                repeats_the_others(net, copy.client()).await;
                sound = copy.ended().is_none();
            }
            let said = last_words(&copy.said());
            eprintln!("{kind}: {}", if sound { "runs" } else { &said });
            if sound {
                assert_ne!(
                    *fate,
                    Fate::Refused,
                    "{kind} was changed, and nobody noticed"
                );
                harmless.extend((*fate == Fate::Open).then_some(*kind));
                continue;
            }
            assert!(said.contains(ADVICE), "{kind}: {said}");
        }
    }
    harmless
}

/// All that, on the victim's own disk, at once.
async fn what_does_no_harm_is_made_good(net: &Net, harmless: &[&str]) {
    let data = net.home(VICTIM).join("data");
    for kind in harmless {
        flip(&data, kind);
    }
    net.start(VICTIM).await;
    is_in_step(net).await;
    tells_no_lies(net, &net.client(VICTIM)).await;
    let hides_bodies = |kind: &&str| kind.starts_with("chunks-accepted");
    if !harmless.iter().any(hides_bodies) {
        return;
    }
    for said in [
        "bodies of executed blocks are lost",
        "lost bodies of executed blocks are here again",
    ] {
        let what = format!("it says: {said}");
        until(net, &what, async || net.log(VICTIM).contains(said)).await;
    }
}

async fn who_does_as_it_is_told_comes_back(net: &Net) {
    let data = net.home(VICTIM).join("data");
    net.kill(VICTIM).await;
    flip(&data, MARK);
    net.start(VICTIM).await;
    is_in_step(net).await;

    net.kill(VICTIM).await;
    flip(&data, LATER);
    net.start(VICTIM).await;
    let code = net.ends(VICTIM).await;
    let said = last_words(&net.log(VICTIM));
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(ADVICE), "{said}");

    // It executes all blocks from the first one on.
    fs::remove_dir_all(data).expect("mine");
    net.start(VICTIM).await;
    let follows = async || executed(net, VICTIM).await >= FOLLOWED;
    until(net, "it follows the others", follows).await;
    tells_no_lies(net, &net.client(VICTIM)).await;
}

/// Waits until the victim has executed more than any node had.
async fn is_in_step(net: &Net) {
    let height = height(net).await + 2;
    until(net, "the node is in step", async || {
        let ended = net.ended(VICTIM);
        assert_eq!(ended, None, "{}", last_words(&net.log(VICTIM)));
        executed(net, VICTIM).await >= height
    })
    .await;
}

/// The last that a node told its operator.
fn last_words(log: &str) -> String {
    let at = log.rfind("\nledger: ").map_or(0, |it| it + 1);
    log[at..].to_owned()
}

/// Whatever a node says of old blocks is what the others say. It may stop over it.
async fn repeats_the_others(net: &Net, node: &Client) {
    for height in (1..height(net).await).step_by(7) {
        if let Some(said) = came(node, height).await {
            assert_eq!(Some(said), net.came(0, height).await, "block {height}");
        }
    }
}

/// The same, and whatever it proves is proven, which takes blocks that are still to come.
async fn tells_no_lies(net: &Net, node: &Client) {
    repeats_the_others(net, node).await;
    for account in 0..CLIENTS {
        let key = address(&PrivateKey::from_seed(account));
        // The client refuses what is not proven, and that is no refusal of the node's.
        match node.proven(&key).await {
            Ok(proven) => assert!(proven.value.is_some(), "account {account} has money"),
            Err(failure) => assert!(!failure.message.contains("strange"), "{failure}"),
        }
    }
}
