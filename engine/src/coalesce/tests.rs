use super::{Coalesce, retain};
use std::collections::VecDeque;

#[derive(Debug, PartialEq, Eq)]
enum Fact {
    Position(u64),
    Words(Vec<&'static str>),
}

impl Coalesce for Fact {
    fn absorb(&mut self, later: Self) -> Option<Self> {
        match (self, later) {
            (Self::Position(held), Self::Position(later)) => *held = later.max(*held),
            (Self::Words(held), Self::Words(later)) => held.extend(later),
            (_, later) => return Some(later),
        }
        None
    }
}

#[test]
fn each_kind_is_kept_once_in_the_order_it_first_came() {
    let mut overflow = VecDeque::new();
    retain(&mut overflow, Fact::Words(vec!["one"]));
    retain(&mut overflow, Fact::Position(7));
    retain(&mut overflow, Fact::Words(vec!["two", "three"]));
    retain(&mut overflow, Fact::Position(5));
    retain(&mut overflow, Fact::Words(vec!["four"]));
    let words = Fact::Words(vec!["one", "two", "three", "four"]);
    assert_eq!(overflow, [words, Fact::Position(7)]);
}
