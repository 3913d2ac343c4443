//! What is forgotten.

use super::*;

fn id(number: usize) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Digest::from(bytes)
}

#[test]
fn the_oldest_is_forgotten_for_the_newest() {
    let verified = Verified::default();
    verified.learn((0..=REMEMBERED_MAX).map(id));
    verified.learn([id(1)].into_iter());
    let known = verified.know([id(0), id(1), id(REMEMBERED_MAX)].iter());
    assert_eq!(known, [false, true, true]);
}
