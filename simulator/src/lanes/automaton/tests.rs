use super::*;

#[test]
fn a_lost_disk_takes_bodies_that_its_node_had_and_had_not_sent_and_no_others() {
    let [sent, kept] = [1, 2].map(|it| Digest::from([it; 32]));
    let mut library = Library::default();
    for payload in [sent, kept] {
        assert!(library.store(0, payload));
        assert!(!library.store(0, payload), "it is there already");
        library.sealed.insert(payload, 0);
    }
    library.sealed.remove(&sent);
    library.spread(sent);
    assert!(library.store(1, sent));

    library.wipe(0);
    assert_eq!(library.find(0, &sent), (false, Some(0)));
    assert_eq!(library.find(0, &kept), (false, None));
    assert_eq!(library.find(1, &sent), (true, Some(0)));
    assert!(library.sealed.is_empty());
    assert!(library.store(0, sent), "the new disk did not have it");
    assert_eq!(library.find(0, &sent), (true, Some(0)));
}
