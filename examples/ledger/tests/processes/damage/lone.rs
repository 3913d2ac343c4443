//! A process with a copy of a node's directory. It knows nobody, and nobody knows where it is: whatever it signs, nobody hears.

use super::{Net, files::copy};
use drystone_actors::{cli::Client, trial::until};
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Child,
    sync::atomic::{AtomicU16, Ordering},
};

/// See the module.
pub struct Lone {
    pub kind: &'static str,
    /// The copy.
    pub data: PathBuf,
    log: PathBuf,
    client: Client,
    under: Vec<String>,
    child: Option<Child>,
}

impl Drop for Lone {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ports from here on are tried, each once: below those that systems give to whoever dials, and below a local network's.
static NEXT: AtomicU16 = AtomicU16::new(11_000);

/// An address that is free now, and that nobody is told twice.
fn free() -> String {
    loop {
        let address = format!("127.0.0.1:{}", NEXT.fetch_add(1, Ordering::Relaxed));
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

impl Lone {
    /// Copies what a node left when it ended.
    pub fn of(net: &Net, node: usize, kind: &'static str, directory: &Path) -> Self {
        let home = directory.join(kind);
        let (data, log) = (home.join("data"), home.join("log"));
        copy(&net.home(node).join("data"), &data);
        let clients = free();
        let under = [
            "env".to_owned(),
            format!("DRYSTONE_DIRECTORY={}", data.display()),
            "DRYSTONE_NETWORK__PEERS=[]".to_owned(),
            format!("DRYSTONE_NETWORK__LISTEN={}", free()),
            format!("DRYSTONE_HTTP__LISTEN={clients}"),
        ];
        Self {
            kind,
            data,
            log,
            client: Client::new(&format!("http://{clients}")).expect("a client"),
            under: under.to_vec(),
            child: None,
        }
    }

    pub const fn client(&self) -> &Client {
        &self.client
    }

    pub fn start(&mut self, net: &Net, node: usize) {
        let under: Vec<_> = self.under.iter().map(String::as_str).collect();
        self.child = Some(net.spawn(node, &under, &self.log));
    }

    /// The exit code, if it has ended by itself.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        let status = self.child.as_mut()?.try_wait().expect("mine")?;
        self.child = None;
        Some(status.code())
    }

    /// Whether it runs, once it has read its disk; if not, it has ended as a node does whose disk is damaged.
    pub async fn runs(&mut self, net: &Net) -> bool {
        let what = format!("{} is read, or refused", self.kind);
        let mut runs = None;
        until(net, &what, async || {
            if let Some(code) = self.ended() {
                assert_eq!(code, Some(5), "{}: {}", self.kind, self.said());
                runs = Some(false);
            } else if self.client.get("/health/live").await.is_ok() {
                runs = Some(true);
            }
            runs.is_some()
        })
        .await;
        runs.expect("just seen")
    }

    /// What it logged.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}
