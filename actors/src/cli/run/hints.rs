//! What an operator is told when a node stops.

use super::super::failure::{Exit, Failure};
use crate::node;
use std::{
    any::Any,
    fs::{self, File},
    path::Path,
};

/// What to do when the disk is full.
const FULL: &str = "the disk is full: free some space, or lower storage.retention_blocks, and start again; nothing that \
                    was promised is lost";
/// What to do when files are damaged.
const DAMAGED: &str = "the disk failed, or a file in the directory is damaged: restore the directory from this machine's \
                       last good state only if no newer one was ever run; else give the node an empty directory and start it \
                       without `init`, and it asks the others what it may have signed";

fn is_full(text: &str) -> bool {
    [
        "No space left",
        "StorageFull",
        "os error 28",
        "QuotaExceeded",
        // A limit on the size of files.
        "File too large",
        "os error 27",
    ]
    .iter()
    .any(|it| text.contains(it))
}

/// Says what to do about a disk that fails.
pub(super) fn damaged(reason: &str) -> Failure {
    let advice = if is_full(reason) { FULL } else { DAMAGED };
    Failure::new(Exit::Disk, format!("{reason}\n{advice}"))
}

/// Says what to do about an error of the node.
pub(super) fn hint(error: &node::Error) -> Failure {
    // The chain of causes is where a full disk shows.
    let reason = format!("{error} ({error:?})");
    match error {
        node::Error::Genesis { .. } | node::Error::Deployment { .. } => Failure::new(
            Exit::OtherDeployment,
            format!("{error}\nuse the genesis file that the others have, and the program they run"),
        ),
        node::Error::Stopped | node::Error::Part(_) | node::Error::Task(_) => Failure::new(
            Exit::Stopped,
            format!("{error}\nthe log above says why; a start finds everything that was promised"),
        ),
        node::Error::Lanes(_)
        | node::Error::State(_)
        | node::Error::Store(_)
        | node::Error::Orderer(_)
        | node::Error::Nameless
        | node::Error::Name(_)
        | node::Error::Executor(_) => damaged(&reason),
    }
}

/// Bytes that a disk has to take that is not full.
const PROBE: usize = 1 << 20;

/// Says what to do when a part ended without a word: which part meets a disk that takes no more is a matter of chance, and the disk
/// itself knows.
pub(super) fn explained(failure: Failure, directory: &Path) -> Failure {
    if failure.exit != Exit::Stopped {
        return failure;
    }
    let path = directory.join("probe");
    let written = fs::write(&path, vec![0; PROBE]).and_then(|()| File::open(&path)?.sync_all());
    let _ = fs::remove_file(&path);
    match written {
        Ok(()) => failure,
        Err(error) => damaged(&format!("{}: {error}: {failure}", path.display())),
    }
}

/// Says what to do about a panic, whose message is in the log.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or("a part of the node panicked");
    // What consensus says when its disk fails; it panics of nothing else in these words.
    let fails = said.starts_with("failed to ");
    let names = ["Io(", "Blob", "Storage", "journal", "storage"];
    // A state that was cut off is behind what was acknowledged: the next block does not fit it.
    let behind = said.starts_with("finalized block ") && said.contains("does not follow");
    if is_full(said) || fails || behind || names.iter().any(|it| said.contains(it)) {
        return damaged(said);
    }
    Failure::new(Exit::Stopped, said)
}
