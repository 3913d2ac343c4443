//! Catches a panic with its message, its place, and the node it happened in.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    pin::pin,
    sync::Once,
    task::Poll,
    thread,
};

/// A panic, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caught {
    /// The node whose task it was, if it was one's.
    pub(crate) node: Option<usize>,
    /// What it said, and where in the source.
    pub(crate) message: String,
    /// The source file alone.
    pub(crate) file: String,
}

thread_local! {
    /// What this thread caught: `None` while it does not catch. A run stays on one thread.
    static CAUGHT: RefCell<Option<Option<Caught>>> = const { RefCell::new(None) };
}

/// Runs `body`; if it panics gives the first panic, and prints nothing.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info) {
                default(info);
            }
        }));
    });
    let outer = CAUGHT.replace(Some(None));
    // What the body leaves half-done is not looked at after a panic, the recorder apart, which is whole between events.
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    let caught = CAUGHT.replace(outer).flatten();
    result.map_err(|_| caught.unwrap_or_default())
}

/// Notes a panic if this thread catches. The first counts: what follows is often the runtime unwinding.
fn note(info: &PanicHookInfo<'_>) -> bool {
    CAUGHT.with_borrow_mut(|caught| {
        let Some(caught) = caught else { return false };
        caught.get_or_insert_with(|| {
            let said = info.payload_as_str().unwrap_or("a panic without a message");
            let place = info.location();
            let at = place.map_or_else(String::new, |place| format!(", {place}"));
            Caught {
                message: format!("{said}{at}"),
                file: place.map_or_else(String::new, |place| place.file().to_owned()),
                ..Caught::default()
            }
        });
        true
    })
}

/// A task of a node: if it panics, the panic is that node's. One that `excuse` takes ends the node and not the run: the
/// task is never polled again.
pub(crate) async fn of_node<F: Future>(
    node: usize,
    excuse: impl Fn(&Caught) -> bool,
    task: F,
) -> F::Output {
    let mut task = pin!(task);
    let mut fallen = false;
    poll_fn(|context| {
        if fallen {
            return Poll::Pending;
        }
        let polled = panic::catch_unwind(AssertUnwindSafe(|| {
            let _blame = Blame(node);
            task.as_mut().poll(context)
        }));
        polled.unwrap_or_else(|payload| {
            fallen = true;
            let caught = CAUGHT.with_borrow(|it| it.as_ref()?.clone());
            if !caught.is_some_and(|it| excuse(&it)) {
                panic::resume_unwind(payload);
            }
            CAUGHT.with_borrow_mut(|it| *it = it.take().map(|_| None));
            Poll::Pending
        })
    })
    .await
}

/// Names the node whose task is being unwound. The innermost counts.
struct Blame(usize);

impl Drop for Blame {
    fn drop(&mut self) {
        if thread::panicking() {
            CAUGHT.with_borrow_mut(|caught| {
                if let Some(Some(caught)) = caught {
                    caught.node.get_or_insert(self.0);
                }
            });
        }
    }
}
