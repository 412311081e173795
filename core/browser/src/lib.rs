//! A headless browser on port-core: it runs real unpacked WebExtensions through
//! QuickJS, on as many threads as a site-isolating browser would.
//!
//! ```text
//! cargo run --release -p port-core --example browser -- --help
//! ```
//!
//! With no arguments it runs MDN's example for `tabs.connect` in a window with two tabs.
//!
//! How it is built, from the side of who embeds the core:
//!
//! - **`messages.rs`** is what the two sides below say to each other.
//! - **`browser/`** is the browser process, the main thread. It knows windows, tabs, frames
//!   and extensions, tells the core the *facts* about them ([`MessageService`](port_core::MessageService):
//!   `tab_opened`, `frame_attached`, …) and answers asynchronous API calls (`tabs.query`).
//! - **`script/`** is a thread that runs script: one for each site, one for each
//!   extension. Each owns an [`EventLoop`](port_core::EventLoop), attaches its script
//!   contexts to it, and makes the calls of their scripts (`connect_tab`, `post_message`).
//!   `script/main_loop.rs` is the part to read first.
//! - **`quickjs/`** is all that is the engine's. What scripts see, in JavaScript, and what they call are
//!   [`port_core_webext`]'s: `tabs`, `runtime`, `Port`, manifests, which scripts run where.
//! - **`trace/`** replays scenarios that were recorded in Chromium and Firefox.
//! - **`bench/`** measures messaging from script to script.
//!
//! Nothing is fetched or painted: pages are URLs with frames. Messages are JSON.

mod activity;
mod alarm;
mod arguments;
mod bench;
mod browser;
#[cfg(any(test, feature = "checks"))]
pub mod checks;
mod clock;
mod folder;
mod launch;
mod log;
mod messages;
mod plain;
#[cfg(unix)]
mod process;
mod quickjs;
#[cfg(unix)]
mod renderer;
mod scenario;
mod script;
mod script_error;
mod shared;
mod summary;
mod trace;
mod web;

#[cfg(test)]
mod tests;

use arguments::{Arguments, HELP};
use bench::BenchArguments;
use browser::Browser;
use log::Log;
use std::process::ExitCode;
use std::sync::Arc;
use trace::TraceArguments;

/// Runs the command line of this process: a run, `trace` or `bench`. Returns the code to exit with.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    #[cfg(unix)]
    if first.as_deref().is_some_and(|first| first == launch::FIRST_ARGUMENT) {
        return renderer::main();
    }
    if first.as_deref().is_some_and(|first| first == "trace") {
        return match TraceArguments::parse(lexopt::Parser::from_args(arguments)) {
            Ok(Some(arguments)) => exit_code(trace::run(&arguments)),
            Ok(None) => {
                print!("{}", trace::HELP);
                ExitCode::SUCCESS
            }
            Err(error) => explain(&error, "trace --help"),
        };
    }
    if first.as_deref().is_some_and(|first| first == "bench") {
        return match BenchArguments::parse(lexopt::Parser::from_args(arguments)) {
            Ok(Some(arguments)) => exit_code(bench::run(&arguments)),
            Ok(None) => {
                print!("{}", bench::HELP);
                ExitCode::SUCCESS
            }
            Err(error) => explain(&error, "bench --help"),
        };
    }
    match Arguments::parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => {
            let log = Log::to_stdout(arguments.json, arguments.quiet);
            exit_code(run(arguments, log))
        }
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => explain(&error, "--help"),
    }
}

fn exit_code(went_well: bool) -> ExitCode {
    if went_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn explain(error: &lexopt::Error, help: &str) -> ExitCode {
    eprintln!("browser: {error}\nTry {help}.");
    ExitCode::from(2)
}

/// Does what the arguments ask for; says whether no extension had an error.
fn run(arguments: Arguments, log: Log) -> bool {
    let log = Arc::new(log);
    let mut browser = Browser::new(&arguments, Arc::clone(&log));
    browser.load_extensions(arguments.extensions);
    let summary = browser.run();
    log.write("browser", &log::Event::Summary(&summary));
    log.errors() == 0
}
