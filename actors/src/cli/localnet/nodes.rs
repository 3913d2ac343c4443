//! The processes of a local network.

use super::super::failure::{Exit, Failure};
use crate::deploy::Settings;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
};

/// The settings of a node, in its home.
pub(super) const SETTINGS: &str = "node.toml";
/// What it logs.
pub(super) const LOG: &str = "log";
/// The allocator of these binaries gives memory back to the system a second after it was freed, and most blocks need it again
/// sooner or later: clearing those pages was a twentieth of a loaded node's work. Milliseconds; an operator's own setting counts.
const PURGE_DELAY: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "10000");
/// Its process.
const PID: &str = "pid";

/// Where a node's files lie.
pub(super) fn home(directory: &Path, index: usize) -> PathBuf {
    directory.join(format!("node-{index}"))
}

/// The homes of all nodes.
pub(super) fn homes(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let homes = (0..).map(|it| home(directory, it));
    let homes: Vec<_> = homes.take_while(|it| it.join(SETTINGS).exists()).collect();
    if homes.is_empty() {
        let message = format!("{} holds no network", directory.display());
        return Err(Failure::new(Exit::Configuration, message));
    }
    Ok(homes)
}

/// Where the nodes of a network listen for clients.
pub(in super::super) fn urls(directory: &Path) -> Result<Vec<String>, Failure> {
    homes(directory)?.iter().map(|it| url(it)).collect()
}

fn url(home: &Path) -> Result<String, Failure> {
    let path = home.join(SETTINGS);
    let failed = |it: &dyn std::fmt::Display| Failure::configuration(path.display(), it);
    let text = fs::read_to_string(&path).map_err(|it| failed(&it))?;
    let settings = Settings::read(&text, [], home).map_err(|it| failed(&it))?;
    Ok(format!("http://{}", settings.http.listen))
}

/// One node.
pub(super) struct Process {
    pub(super) home: PathBuf,
    pub(super) url: String,
    child: Child,
}

impl Process {
    /// Starts the node of a home.
    pub(super) fn start(home: PathBuf, background: bool) -> Result<Self, Failure> {
        let url = url(&home)?;
        let failed =
            |it: std::io::Error| Failure::new(Exit::Stopped, format!("{}: {it}", home.display()));
        let log = File::options()
            .create(true)
            .append(true)
            .open(home.join(LOG))
            .map_err(failed)?;
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        command
            .args(["run", "--config"])
            .arg(home.join(SETTINGS))
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log);
        let (name, delay_ms) = PURGE_DELAY;
        if env::var_os(name).is_none() {
            command.env(name, delay_ms);
        }
        if background {
            // It outlives the terminal.
            command.process_group(0);
        }
        let child = command.spawn().map_err(failed)?;
        fs::write(home.join(PID), child.id().to_string()).map_err(failed)?;
        Ok(Self { home, url, child })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it ended with, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Tells it to stop.
    pub(super) fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Waits until it has.
    pub(super) fn wait(&mut self) -> Option<ExitStatus> {
        self.child.wait().ok()
    }

    /// The last lines it logged.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.home.join(LOG)).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}
