//! What lies on a node's disk, and how a bit of it is changed.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

/// Where a file's content begins.
const HEADER: u64 = 4_096;

/// The largest file of a kind.
fn largest(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).expect("the kind is there");
    let files = files.map(|it| it.expect("readable").path());
    let size = |it: &PathBuf| fs::metadata(it).expect("readable").len();
    files.max_by_key(size).expect("it has files")
}

/// Changes one bit in the third quarter of the largest file of a kind, so that it was written since the last start but has others
/// behind it. Done twice, it is as before.
pub fn flip(data: &Path, kind: &str) {
    let file = largest(&data.join("store").join(kind));
    let file = OpenOptions::new().read(true).write(true).open(file);
    let file = file.expect("it is there");
    let length = file.metadata().expect("readable").len();
    let at = HEADER + (length - HEADER) * 3 / 4;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it is longer");
    byte[0] ^= 0x10;
    file.write_all_at(&byte, at).expect("mine");
}

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("mine");
    for entry in fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("readable");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("there is room");
        }
    }
}
