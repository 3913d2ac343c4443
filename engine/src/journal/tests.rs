use super::{Actor, Config, Error, Grouped, Opened, Record, Writer, init, open};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error as CodecError, Read, ReadExt as _, Write};
use commonware_runtime::{
    Clock as _, Handle, Metrics, Runner as _, Spawner, Storage, Supervisor as _,
    deterministic::{self, PartialWriteMode, WriteConfig},
    mocks::{DelayedSyncContext, PendingSyncs, fail_pending_syncs, release_next_pending_syncs},
};
use commonware_utils::{NZU16, NZUsize, Probability};
use rand_core::Rng;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

mod crash;
mod crashing;
mod rot;

/// A key, a value and some bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    key: u32,
    value: u32,
    bulk: u8,
}

impl Note {
    const fn new(key: u32, value: u32) -> Self {
        Self {
            key,
            value,
            bulk: (value % 90) as u8,
        }
    }
}

impl Write for Note {
    fn write(&self, buf: &mut impl BufMut) {
        self.key.write(buf);
        self.value.write(buf);
        self.bulk.write(buf);
        buf.put_bytes(0xb5, usize::from(self.bulk));
    }
}

impl EncodeSize for Note {
    fn encode_size(&self) -> usize {
        9 + usize::from(self.bulk)
    }
}

impl Read for Note {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, CodecError> {
        let note = Self {
            key: u32::read(buf)?,
            value: u32::read(buf)?,
            bulk: u8::read(buf)?,
        };
        for _ in 0..note.bulk {
            if u8::read(buf)? != 0xb5 {
                return Err(CodecError::Invalid("Note", "bulk"));
            }
        }
        Ok(note)
    }
}

/// The last key is a group of its own.
impl Grouped for u32 {
    type Group = bool;
    type Place = Self;

    fn split(self) -> (bool, Self) {
        (self == Self::MAX, self)
    }
}

impl Record for Note {
    type Key = u32;

    fn key(&self) -> u32 {
        self.key
    }
}

fn config() -> Config<()> {
    Config {
        partition: "journal".into(),
        codec_config: (),
        page_bytes: NZU16!(512),
        write_buffer_bytes: NZUsize!(1 << 16),
        section_bytes_max: 1 << 20,
        unsynced_max: 4096,
    }
}

/// Positions in the order they were notified.
type Notified = Arc<Mutex<Vec<u64>>>;

fn subscribe<E: Spawner + Storage + Metrics>(
    actor: &mut Actor<E, Note>,
) -> (Writer<Note>, Notified) {
    let notified = Notified::default();
    let writer = actor.subscribe({
        let notified = notified.clone();
        move |position| notified.lock().unwrap().push(position)
    });
    (writer, notified)
}

fn highest(notified: &Notified) -> u64 {
    notified.lock().unwrap().last().copied().unwrap_or(0)
}

/// Opens, subscribes one client and starts.
async fn start<E>(
    context: E,
    config: Config<()>,
) -> (
    Writer<Note>,
    Notified,
    Opened<Note>,
    Handle<Result<(), Error>>,
)
where
    E: Spawner + Storage + Metrics + Rng,
{
    let (mut actor, opened) = open(context, config).await.unwrap();
    let (writer, notified) = subscribe(&mut actor);
    (writer, notified, opened, actor.start())
}

/// What a reader of the disk finds.
async fn reopened(context: &deterministic::Context) -> Vec<Note> {
    open(context.child("reader"), config())
        .await
        .unwrap()
        .1
        .records
}

async fn turns(context: &deterministic::Context, count: u64) {
    context.sleep(Duration::from_millis(count)).await;
}

fn delayed(
    context: &deterministic::Context,
) -> (DelayedSyncContext<deterministic::Context>, PendingSyncs) {
    let pending = PendingSyncs::default();
    (
        DelayedSyncContext {
            inner: context.child("journal"),
            pending: pending.clone(),
        },
        pending,
    )
}

