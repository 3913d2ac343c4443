use super::Mix;
use std::collections::BTreeSet;

/// Computed by a model of the mix written in another language.
const EXPECTED: u128 = 0xbf3d2cae_53cbc253_19f88a83_b45b0aef;
const EXPECTED_EMPTY: u128 = 0x0cf15b64_a57ccef1_2e05b63e_637c55c6;

fn tag(key: &[u8], namespace: &[u8], message: &[u8]) -> u128 {
    Mix::keyed(key, namespace).bytes(message).finish()
}

#[test]
fn the_mix_is_the_same_on_every_machine() {
    assert_eq!(tag(b"key", b"namespace", b"message"), EXPECTED);
    assert_eq!(tag(b"", b"", b""), EXPECTED_EMPTY);
}

#[test]
fn every_flipped_bit_changes_about_half_of_the_tag() {
    let message = [0x5a; 150];
    let original = tag(b"key", b"namespace", &message);
    for bit in 0..message.len() * 8 {
        let mut flipped = message;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let changed = (tag(b"key", b"namespace", &flipped) ^ original).count_ones();
        // Binomial(128, 1/2): 24 is seven standard deviations below the mean.
        assert!(
            (24..=104).contains(&changed),
            "bit {bit} changed {changed} bits"
        );
    }
}

#[test]
fn strings_do_not_run_into_each_other() {
    let parts: [&[u8]; 6] = [b"", b"\0", b"a", b"ab", b"abcdefgh", b"abcdefgh\0"];
    let mut tags = BTreeSet::new();
    for key in parts {
        for namespace in parts {
            for message in parts {
                assert!(tags.insert(tag(key, namespace, message)));
            }
        }
    }
}
