//! What peers see.

use super::{Answer, Bytes, Refusal, Request, compact, question, run};
use crate::{
    runs::{message_size_max, wire::Message},
    testing::{Key, Nouns, World},
};
use commonware_runtime::IoBuf;
use drystone_engine::types::Signed;
use proptest::{collection::vec, prelude::*};

const SIZE: usize = Signed::<Nouns>::COMPACT_SIZE;

fn messages() -> [Message<Key>; 4] {
    let world = World::new();
    let (number, question) = (7, question(&world));
    let run = compact(&run(&world));
    [
        Message::Request(Request { number, question }),
        Message::Answer(Answer {
            number: u64::MAX,
            run: Some(run.slice(..SIZE)),
        }),
        Message::Answer(Answer {
            number: 0,
            run: Some(run),
        }),
        Message::Answer(Answer { number, run: None }),
    ]
}

fn bytes(message: Message<Key>) -> Bytes {
    Bytes::from(message.encode().coalesce())
}

fn decode(bytes: Bytes) -> Result<Message<Key>, Refusal> {
    Message::decode::<Nouns>(IoBuf::from(bytes), &World::new().genesis)
}

#[test]
fn what_is_written_is_read_and_fits_the_largest_message() {
    let genesis = World::new().genesis;
    for message in messages() {
        let bytes = bytes(message.clone());
        assert!(bytes.len() <= message_size_max::<Nouns>(&genesis));
        assert_eq!(decode(bytes), Ok(message));
    }
}

#[test]
fn a_run_is_not_copied_in() {
    let came = bytes(messages()[2].clone());
    let Ok(Message::Answer(Answer { run: Some(run), .. })) = decode(came.clone()) else {
        panic!("a run");
    };
    assert!(came.as_ptr_range().contains(&run.as_ptr()));
}

//
#[test]
fn short_long_and_impossible_messages_are_refused() {
    let malformed = |it| matches!(decode(it), Err(Refusal::Malformed(_)));
    let [request, one, _, absent] = messages();
    for message in [request.clone(), one.clone(), absent] {
        let whole = bytes(message);
        for len in 0..whole.len() {
            assert!(malformed(whole.slice(..len)), "{len}");
        }
        assert!(malformed(Bytes::from([&whole[..], &[0]].concat())));
    }
    let mut kind = bytes(request.clone()).to_vec();
    kind[0] = 3;
    assert!(malformed(Bytes::from(kind)));

    // As many headers as a lane may be ahead, and not one more.
    let genesis = World::new().genesis;
    let max = genesis.lane_headers_max as usize;
    let mut long = bytes(one).to_vec();
    long.resize(long.len() + (max - 1) * SIZE, 0);
    assert_eq!(long.len(), message_size_max::<Nouns>(&genesis));
    assert!(decode(Bytes::from(long.clone())).is_ok());
    long.resize(long.len() + SIZE, 0);
    assert!(malformed(Bytes::from(long)));

    let Message::Request(request) = request else {
        panic!("a request");
    };
    for part in 0..4 {
        let mut request = request.clone();
        let question = &mut request.question;
        match part {
            0 => question.to.height = question.above.height,
            1 => question.to.height = question.above.height + max as u64 + 1,
            2 => question.to.slot = u64::MAX,
            _ => question.height = 0,
        }
        let height = question.height;
        let decoded = decode(bytes(Message::Request(request)));
        assert_eq!(decoded, Err(Refusal::Impossible(height)), "part {part}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused_or_read_back_as_they_were(
        kind in 0..4_u8,
        rest in vec(any::<u8>(), 0..300),
    ) {
        let input = Bytes::from([&[kind], &rest[..]].concat());
        if let Ok(message) = decode(input.clone()) {
            prop_assert_eq!(bytes(message), input);
        }
    }
}
