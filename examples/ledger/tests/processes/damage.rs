//! What lies on a disk is changed, or the disk takes no more.

use crate::net::{Payers, address, network, run};
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_runtime::tokio;
use drystone_actors::trial::{Net as _, Processes, until};
use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

type Net = Processes<tokio::Context, Payers>;

/// Where a file's content begins.
const HEADER: u64 = 4_096;

/// Every kind of file that a node keeps, and whether damage to it must stop a start: nobody else knows what a node has promised. The
/// state could be made again, but not by itself. What was not read back since it was written last may be taken for a write that a
/// crash tore: it is cut off, and fetched from the others if it is needed.
const KINDS: [(&str, bool); 18] = [
    ("chunks-accepted-bodies", false),
    ("chunks-accepted-index", false),
    ("chunks-waiting-bodies", false),
    ("chunks-waiting-index", false),
    ("consensus-blocks-keys", false),
    ("consensus-blocks-values", false),
    ("consensus-finalizations-keys", false),
    ("consensus-finalizations-values", false),
    ("consensus-marshal-application-metadata", false),
    ("executor-index", false),
    ("executor-records", false),
    ("state-bitmap", false),
    ("state-log_data", true),
    ("state-log_offsets-blobs", false),
    ("state-tree-blobs", false),
    ("state-tree-metadata", false),
    // Last: without its mark, or its promises, a node takes its disk for lost, and is heard by nobody for some epochs.
    ("lanes-mark", false),
    ("lanes", true),
];

/// The largest file of a kind.
fn largest(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).expect("the kind is there");
    let files = files.map(|it| it.expect("readable").path());
    let size = |it: &PathBuf| fs::metadata(it).expect("readable").len();
    files.max_by_key(size).expect("it has files")
}

/// Changes one bit in the middle of a file: done twice, it is as before.
fn flip(file: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(file);
    let file = file.expect("it is there");
    let length = file.metadata().expect("readable").len();
    let at = HEADER + (length - HEADER) / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it is longer");
    byte[0] ^= 0x10;
    file.write_all_at(&byte, at).expect("mine");
}

/// Waits until a node that was started is in step with the others. `false` if it ended, as a node does whose disk is damaged.
async fn comes_back(net: &Net, node: usize) -> bool {
    let height = net.heights(0).await.expect("it runs").executed + 2;
    let mut sound = None;
    until(net, "the node is in step, or stops", async || {
        if let Some(code) = net.ended(node) {
            assert_eq!(code, Some(5), "{}", said(net, node));
            sound = Some(false);
        } else if net
            .heights(node)
            .await
            .is_some_and(|it| it.executed >= height)
        {
            sound = Some(true);
        }
        sound.is_some()
    })
    .await;
    sound.expect("just seen")
}

/// The last that a node told its operator.
fn said(net: &Net, node: usize) -> String {
    let log = net.log(node);
    let at = log.rfind("\nledger: ").map_or(0, |it| it + 1);
    log[at..].to_owned()
}

/// Whatever a node says of old blocks is what the others say, and whatever it proves is proven. It may stop over it.
async fn tells_no_lies(net: &Net, node: usize) {
    let newest = net.heights(0).await.expect("it runs").executed;
    for height in (1..newest).step_by(7) {
        if let Some(came) = net.came(node, height).await {
            assert_eq!(Some(came), net.came(0, height).await, "block {height}");
        }
    }
    for account in 0..16 {
        let key = address(&PrivateKey::from_seed(account));
        // The client refuses what is not proven, and that is no refusal of the node's.
        match net.client(node).proven(&key).await {
            Ok(proven) => assert!(proven.value.is_some(), "account {account} has money"),
            Err(failure) => assert!(!failure.message.contains("strange"), "{failure}"),
        }
    }
}

/// Transfers until there are a few hundred blocks of them, in three epochs.
async fn filled(net: &Net) {
    let mut client = 0;
    while net.heights(3).await.is_none_or(|it| it.executed < 350) {
        client = (client + 1) % 16;
        let node = client as usize % 4;
        if let Some(id) = net.submit(client, node).await {
            net.settled(node, id).await;
        }
    }
}

/// As it was before, a file may be read again; if what follows the damage was cut off, the node does as its operator was told.
async fn mends(net: &Net, node: usize, file: &Path) {
    flip(file);
    net.start(node).await;
    if !comes_back(net, node).await {
        fs::remove_dir_all(net.home(node).join("data")).expect("mine");
        net.start(node).await;
        assert!(comes_back(net, node).await, "{}", said(net, node));
    }
}

#[test]
#[ignore = "takes longer than seven minutes on two cores: run it by name"]
fn a_damaged_file_stops_a_node_or_is_made_good_by_the_others() {
    run(async |context, directory| {
        let net = network(context, directory, "4").await;
        filled(&net).await;
        for (kind, stops) in KINDS {
            net.kill(3).await;
            let file = largest(&net.home(3).join("data/store").join(kind));
            flip(&file);
            net.start(3).await;
            let sound = comes_back(&net, 3).await;
            assert!(!(sound && stops), "{kind} was changed, and nobody noticed");
            if sound {
                tells_no_lies(&net, 3).await;
            }
            if !sound || net.ended(3).is_some() {
                let said = said(&net, 3);
                assert!(
                    said.contains("a file in the directory is damaged"),
                    "{kind}: {said}"
                );
                eprintln!("{kind}: {}", said.lines().next().unwrap_or_default());
                mends(&net, 3, &file).await;
            }
        }
    });
}

#[test]
#[ignore = "takes longer than seven minutes on two cores: run it by name"]
fn a_disk_that_takes_no_more_stops_a_node_and_nothing_is_lost() {
    run(async |context, directory| {
        let net = network(context, directory, "4").await;
        net.kill(3).await;
        // No file may grow beyond 128 KiB. A signal would end the process as well, but say nothing.
        let limited = "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\"";
        net.start_under(3, &["sh", "-c", limited]);
        let mut ended = None;
        let mut client = 0;
        until(&net, "the node stops", async || {
            client = (client + 1) % 16;
            net.submit(client, client as usize % 3).await;
            ended = net.ended(3);
            ended.is_some()
        })
        .await;
        let said = said(&net, 3);
        assert_eq!(ended, Some(Some(5)), "{said}");
        assert!(said.contains("the disk is full"), "{said}");
        net.start(3).await;
        assert!(comes_back(&net, 3).await);
        tells_no_lies(&net, 3).await;
    });
}
