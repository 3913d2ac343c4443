//! Answers of several.

use super::*;

const fn client(submission: u64, index: usize) -> Client {
    Client { submission, index }
}

#[test]
fn answers_go_out_together_in_the_order_of_the_transactions() {
    let mut submissions = Submissions::default();
    let (responder, mut answers) = oneshot::channel();
    let first = submissions.begin(2, responder);
    let (responder, mut others) = oneshot::channel();
    let second = submissions.begin(1, responder);
    submissions.answer(client(first, 1), Answer::Duplicate);
    assert!(answers.try_recv().is_err(), "one is missing");
    submissions.answer(client(second, 0), Answer::Accepted);
    assert_eq!(others.try_recv(), Ok(vec![Answer::Accepted]));
    submissions.answer(client(first, 0), Answer::Accepted);
    let both = vec![Answer::Accepted, Answer::Duplicate];
    assert_eq!(answers.try_recv(), Ok(both));
    assert!(submissions.open.is_empty());
}

#[test]
fn nothing_submitted_is_answered_at_once() {
    let mut submissions = Submissions::default();
    let (responder, mut answers) = oneshot::channel();
    submissions.begin(0, responder);
    assert_eq!(answers.try_recv(), Ok(Vec::new()));
    assert!(submissions.open.is_empty());
}
