//! Disks that damage what was durable, and peers that try to look like it.

use super::{
    super::{entry::Header, open},
    Note, config, highest, reopened, start, turns,
};
use commonware_codec::Encode as _;
use commonware_runtime::{
    Blob as _, ReadOptions, Runner as _, Storage as _, Supervisor as _, WriteOptions, deterministic,
};

/// A log of some pages, each append synced on its own, on disk.
async fn written(context: &deterministic::Context, appends: u32) {
    let (mut writer, notified, _, handle) = start(context.child("journal"), config()).await;
    for key in 0..appends {
        writer.append([Note::new(key, key)]);
        turns(context, 2).await;
    }
    drop(writer);
    handle.await.unwrap().unwrap();
    assert_eq!(highest(&notified), u64::from(appends));
}

#[test]
fn a_flipped_bit_in_the_middle_is_an_error_and_never_a_shorter_log() {
    deterministic::Runner::default().start(|context| async move {
        written(&context, 60).await;
        let name = 0u64.to_be_bytes();
        let (blob, size) = context.open("journal", &name).await.unwrap();
        let pristine = blob
            .read_at(0, size as usize, ReadOptions::default())
            .await
            .unwrap()
            .coalesce();
        let pristine: Vec<u8> = pristine.as_ref().to_vec();
        drop(blob);
        // All but the pages of the last entry: that one, nothing after it bears witness to.
        let last_pages = (size / (512 + 12) - 2) * (512 + 12);
        let (mut refused, mut harmless) = (0, 0);
        for bit in (0..last_pages * 8).step_by(61) {
            let mut flipped = pristine.clone();
            flipped[(bit / 8) as usize] ^= 1 << (bit % 8);
            let (blob, _) = context.open("journal", &name).await.unwrap();
            blob.resize(size).await.unwrap();
            blob.write_at(0, flipped, WriteOptions::default())
                .await
                .unwrap();
            blob.sync().await.unwrap();
            drop(blob);
            match open::<_, Note>(context.child("reader"), config()).await {
                Err(_) => refused += 1,
                // The half of a page's checksum that is not in use.
                Ok((_, opened)) => {
                    assert_eq!(opened.records.len(), 60, "bit {bit}");
                    harmless += 1;
                }
            }
        }
        assert!(
            refused > 20 * harmless,
            "refused {refused}, harmless {harmless}"
        );
    });
}

#[test]
fn what_a_peer_puts_into_a_record_is_not_taken_for_a_header() {
    deterministic::Runner::default().start(|context| async move {
        written(&context, 3).await;
        assert_eq!(reopened(&context).await.len(), 3);
        // A header far from the numbers of this log, as a peer would have to guess it.
        let forged = Header {
            number: 40,
            durable: 39,
        }
        .encode();
        let (blob, size) = context.open("journal", &0u64.to_be_bytes()).await.unwrap();
        blob.write_at(size, forged.to_vec(), WriteOptions::SYNC)
            .await
            .unwrap();
        drop(blob);
        assert_eq!(reopened(&context).await.len(), 3);
    });
}

#[test]
fn the_same_seed_writes_the_same_disk() {
    let run = || {
        deterministic::Runner::seeded(5).start(|context| async move {
            written(&context, 40).await;
            context.auditor().state()
        })
    };
    assert_eq!(run(), run());
}
