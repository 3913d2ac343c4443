//! The storage contract, clause by clause.

use super::*;
use commonware_runtime::{
    Blob as _, BlobVersion, Error, IoBufMut, IoBufsMut, ReadOptions, WriteOptions,
};

const PLAIN: WriteOptions = WriteOptions::SYNC.without(WriteOptions::SYNC);

async fn read(blob: &Blob, offset: u64, len: usize) -> Result<Vec<u8>, Error> {
    let bufs = blob.read_at(offset, len, ReadOptions::default()).await?;
    Ok(bufs.coalesce().as_ref().to_vec())
}

/// Runs a body on the host of a machine without faults or latency.
fn on_host<Fut: Future>(body: impl FnOnce(Host) -> Fut) -> Fut::Output {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        body(machine.boot()).await
    })
}

#[test]
fn a_partition_name_is_not_empty_and_has_only_letters_digits_dashes_and_underscores() {
    on_host(|host| async move {
        for name in ["a", "my_partition", "my-partition", "A1"] {
            host.open(name, b"b").await.expect("a valid name");
        }
        for name in ["", "a/b", "a.b", "a b", "..", "\u{e9}"] {
            let invalid = |error| matches!(error, Error::PartitionNameInvalid(_));
            assert!(
                host.open(name, b"b").await.err().is_some_and(invalid),
                "{name:?}"
            );
            assert!(host.scan(name).await.err().is_some_and(invalid), "{name:?}");
            assert!(
                host.remove(name, None).await.err().is_some_and(invalid),
                "{name:?}"
            );
        }
    });
}

#[test]
fn a_blob_has_one_handle_at_a_time() {
    on_host(|host| async move {
        let (first, _) = host.open("p", b"b").await.expect("open");
        let second = host.open("p", b"b").await.err();
        assert!(matches!(second, Some(Error::BlobAlreadyOpen(p, n)) if p == "p" && n == "62"));
        drop(first);
        host.open("p", b"b").await.expect("the first is closed");
    });
}

#[test]
fn a_blob_keeps_the_version_it_was_made_with() {
    on_host(|host| async move {
        let versions = |from, to| BlobVersion::new(from)..=BlobVersion::new(to);
        let (_, _, made) = host
            .open_versioned("p", b"b", versions(1, 3))
            .await
            .expect("open");
        assert_eq!(made, BlobVersion::new(3));
        let (_, _, kept) = host
            .open_versioned("p", b"b", versions(0, 9))
            .await
            .expect("open");
        assert_eq!(kept, made);
        let refused = host.open_versioned("p", b"b", versions(4, 9)).await.err();
        assert!(matches!(
            refused,
            Some(Error::BlobVersionMismatch { expected, found })
                if expected == versions(4, 9) && found == made
        ));
    });
}

#[test]
fn a_scan_lists_names_in_order_and_knows_only_what_exists() {
    on_host(|host| async move {
        assert!(matches!(
            host.scan("p").await,
            Err(Error::PartitionMissing(_))
        ));
        for name in [b"c", b"a", b"b"] {
            host.open("p", name).await.expect("open");
        }
        let names = host.scan("p").await.expect("a partition");
        assert_eq!(names, [b"a", b"b", b"c"].map(|name| name.to_vec()));
        host.remove("p", Some(b"b")).await.expect("removed");
        assert!(matches!(
            host.remove("p", Some(b"b")).await,
            Err(Error::BlobMissing(..))
        ));
        assert_eq!(host.scan("p").await.expect("a partition").len(), 2);
        host.remove("p", None).await.expect("removed");
        assert!(matches!(
            host.scan("p").await,
            Err(Error::PartitionMissing(_))
        ));
        assert!(matches!(
            host.remove("p", None).await,
            Err(Error::PartitionMissing(_))
        ));
    });
}

