//! The command line: `run`, `replay`, `list`, `shrink`.
//!
//! A program with systems of its own has the same command line by one call:
//!
//! ```text
//! fn main() -> ExitCode {
//!     cli::main(&Registry::new().with::<Lanes>().with::<MySystem>())
//! }
//! ```
//!
//! What a command says goes to standard output and depends on its input alone, wall times aside; progress and the
//! nodes' logs go to standard error.

mod args;
mod choose;
mod console;
mod list;
mod replay;
mod run;
mod shrink;
mod table;

#[cfg(test)]
mod tests;

use crate::campaign::{Exit, Registry};
use args::{Cli, Command};
use clap::{CommandFactory as _, FromArgMatches as _};
use console::Console;
use std::{ffi::OsString, io::Write, process::ExitCode};

/// Wrong usage, or input that cannot be read: what was wrong, and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

impl Usage {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the process was started with.
pub fn main(registry: &Registry) -> ExitCode {
    let console = Console::of_process();
    execute(registry, std::env::args_os(), console).into()
}

/// Runs the command in `args`, whose first is the program's name, and writes what it has to say to `out` and `err`,
/// without colours.
pub fn run_with(
    registry: &Registry,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    execute(registry, args, Console::plain(out, err))
}

fn execute(
    registry: &Registry,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    mut console: Console<'_>,
) -> Exit {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let program = args.first().map_or_else(
        || "drystone-sim".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    let parsed = Cli::command()
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        // Help and the version are such errors too; clap knows where each goes.
        Err(error) if error.use_stderr() => {
            console.complain(&error);
            return Exit::Usage;
        }
        Err(message) => {
            console.say(&message);
            return Exit::Held;
        }
    };
    // The arguments' sources are kept under the command that took them.
    let matches = matches
        .subcommand()
        .map_or(&matches, |(_, matches)| matches);
    let result = match cli.command {
        None => run::run(registry, &cli.run, matches, &program, &mut console),
        Some(Command::Run(args)) => run::run(registry, &args, matches, &program, &mut console),
        Some(Command::Replay(args)) => {
            replay::replay(registry, &args, matches, &program, &mut console)
        }
        Some(Command::List) => Ok(list::list(registry, &mut console)),
        Some(Command::Shrink(args)) => {
            shrink::shrink(registry, &args, matches, &program, &mut console)
        }
    };
    result.unwrap_or_else(|usage| {
        console.complain(&format_args!("error: {usage}\n"));
        Exit::Usage
    })
}
