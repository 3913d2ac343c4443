//! Answers to transactions that were submitted together, until there is one for each.

#[cfg(test)]
mod tests;

use super::{Answer, Client};
use commonware_utils::channel::oneshot;
use std::collections::BTreeMap;

struct Submission {
    answers: Vec<Option<Answer>>,
    missing: usize,
    responder: oneshot::Sender<Vec<Answer>>,
}

/// Submissions whose answers are not all here. As many as the pool holds transactions, at most, since only what is held waits
/// for its answer; and each as long as whoever submits makes it.
#[derive(Default)]
pub struct Submissions {
    open: BTreeMap<u64, Submission>,
    next: u64,
}

impl Submissions {
    /// Takes in so many transactions, and names them.
    pub fn begin(&mut self, count: usize, responder: oneshot::Sender<Vec<Answer>>) -> u64 {
        let name = self.next;
        self.next += 1;
        if count == 0 {
            let _ = responder.send(Vec::new());
            return name;
        }
        let submission = Submission {
            answers: vec![None; count],
            missing: count,
            responder,
        };
        self.open.insert(name, submission);
        name
    }

    /// The answer to one of them. The last one sends all on their way.
    pub fn answer(&mut self, client: Client, answer: Answer) {
        let submission = self.open.get_mut(&client.submission).expect("it is open");
        let before = submission.answers[client.index].replace(answer);
        assert!(before.is_none(), "each transaction is answered once");
        submission.missing -= 1;
        if submission.missing > 0 {
            return;
        }
        let submission = self.open.remove(&client.submission).expect("it is open");
        let answers = submission.answers.into_iter().flatten().collect();
        // A client that went away does not want to know.
        let _ = submission.responder.send(answers);
    }
}
