//! The files of one node.

use super::super::{
    failure::{Exit, Failure},
    program::Program,
};
use crate::deploy::{Agreement, Genesis, Settings, keys};
use commonware_cryptography::ed25519::PrivateKey;
use commonware_runtime::tokio;
use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    net::TcpListener,
    path::Path,
};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Held for as long as a process uses the directory.
const LOCK: &str = "lock";
/// Names the deployment that the directory belongs to.
const NAME: &str = "deployment";
/// Where the runtime keeps its partitions.
const STORE: &str = "store";

/// A node's files, read and checked.
pub(super) struct Place<P: Program> {
    pub(super) settings: Settings,
    pub(super) genesis: Genesis<P::Genesis>,
    pub(super) agreement: Agreement,
    pub(super) key: PrivateKey,
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|it| Failure::configuration(path.display(), it))
}

impl<P: Program> Place<P> {
    /// Reads what the settings name.
    pub(super) fn read(config: &Path) -> Result<Self, Failure> {
        let base = config.parent().unwrap_or(Path::new("."));
        let settings = Settings::read(&text(config)?, env::vars(), base)
            .map_err(|it| Failure::configuration(config.display(), it))?;
        EnvFilter::try_new(&settings.log)
            .map_err(|it| Failure::configuration(config.display(), format!("log: {it}")))?;
        let wrong =
            |it: &dyn std::fmt::Display| Failure::configuration(settings.genesis.display(), it);
        let genesis = Genesis::read(&text(&settings.genesis)?).map_err(|it| wrong(&it))?;
        let agreement = genesis.check().map_err(|it| wrong(&it))?;
        settings
            .fits(&agreement)
            .map_err(|it| Failure::configuration(config.display(), it))?;
        let key =
            keys::read(&settings.key).map_err(|it| Failure::configuration(config.display(), it))?;
        Ok(Self {
            settings,
            genesis,
            agreement,
            key,
        })
    }

    /// Keeps other processes away for as long as the file is held.
    pub(super) fn claim(&self) -> Result<File, Failure> {
        let directory = &self.settings.directory;
        let failed = |it: io::Error| {
            let message = format!("{}: {it}", directory.display());
            Failure::new(Exit::Disk, message)
        };
        fs::create_dir_all(directory).map_err(failed)?;
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true);
        let lock = options.open(directory.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "{} is in use by another process: a node's directory serves one at a time; stop the other, or name \
                     another directory",
                    directory.display()
                );
                Err(Failure::new(Exit::InUse, message))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Refuses a directory that was prepared before: its mark must not be made twice.
    pub(super) fn fresh(&self) -> Result<(), Failure> {
        let path = self.settings.directory.join(NAME);
        if path.exists() {
            let reason = "it was prepared before: once in a node's life is enough, and after its disk was lost once too often";
            return Err(Failure::configuration(
                self.settings.directory.display(),
                reason,
            ));
        }
        Ok(())
    }

    /// Names the deployment that the directory is for.
    pub(super) fn name(&self) -> Result<(), Failure> {
        let path = self.settings.directory.join(NAME);
        let name = self.agreement.digest().to_string();
        // There as a whole, or not at all.
        let unfinished = path.with_extension("unfinished");
        let written = fs::write(&unfinished, name)
            .and_then(|()| File::open(&unfinished)?.sync_all())
            .and_then(|()| fs::rename(&unfinished, &path));
        written.map_err(|it| Failure::new(Exit::Disk, format!("{}: {it}", path.display())))
    }

    /// Refuses an address that another program listens at, while there is nothing to undo.
    pub(super) fn listens(&self) -> Result<(), Failure> {
        let listen = self.settings.network.listen;
        let held = TcpListener::bind(listen);
        held.map(drop).map_err(|it| {
            let place = format!("network.listen, {listen}");
            Failure::configuration(place, it)
        })
    }

    /// Refuses the directory of another deployment, and warns of one that nobody prepared.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let path = self.settings.directory.join(NAME);
        let Ok(found) = fs::read_to_string(&path) else {
            eprintln!(
                "{} was not prepared with `init`: its contents are taken for lost, and nothing is signed before the other \
                 validators have said what this one may have signed",
                self.settings.directory.display()
            );
            return self.name();
        };
        let expected = self.agreement.digest().to_string();
        if found.trim() != expected {
            let message = format!(
                "{} belongs to deployment {}, {} is the genesis of {expected}: use the genesis that the directory was \
                 prepared with, or another directory",
                self.settings.directory.display(),
                found.trim(),
                self.settings.genesis.display(),
            );
            return Err(Failure::new(Exit::OtherDeployment, message));
        }
        Ok(())
    }

    /// The runtime that the node lives in.
    pub(super) fn runtime(&self) -> tokio::Config {
        tokio::Config::new()
            .with_storage_directory(self.settings.directory.join(STORE))
            .with_worker_threads(self.settings.threads.get())
    }

    /// Begins to log.
    pub(super) fn log(&self) {
        let filter = EnvFilter::new(&self.settings.log);
        // Events alone: every step of consensus is a span, and a line that lists them says nothing.
        let filter = filter_fn(|it| it.is_event()).and(filter);
        let text = fmt::layer().with_ansi(false).with_writer(io::stderr);
        let logs = tracing_subscriber::registry();
        // Another subscriber is there only in a test.
        let _ = if self.settings.log_json {
            logs.with(text.json().with_filter(filter)).try_init()
        } else {
            logs.with(text.with_filter(filter)).try_init()
        };
    }
}