#[test]
fn a_removed_blob_lives_as_long_as_its_handle_and_its_name_is_free() {
    on_host(|host| async move {
        let (old, _) = host.open("p", b"b").await.expect("open");
        old.write_at(0, b"unsynced", PLAIN).await.expect("write");
        host.remove("p", None).await.expect("removed");
        let (new, len) = host.open("p", b"b").await.expect("open");
        assert_eq!(len, 0);
        new.write_at(0, b"new", WriteOptions::SYNC)
            .await
            .expect("write");
        assert_eq!(read(&old, 0, 8).await.expect("read"), b"unsynced");
        drop(old);
        assert_eq!(read(&new, 0, 3).await.expect("read"), b"new");
        assert!(matches!(
            host.open("p", b"b").await,
            Err(Error::BlobAlreadyOpen(..))
        ));
    });
}

#[test]
fn a_read_past_the_end_is_an_error_and_an_impossible_offset_another() {
    on_host(|host| async move {
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(2, b"ab", PLAIN).await.expect("write");
        assert_eq!(read(&blob, 0, 4).await.expect("read"), [0, 0, b'a', b'b']);
        assert_eq!(read(&blob, 4, 0).await.expect("read"), b"");
        assert!(matches!(
            read(&blob, 4, 1).await,
            Err(Error::BlobInsufficientLength)
        ));
        assert!(matches!(
            read(&blob, u64::MAX, 1).await,
            Err(Error::OffsetOverflow)
        ));
        assert!(matches!(
            blob.write_at(u64::MAX, b"a", PLAIN).await,
            Err(Error::OffsetOverflow)
        ));
        blob.resize(3).await.expect("resize");
        blob.resize(4).await.expect("resize");
        assert_eq!(read(&blob, 2, 2).await.expect("read"), [b'a', 0]);
    });
}

#[test]
fn a_read_fills_the_buffers_it_was_given() {
    on_host(|host| async move {
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(0, b"hello world", WriteOptions::SYNC)
            .await
            .expect("write");
        let shapes = || {
            let two = |a, b| IoBufsMut::from(vec![a, b]);
            [
                IoBufMut::zeroed(11).into(),
                IoBufMut::with_capacity(16).into(),
                IoBufMut::zeroed(16).into(),
                two(IoBufMut::zeroed(5), IoBufMut::zeroed(6)),
                two(IoBufMut::with_capacity(5), IoBufMut::with_capacity(6)),
                two(IoBufMut::zeroed(8), IoBufMut::zeroed(8)),
            ]
        };
        for bufs in shapes() {
            let filled = blob
                .read_at_buf(0, 11, bufs, ReadOptions::default())
                .await
                .expect("read");
            assert_eq!(filled.coalesce(), b"hello world");
        }
        let bufs: IoBufsMut = IoBufMut::zeroed(11).into();
        let before = bufs.as_single().expect("one chunk").as_ref().as_ptr();
        let filled = blob
            .read_at_buf(0, 11, bufs, ReadOptions::default())
            .await
            .expect("read");
        assert_eq!(
            filled.as_single().expect("one chunk").as_ref().as_ptr(),
            before
        );
        let ranges = [(6, 5), (0, 5)];
        let many = blob
            .start_read_many(&ranges, ReadOptions::default())
            .await
            .await
            .expect("read");
        let many: Vec<_> = many
            .into_iter()
            .map(|bufs| bufs.coalesce().as_ref().to_vec())
            .collect();
        assert_eq!(many, [b"world".to_vec(), b"hello".to_vec()]);
    });
}

#[test]
fn a_reopened_blob_holds_only_what_was_synced() {
    on_host(|host| async move {
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(0, b"synced", PLAIN).await.expect("write");
        blob.sync().await.expect("sync");
        blob.write_at(6, b"-lost", PLAIN).await.expect("write");
        drop(blob);
        let (blob, len) = host.open("p", b"b").await.expect("open");
        assert_eq!(len, 6);
        assert_eq!(read(&blob, 0, 6).await.expect("read"), b"synced");
    });
}

#[test]
fn a_synchronous_write_persists_its_own_bytes_and_no_others() {
    on_host(|host| async move {
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(0, b"aaaaaa", PLAIN).await.expect("write");
        blob.write_at(2, b"BB", WriteOptions::SYNC)
            .await
            .expect("write");
        assert_eq!(read(&blob, 0, 6).await.expect("read"), b"aaBBaa");
        drop(blob);
        let (blob, len) = host.open("p", b"b").await.expect("open");
        assert_eq!(read(&blob, 0, len as usize).await.expect("read"), b"\0\0BB");
    });
}
