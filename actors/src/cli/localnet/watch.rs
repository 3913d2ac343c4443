//! How the nodes of a local network are doing.

use super::{
    super::{
        client::Client,
        failure::{Exit, Failure},
    },
    nodes::Process,
};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};
use std::{future::Future, time::Duration};
use tokio::{
    runtime::Builder,
    select,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::sleep,
};

/// How long nodes may take to begin.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Between two tables.
const REFRESH: Duration = Duration::from_secs(1);

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime
        .map_err(|it| Failure::new(Exit::Stopped, it))?
        .block_on(work)
}

fn dead(process: &mut Process) -> Option<Failure> {
    let status = process.ended()?;
    let message = format!(
        "the node of {} ended with {status}:\n{}",
        process.home.display(),
        process.last_words()
    );
    Some(Failure::new(Exit::Stopped, message))
}

/// Waits until every node is in step with the chain that they make.
pub(super) fn ready(urls: &[String], processes: &mut [Process]) -> Result<(), Failure> {
    block_on(async {
        let mut waited = Duration::ZERO;
        for (url, process) in urls.iter().zip(processes) {
            let client = Client::new(url)?;
            while client.get("/health/ready").await.is_err() {
                if let Some(failure) = dead(process) {
                    return Err(failure);
                }
                if waited > PATIENCE {
                    let message = format!(
                        "{url} is not in step with the others: see {}",
                        process.home.display()
                    );
                    return Err(Failure::new(Exit::Unreachable, message));
                }
                sleep(LOOK).await;
                waited += LOOK;
            }
        }
        Ok(())
    })
}

/// Shows the nodes until the process is told to stop, and stops them.
pub(super) fn table(processes: &mut [Process], json: bool) -> Result<Value, Failure> {
    let shown = block_on(async {
        let mut terminated =
            signal(SignalKind::terminate()).map_err(|it| Failure::new(Exit::Stopped, it))?;
        loop {
            select! {
                _ = ctrl_c() => return Ok(()),
                _ = terminated.recv() => return Ok(()),
                _ = sleep(REFRESH) => {}
            }
            show(processes, json).await?;
        }
    });
    processes.iter().for_each(Process::terminate);
    let mut clean = true;
    for process in processes {
        clean &= process.wait().is_some_and(|it| it.success());
    }
    shown?;
    Ok(json!({ "stopped": true, "clean": clean }))
}

async fn show(processes: &mut [Process], json: bool) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.set_header(["pid", "url", "height", "executed", "waiting", "root"]);
    let mut lines = Vec::new();
    for process in processes {
        let status = match process.ended() {
            Some(status) => Err(status.to_string()),
            None => Client::new(&process.url)?
                .get("/status")
                .await
                .map_err(|_| "starting".to_owned()),
        };
        let (pid, url) = (process.pid().to_string(), process.url.clone());
        match &status {
            Ok(it) => {
                let root: String = it["root"].as_str().unwrap_or("").chars().take(16).collect();
                let waiting = it["waiting"]["transactions"].to_string();
                let (height, executed) = (it["height"].to_string(), it["executed"].to_string());
                table.add_row([pid, url, height, executed, waiting, root]);
            }
            Err(why) => {
                table.add_row([pid, url, why.clone()]);
            }
        }
        lines.push(json!({ "pid": process.pid(), "url": process.url, "status": status.ok() }));
    }
    if json {
        println!("{}", Value::Array(lines));
    } else {
        // The cursor goes home, and what was there is cleared.
        println!("\u{1b}[H\u{1b}[2J{table}\nctrl-c stops the nodes");
    }
    Ok(())
}
