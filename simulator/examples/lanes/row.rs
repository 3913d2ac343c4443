//! The columns: the baseline's, then ours.

use super::{arguments::Arguments, measure::metric, world::Measured};
use std::process::Command;

/// The baseline's columns; `cv` is a chunk certified at one validator.
const BASELINE: &str = "scheme,n,sequencers,height,latency_us,jitter_us,cycle_us,fsync_us,loss,chunks,wall_s,\
    cpu_s,chunks_per_wall_s,cpu_us_per_chunk,cpu_us_per_chunk_per_validator,virtual_s,\
    chunks_per_virt_s,chunks_per_virt_s_per_seq,allocs_per_chunk_validator,\
    alloc_bytes_per_chunk_validator,fsyncs_per_cv,writes_per_cv,write_bytes_per_cv,\
    msgs_per_cv,polls_per_cv,lock_coverage,p50_ms,p99_ms";

/// Columns that the baseline does not have.
const OURS: &str = "msg_bytes_per_cv,header_msgs_per_cv,ack_msgs_per_cv,gossip_msgs_per_cv,\
    headers_per_header_msg,certificates,chunks_per_certificate,certificates_checked_per_cv,\
    in_flight_max,slot_ms,linger_ms,interval_ms,rebroadcast_ms,block_ms,commit";

pub fn header() -> String {
    format!("{BASELINE},{OURS}")
}

/// One line, in the order of [`header`].
pub fn row(a: &Arguments, measured: &Measured) -> String {
    let lanes = u64::from(a.lanes());
    let chunks = (a.height * lanes) as f64;
    let (usage, disks) = (&measured.usage, &measured.disks);
    let virtual_s = measured.virtual_s;
    let per_cv = |count: f64| count / chunks / f64::from(a.n);
    let count_per_cv = |count: u64| per_cv(count as f64);
    let counted = |name: &str| metric(&measured.metrics, name);
    let [headers, acks, gossip, _] = measured.ended;
    [
        a.scheme.to_string(),
        a.n.to_string(),
        lanes.to_string(),
        a.height.to_string(),
        a.latency_us.to_string(),
        a.jitter_us.to_string(),
        a.cycle_us.to_string(),
        a.fsync_us.to_string(),
        a.loss.to_string(),
        chunks.to_string(),
        format!("{:.3}", usage.wall_s),
        format!("{:.3}", usage.cpu_s),
        format!("{:.1}", chunks / usage.wall_s),
        format!("{:.1}", usage.cpu_s * 1e6 / chunks),
        format!("{:.1}", per_cv(usage.cpu_s * 1e6)),
        format!("{virtual_s:.3}"),
        format!("{:.1}", chunks / virtual_s),
        format!("{:.2}", chunks / virtual_s / lanes as f64),
        format!("{:.0}", count_per_cv(usage.allocations)),
        format!("{:.0}", count_per_cv(usage.allocated_bytes)),
        format!("{:.4}", count_per_cv(disks.syncs)),
        format!("{:.2}", count_per_cv(disks.writes)),
        format!("{:.0}", count_per_cv(disks.bytes_written)),
        format!("{:.2}", count_per_cv(measured.sent)),
        format!("{:.1}", count_per_cv(counted("runtime_task_polls_total"))),
        format!("{:.3}", count_per_cv(measured.reported)),
        format!("{:.3}", measured.p50_ms),
        format!("{:.3}", measured.p99_ms),
        format!("{:.0}", count_per_cv(measured.ended_bytes)),
        format!("{:.2}", count_per_cv(headers)),
        format!("{:.2}", count_per_cv(acks)),
        format!("{:.2}", count_per_cv(gossip)),
        format!(
            "{:.2}",
            counted("tip_manager_headers_total") as f64 / headers as f64
        ),
        measured.assembled.to_string(),
        format!("{:.2}", chunks * f64::from(a.n) / measured.reported as f64),
        format!(
            "{:.3}",
            count_per_cv(counted("tip_manager_certificates_checked_total"))
        ),
        a.in_flight_max.to_string(),
        a.slot_ms.to_string(),
        a.linger_ms.to_string(),
        a.interval_ms.to_string(),
        a.rebroadcast_ms.to_string(),
        a.block_ms.to_string(),
        commit(),
    ]
    .join(",")
}

/// What was measured: the commit of the checkout that this was built from, marked if it was changed since.
pub fn commit() -> String {
    let described = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR")])
        .args(["describe", "--always", "--dirty", "--exclude=*"])
        .output();
    match described {
        Ok(it) if it.status.success() => String::from_utf8_lossy(&it.stdout).trim().to_string(),
        _ => "unknown".to_string(),
    }
}