#[test]
#[should_panic(expected = "a range of two groups is forgotten")]
fn a_range_of_two_groups_is_refused() {
    deterministic::Runner::default().start(|context| async move {
        let (writer, ..) = start(context.child("journal"), config()).await;
        writer.forget(1..=u32::MAX);
    });
}

// L-10: what a restart shows is built on, and nobody knows whether the life before had synced it.
#[test]
fn a_log_is_open_once_what_it_shows_is_durable() {
    deterministic::Runner::default().start(|context| async move {
        let (mut writer, notified, _, journal) = start(context.child("first"), config()).await;
        writer.append([Note::new(1, 1)]);
        turns(&context, 5).await;
        assert_eq!(highest(&notified), 1);
        drop(writer);
        journal.await.unwrap().unwrap();

        let (slow, pending) = delayed(&context);
        pending.arm();
        let mut opening = std::pin::pin!(open::<_, Note>(slow, config()));
        commonware_macros::select! {
            _ = &mut opening => panic!("nobody knows that its content is durable"),
            () = turns(&context, 5) => {},
        }
        assert_eq!(pending.calls(), 1);
        release_next_pending_syncs(&pending, 1);
        let (_, opened) = opening.await.unwrap();
        assert_eq!(opened.records, [Note::new(1, 1)]);
    });
}

#[test]
fn many_appends_share_few_syncs_and_are_notified_once_in_order() {
    deterministic::Runner::default().start(|context| async move {
        let (slow, pending) = delayed(&context);
        let (mut actor, opened) = open(slow, config()).await.unwrap();
        assert!(opened.records.is_empty());
        let (mut one, first) = subscribe(&mut actor);
        let (mut two, second) = subscribe(&mut actor);
        let (_idle, never) = subscribe(&mut actor);
        actor.start();
        turns(&context, 5).await;

        for burst in 0..10 {
            for index in 0..100 {
                let key = burst * 100 + index;
                assert_eq!(one.append([Note::new(key, key)]), u64::from(key) + 1);
                turns(&context, 2).await;
            }
            assert_eq!(
                two.append([Note::new(5000 + burst, 0), Note::new(6000 + burst, 0)]),
                2 * u64::from(burst) + 2
            );
            turns(&context, 5).await;
            assert_eq!(pending.lock().len(), 1, "one sync in flight, never two");
            release_next_pending_syncs(&pending, 1);
            turns(&context, 5).await;
        }
        release_next_pending_syncs(&pending, 1);
        turns(&context, 5).await;

        // Every sync covers what came while the one before was in flight.
        assert_eq!(pending.starts(), 11);
        let expected: Vec<_> = std::iter::once(2)
            .chain((1..10).map(|burst| burst * 100))
            .chain([1000])
            .collect();
        assert_eq!(*first.lock().unwrap(), expected);
        assert_eq!(
            *second.lock().unwrap(),
            (1..=10).map(|burst| 2 * burst).collect::<Vec<u64>>()
        );
        assert!(never.lock().unwrap().is_empty());
    });
}

#[test]
fn nothing_to_sync_is_never_synced() {
    deterministic::Runner::default().start(|context| async move {
        let (slow, pending) = delayed(&context);
        pending.unblock();
        let (mut writer, notified, _, _handle) = start(slow, config()).await;
        assert_eq!(writer.append([]), 0);
        writer.forget(0..=9);
        turns(&context, 1000).await;
        assert_eq!(pending.starts(), 0);
        assert!(notified.lock().unwrap().is_empty());
        assert_eq!(
            writer.room(),
            config().unsynced_max,
            "a forgotten range needs no sync to be done with"
        );
    });
}

