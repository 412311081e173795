//! Shows that the models have teeth: spoils the core in one place at a time and
//! demands that a model fails.
//!
//! Two kinds of mutations, none of which needs a rebuild: every ordering but
//! `Relaxed` is weakened, step by step (a fence in the end is dropped); and every
//! `mutant("name")` in the core puts a known mistake back. Each is given to the models
//! that come past its place until one fails: first to the one that caught it when `caught-by.txt` was written,
//! then to the others, the quick ones first. So the record saves time, and nothing rests on it.
//!
//! ```sh
//! cargo run -p port-core-loom-tests --bin mutants              # until a model fails, for each
//! cargo run -p port-core-loom-tests --bin mutants -- --complete   # all models, for each
//! cargo run -p port-core-loom-tests --bin mutants -- --only bell  # those whose name has "bell"
//! cargo run -p port-core-loom-tests --bin mutants -- --only bell --models sleep  # … before these models alone
//! cargo run -p port-core-loom-tests --bin mutants -- --record     # … and writes down which model caught which
//!
//! # After a run of all tests that told what each model came past, none is run once more for that.
//! PORT_CORE_REACHED=FOLDER cargo test -p port-core-loom-tests && cargo run -p port-core-loom-tests --bin mutants -- --surveyed FOLDER
//! ```
//!
//! All models run once with nothing spoilt, to see what each comes past, and must pass. That takes most of the time, unless
//! `--models` leaves most of them out or `--surveyed` names a folder where it is told.
//!
//! What survives must be in `allowed-survivors.txt` with a reason, and what is there
//! must survive.

mod allowed;
mod campaign;
mod models;
mod mutation;
mod record;
mod sources;

use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    /// Go on after the first model that fails, to see how many do.
    complete: bool,
    /// Only mutations whose name contains this.
    only: Option<String>,
    /// Only models whose name (`file::test`) contains this.
    models: Option<String>,
    /// Write down which model caught which mutation.
    record: bool,
    /// Where a run of all tests told what each model came past.
    surveyed: Option<PathBuf>,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("complete") => options.complete = true,
            Long("only") => options.only = Some(arguments.value()?.string()?),
            Long("record") => options.record = true,
            Long("surveyed") => options.surveyed = Some(arguments.value()?.into()),
            Long("models") => options.models = Some(arguments.value()?.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.record && (options.only.is_some() || options.models.is_some()) {
        return Err("a record is of every mutation and every model".into());
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let complaints = campaign::run(&options);
    for complaint in &complaints {
        println!("error: {complaint}");
    }
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
