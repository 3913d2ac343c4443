use super::{ME, Message, Owner, asked, published, resent};
use crate::{record::Record, testing::World};

impl Owner {
    /// Stops and starts again. What was not synced is lost.
    fn restart(mut self, world: &World) -> Self {
        self.written.truncate(self.durable);
        let epoch = self.state.epochs().epoch();
        let mut owner = Self::restored(world, self.me, epoch, self.written);
        owner.now_ms = self.now_ms;
        owner
    }
}

// L-08, L-10, R-01: whatever was sent is durable, so no height is ever signed twice.
#[test]
fn a_restarted_sequencer_extends_its_highest_header_and_resends_at_once() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    owner.certified(world.certificate(0, &headers[0]));
    let mut owner = owner.restart(&world);
    let effects = owner.tell(Message::Ticked);
    assert_eq!(
        resent(&effects),
        [world.envelope(&headers, None)],
        "byte for byte"
    );
    assert_eq!(owner.state.in_flight().len(), 4);
    owner.certified(world.certificate(0, &headers[0]));
    owner.pass(1);
    owner.seal(99);
    let next = published(&owner.sync()).remove(0);
    assert!(next.extends(&headers[3].tip()));
}

// L-10, D-12
#[test]
fn a_header_lost_before_its_sync_was_never_sent_so_its_height_is_free() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    owner.seal(0);
    let first = published(&owner.sync()).remove(0);
    owner.pass(1);
    assert!(published(&owner.seal(1)).is_empty());
    let mut owner = owner.restart(&world);
    owner.now_ms += 10;
    assert_eq!(asked(&owner.tell(Message::Ticked))[0].height, 2);
    owner.seal(2);
    let second = published(&owner.sync()).remove(0);
    assert!(second.extends(&first.tip()));
}

// L-10: the certificate is in the tip manager's records.
#[test]
fn a_restarted_sequencer_knows_the_certificate_that_was_journaled() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    let certificate = world.certificate(0, &headers[2]);
    let (sequencer, tip) = (world.key(ME), certificate.tip);
    owner.written.push(Record::Base {
        sequencer,
        tip,
        certificate: Some(certificate.clone()),
    });
    owner.durable += 1;
    let mut owner = owner.restart(&world);
    let effects = owner.tell(Message::Ticked);
    assert_eq!(
        resent(&effects),
        [world.envelope(&headers[3..], Some(&certificate))]
    );
    assert_eq!(asked(&effects).len(), 1, "one of four is in flight");
}

// L-10: a restored backup, or a lost disk: others know more.
#[test]
fn a_sequencer_behind_its_own_certificate_goes_on_above_it() {
    let world = World::new();
    let lane = world.lane(ME, 3);
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    owner.certified(world.certificate(0, &lane[2]));
    owner.seal(0);
    assert!(published(&owner.sync())[0].extends(&lane[2].tip()));

    let records = lane.iter().map(|it| Record::Own { header: it.clone() });
    let mut owner = Owner::restored(&world, ME, 0, records.collect());
    owner.tell(Message::Ticked);
    owner.seal(0);
    assert!(
        published(&owner.sync())[0].extends(&lane[2].tip()),
        "as recovery journals it"
    );
}

// L-10: another node's journal is no place to start from.
#[test]
#[should_panic(expected = "another node's journal")]
fn a_journal_of_another_key_is_not_started_from() {
    let world = World::new();
    let header = world.lane(2, 1).remove(0);
    Owner::restored(&world, ME, 0, vec![Record::Own { header }]);
}