#[test]
fn the_newest_record_of_a_key_is_found_in_append_order_however_often_it_is_reopened() {
    deterministic::Runner::default().start(|context| async move {
        let expected = [Note::new(2, 20), Note::new(1, 11), Note::new(3, 31)];
        let (mut writer, _, _, handle) = start(context.child("journal"), config()).await;
        writer.append([Note::new(3, 30), Note::new(1, 10), Note::new(2, 20)]);
        writer.append([Note::new(1, 11), Note::new(3, 31)]);
        drop(writer);
        handle.await.unwrap().unwrap();
        for _ in 0..3 {
            assert_eq!(reopened(&context).await, expected);
        }
        let (mut writer, notified, opened, handle) = start(context.child("again"), config()).await;
        assert_eq!(opened.records, expected);
        assert_eq!(
            writer.append([Note::new(2, 21)]),
            1,
            "positions count from the subscription"
        );
        drop(writer);
        handle.await.unwrap().unwrap();
        assert_eq!(highest(&notified), 1);
        assert_eq!(
            reopened(&context).await,
            [Note::new(1, 11), Note::new(3, 31), Note::new(2, 21)]
        );
    });
}

#[test]
fn a_disk_that_was_never_initialised_is_told_from_one_that_was() {
    let runner = deterministic::Runner::default();
    let (_, checkpoint) = runner.start_and_recover(|context| async move {
        for _ in 0..2 {
            let (_, opened) = open::<_, Note>(context.child("look"), config())
                .await
                .unwrap();
            assert!(!opened.initialised, "looking does not initialise");
        }
        init(&context, &config()).await.unwrap();
    });
    deterministic::Runner::from(checkpoint).start(|context| async move {
        let (_, opened) = open::<_, Note>(context.child("look"), config())
            .await
            .unwrap();
        assert!(opened.initialised);
        init(&context, &config()).await.unwrap();
        let other = Config {
            partition: "other".into(),
            ..config()
        };
        assert!(
            !open::<_, Note>(context.child("other"), other)
                .await
                .unwrap()
                .1
                .initialised
        );
    });
}

