//! What a full mailbox keeps: at most one message of each kind, so its overflow is bounded by the number of kinds.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

/// A message that can take in a later one of its kind, so that the two say as much as the later alone would have.
pub trait Coalesce: Sized {
    /// Takes in a later message of the same kind; gives back one of another kind.
    fn absorb(&mut self, later: Self) -> Option<Self>;
}

/// Retains a message. What is retained leaves in the order in which each kind first came: the facts of actors are
/// monotone, so a fact that overtakes another is only early.
pub fn retain<M: Coalesce>(overflow: &mut VecDeque<M>, message: M) {
    let rest = overflow
        .iter_mut()
        .try_fold(message, |message, held| held.absorb(message));
    overflow.extend(rest);
}
