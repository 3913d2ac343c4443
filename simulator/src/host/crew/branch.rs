//! Which tasks end with which: the tree of contexts.

use commonware_utils::sync::Mutex;
use futures::stream::AbortHandle;
use std::sync::{Arc, Weak};

/// A context's place in the tree. The task that is spawned from a context hangs on it, and so do the contexts below.
///
/// A branch holds what is above it, so that a context that was never spawned from still connects those below it.
pub(in crate::host) struct Branch {
    _above: Option<Arc<Self>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    below: Vec<Weak<Branch>>,
    task: Option<AbortHandle>,
    aborted: bool,
}

impl Branch {
    /// A tree of its own.
    pub(in crate::host) fn trunk() -> Arc<Self> {
        Arc::new(Self {
            _above: None,
            inner: Mutex::default(),
        })
    }

    /// A branch below. Below an aborted one it is aborted too.
    pub(in crate::host) fn child(self: &Arc<Self>) -> Arc<Self> {
        let mut inner = self.inner.lock();
        let child = Arc::new(Self {
            _above: (!inner.aborted).then(|| self.clone()),
            inner: Mutex::new(Inner {
                aborted: inner.aborted,
                ..Inner::default()
            }),
        });
        if !inner.aborted {
            // Those that are gone go when the list would grow: a task that spawns for ever costs no memory.
            if inner.below.len() == inner.below.capacity() {
                inner.below.retain(|it| it.strong_count() > 0);
            }
            inner.below.push(Arc::downgrade(&child));
        }
        child
    }

    /// Whether what is spawned from here would never run.
    pub(in crate::host) fn is_aborted(&self) -> bool {
        self.inner.lock().aborted
    }

    /// Hangs a task here. A context spawns one task, since it is consumed.
    pub(super) fn register(&self, task: AbortHandle) {
        let mut inner = self.inner.lock();
        if inner.aborted {
            drop(inner);
            task.abort();
            return;
        }
        assert!(inner.task.is_none(), "a context spawns one task");
        inner.task = Some(task);
    }

    /// Aborts the task here and all that is below, each task before those below it.
    pub(in crate::host) fn abort(self: &Arc<Self>) {
        let mut pending = vec![self.clone()];
        while let Some(branch) = pending.pop() {
            let Inner { below, task, .. } = {
                let mut inner = branch.inner.lock();
                if inner.aborted {
                    continue;
                }
                let aborted = Inner {
                    aborted: true,
                    ..Inner::default()
                };
                std::mem::replace(&mut *inner, aborted)
            };
            if let Some(task) = task {
                task.abort();
            }
            pending.extend(below.iter().filter_map(Weak::upgrade));
        }
    }
}
