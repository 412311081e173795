//! Whole runs, from the command line to the log.

mod agreement;
mod backgrounds;
mod beside;
mod corpus;
mod faults;
mod hostile;
mod kept_apart;
mod one_off;
mod person;
mod ports;
#[cfg(unix)]
mod processes;
mod refusals;
mod replay;
mod rooms;
mod sample;
mod scripts;
mod web_pages;

use crate::arguments::Arguments;
use crate::folder::Folder;
use crate::log::Log;
use serde_json::Value;

/// What a run wrote, line by line.
struct Run {
    lines: Vec<Value>,
    went_well: bool,
}

/// The files of an extension, by name.
type Files = &'static [(&'static str, &'static str)];

/// Runs extensions with the options given.
fn run(extensions: &[Files], options: &[&str]) -> Run {
    run_with(|_| {}, extensions, options)
}

/// The same with another limit for the length of messages.
fn run_with_messages_of(limit: Option<usize>, extensions: &[Files], options: &[&str]) -> Run {
    run_with(|arguments| arguments.message_bytes = limit, extensions, options)
}

/// The same with what `change` makes of the arguments.
fn run_with(change: impl FnOnce(&mut Arguments), extensions: &[Files], options: &[&str]) -> Run {
    // Long enough for the slowest machine: no run here ends by the time limit,
    // unless the option comes again.
    let options = ["--json", "--time", "300"].iter().chain(options);
    let parsed = Arguments::parse(lexopt::Parser::from_args(options)).expect("valid options");
    let mut arguments = parsed.expect("no help");
    if !extensions.is_empty() {
        let folder = |(&name, &files)| Folder::embedded(name, files);
        arguments.extensions = ["first", "second"].iter().zip(extensions).map(folder).collect();
    }
    change(&mut arguments);
    let (log, memory) = Log::to_memory();
    let went_well = crate::run(arguments, log);
    let bytes = memory.lock().expect("no thread panicked");
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Run { lines: lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect(), went_well }
}

impl Run {
    /// The lines of one kind.
    fn events(&self, event: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == event).collect()
    }

    /// What a context wrote to the console.
    fn console(&self, context: &str) -> Vec<&str> {
        let lines = self.events("console").into_iter().filter(|line| line["context"] == context);
        lines.map(|line| line["text"].as_str().expect("a text")).collect()
    }

    /// The errors, as `file:line:column message`.
    fn errors(&self) -> Vec<String> {
        let show = |error: &&Value| {
            let place = [&error["line"], &error["column"]].map(ToString::to_string).join(":");
            let file = error["file"].as_str().unwrap_or("?");
            format!("{file}:{place} {}", error["message"].as_str().expect("a text"))
        };
        self.events("error").iter().map(show).collect()
    }

    fn summary(&self) -> &Value {
        self.lines.last().filter(|line| line["event"] == "summary").expect("a summary at the end")
    }
}

/// A background and a content script in every frame, with a button.
macro_rules! extension {
    ($background:expr, $content:expr) => {
        &[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "Test", "version": "1", "action": {}, "permissions": ["tabs"],
                     "background": { "service_worker": "background.js" },
                     "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"], "all_frames": true }] }"#,
            ),
            ("background.js", $background),
            ("content.js", $content),
        ]
    };
}

use extension;

const ONE_PAGE: [&str; 2] = ["--page", "https://a.example.com/"];
const ONE_PAGE_AND_A_CLICK: [&str; 3] = ["--page", "https://a.example.com/", "--click"];