// L-20
#[test]
fn who_goes_last_leaves_all_that_was_appended_durable_even_during_a_sync() {
    for in_flight in [false, true] {
        let runner = deterministic::Runner::default();
        let (notified, checkpoint) = runner.start_and_recover(|context| async move {
            let (slow, pending) = delayed(&context);
            let (mut writer, notified, _, handle) = start(slow, config()).await;
            if in_flight {
                writer.append([Note::new(0, 0)]);
                turns(&context, 5).await;
                assert_eq!(pending.lock().len(), 1);
            }
            writer.append((1..50).map(|key| Note::new(key, key)).collect::<Vec<_>>());
            drop(writer);
            turns(&context, 5).await;
            pending.unblock();
            handle.await.unwrap().unwrap();
            notified.lock().unwrap().clone()
        });
        assert_eq!(notified, if in_flight { vec![1, 50] } else { vec![49] });
        let replayed = deterministic::Runner::from(checkpoint)
            .start(|context| async move { reopened(&context).await });
        let first = if in_flight { 0 } else { 1 };
        assert_eq!(
            replayed,
            (first..50)
                .map(|key| Note::new(key, key))
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_failed_sync_ends_the_journal_and_nothing_more_is_notified() {
    deterministic::Runner::default().start(|context| async move {
        let (slow, pending) = delayed(&context);
        let (mut writer, notified, _, handle) = start(slow, config()).await;
        writer.append([Note::new(1, 1)]);
        turns(&context, 5).await;
        release_next_pending_syncs(&pending, 1);
        writer.append([Note::new(2, 2)]);
        turns(&context, 5).await;
        writer.append([Note::new(3, 3)]);
        turns(&context, 5).await;
        fail_pending_syncs(&pending);
        pending.unblock();
        assert!(matches!(handle.await.unwrap(), Err(Error::Disk(_))));
        // The client may not know yet. Its budget does not count any more.
        for key in 0..2 * config().unsynced_max as u32 {
            writer.append([Note::new(key, key)]);
        }
        turns(&context, 100).await;
        assert_eq!(*notified.lock().unwrap(), [1]);
    });
}

#[test]
fn a_failed_write_ends_the_journal() {
    deterministic::Runner::default().start(|context| async move {
        let (mut writer, notified, _, handle) = start(context.child("journal"), config()).await;
        context.storage_fault_config().write().write_rate = Some(WriteConfig {
            failure_rate: Probability::new(1, 1).unwrap(),
            retention_rate: Probability::new(0, 1).unwrap(),
            mode: PartialWriteMode::Prefix,
        });
        writer.append([Note::new(1, 1)]);
        assert!(matches!(handle.await.unwrap(), Err(Error::Disk(_))));
        assert!(notified.lock().unwrap().is_empty());
    });
}

#[test]
#[should_panic(expected = "the client must keep them to 8")]
fn a_client_that_ignores_back_pressure_panics() {
    deterministic::Runner::default().start(|context| async move {
        let config = Config {
            unsynced_max: 8,
            ..config()
        };
        let (mut writer, _, _, _handle) = start(context.child("journal"), config).await;
        writer.append((0..8).map(|key| Note::new(key, key)).collect::<Vec<_>>());
        assert_eq!(writer.room(), 0);
        writer.append([Note::new(9, 9)]);
    });
}

/// Sizes of the sections on disk, by number.
async fn sections(context: &deterministic::Context) -> Vec<u64> {
    let mut names: Vec<_> = context.scan("journal").await.unwrap();
    names.sort();
    names
        .iter()
        .map(|name| u64::from_be_bytes(name.as_slice().try_into().unwrap()))
        .collect()
}

#[test]
fn a_roll_keeps_the_live_and_drops_the_forgotten_and_the_old_sections() {
    deterministic::Runner::default().start(|context| async move {
        let config = Config {
            section_bytes_max: 4096,
            ..config()
        };
        let (mut writer, _, _, handle) = start(context.child("journal"), config).await;
        writer.append([Note::new(1_000_000, 7)]);
        for key in 0..1000 {
            writer.append([Note::new(key, key)]);
            if key >= 10 {
                writer.forget(0..=key - 10);
            }
            turns(&context, 1).await;
        }
        let sections = sections(&context).await;
        assert_eq!(sections.len(), 1, "{sections:?}");
        assert!(sections[0] > 10, "rolled many times");
        drop(writer);
        handle.await.unwrap().unwrap();
        let replayed = reopened(&context).await;
        assert_eq!(
            replayed[0],
            Note::new(1_000_000, 7),
            "the oldest is carried along, in its place"
        );
        assert_eq!(replayed.last(), Some(&Note::new(999, 999)));
        assert!(
            replayed.len() < 200,
            "{} records, most were forgotten",
            replayed.len()
        );
        assert!(replayed[1..].is_sorted_by_key(|note| note.key));
    });
}

#[test]
fn a_log_whose_last_records_were_forgotten_is_not_damaged() {
    deterministic::Runner::default().start(|context| async move {
        let config = Config {
            section_bytes_max: 600,
            ..config()
        };
        let (mut writer, _, _, handle) = start(context.child("journal"), config).await;
        for key in 0..100 {
            writer.append([Note::new(key, key)]);
            turns(&context, 2).await;
            writer.forget(1..=u32::MAX - 1);
            turns(&context, 2).await;
        }
        drop(writer);
        handle.await.unwrap().unwrap();
        assert_eq!(reopened(&context).await[0], Note::new(0, 0));
    });
}

#[test]
fn a_live_set_larger_than_a_section_is_not_copied_at_every_sync() {
    deterministic::Runner::default().start(|context| async move {
        let config = Config {
            section_bytes_max: 512,
            ..config()
        };
        let (mut writer, notified, _, handle) = start(context.child("journal"), config).await;
        for key in 0..1000 {
            writer.append([Note::new(key, key)]);
            turns(&context, 1).await;
        }
        drop(writer);
        handle.await.unwrap().unwrap();
        assert_eq!(highest(&notified), 1000);
        // Each roll doubles the log: from 512 bytes to 80 kilobytes is seven or eight doublings.
        let sections = sections(&context).await;
        assert!((5..=10).contains(&sections[0]), "{sections:?}");
        assert_eq!(reopened(&context).await.len(), 1000);
    });
}
