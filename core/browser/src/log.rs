//! The run's log: who connected, said and heard what, as text for people or as JSON
//! for machines.

use crate::summary::Summary;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
#[cfg(test)]
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// One thing that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// An extension was loaded.
    Extension {
        /// Its name in the manifest.
        name: &'a str,
        /// Its id.
        id: &'a str,
    },
    /// A tab was opened, loaded, navigated or closed.
    Tab {
        /// Which of these.
        change: &'a str,
        /// The page it shows.
        url: &'a str,
    },
    /// The user clicked a toolbar button.
    Click {
        /// The extension's name.
        extension: &'a str,
    },
    /// A background starts, stops, or stays awake.
    Background {
        /// Which of these.
        change: &'a str,
        /// Why.
        why: &'a str,
    },
    /// A script connected to a background that did not run.
    Wake {
        /// Whom it tries to reach.
        target: &'a str,
    },
    /// A script called `tabs.connect` or `runtime.connect`.
    Connect {
        /// The port's name.
        port: &'a str,
        /// Whom it tries to reach.
        target: &'a str,
    },
    /// A script with an `onConnect` listener got its end of a port.
    Accept {
        /// The port's name.
        port: &'a str,
        /// Who opened it.
        opener: &'a str,
    },
    /// A script called `port.postMessage`.
    Post {
        /// The port's name.
        port: &'a str,
        /// The message as JSON.
        message: &'a str,
    },
    /// A script's port received a message.
    Message {
        /// The port's name.
        port: &'a str,
        /// The message as JSON.
        message: &'a str,
    },
    /// The messages of this port that follow are counted and not shown.
    More {
        /// The port's name.
        port: &'a str,
    },
    /// A script called `port.disconnect`.
    Disconnect {
        /// The port's name.
        port: &'a str,
    },
    /// A script's port was ended by something else.
    Disconnected {
        /// The port's name.
        port: &'a str,
        /// By what.
        reason: &'a str,
    },
    /// A script wrote to the console.
    Console {
        /// `log`, `info`, `warn`, `error` or `debug`.
        level: &'a str,
        /// What it wrote.
        text: &'a str,
    },
    /// Something is wrong in an extension.
    Error {
        /// What.
        message: &'a str,
        /// The file, when known.
        file: Option<&'a str>,
        /// The line, from 1.
        line: Option<usize>,
        /// The column, from 1.
        column: Option<usize>,
        /// The script's stack; empty when there is none.
        #[serde(skip_serializing_if = "str::is_empty")]
        stack: &'a str,
    },
    /// The run is over.
    Summary(&'a Summary),
}

/// How the log is written.
#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    Text { coloured: bool },
}

/// Who is told what happens.
enum Reader {
    /// All is written down, or errors and what scripts say alone.
    Output { format: Format, is_quiet: bool, output: Mutex<Box<dyn Write + Send>> },
    /// A function of this program hears errors and what scripts say, and nothing else.
    Listener(Listener),
    /// The log of another process, which is told as much as it wants to hear.
    #[cfg(unix)]
    Elsewhere(Interest, Writer),
    /// Nobody.
    Nobody,
}

/// What a log wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Interest {
    /// Errors, to count them.
    Errors,
    /// Errors, and what scripts say.
    Said,
    /// All.
    All,
}

/// Writes down what happened to a context.
#[cfg(unix)]
type Writer = Box<dyn Fn(&str, &Event<'_>) + Send + Sync>;

/// Hears an event, on the thread on which it happens.
type Listener = Box<dyn Fn(&Event<'_>) + Send + Sync>;

/// The log of one run; shared by all threads.
pub(crate) struct Log {
    started: Instant,
    errors: AtomicU64,
    reader: Reader,
}

/// One line of the JSON form.
#[derive(Serialize)]
struct Line<'a> {
    time: f64,
    context: &'a str,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

impl Log {
    /// A log on standard output, coloured when that is a terminal and the
    /// environment does not say `NO_COLOR`; of errors and what scripts say alone when it is quiet.
    pub(crate) fn to_stdout(json: bool, is_quiet: bool) -> Self {
        let output = io::stdout();
        let coloured =
            output.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let format = if json { Format::Json } else { Format::Text { coloured } };
        Self::with(Reader::Output { format, is_quiet, output: Mutex::new(Box::new(output)) })
    }

    /// A log that nobody reads.
    pub(crate) fn to_nobody() -> Self {
        Self::with(Reader::Nobody)
    }

    /// A log of errors and of what scripts say alone.
    pub(crate) fn to_listener(listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self::with(Reader::Listener(Box::new(listener)))
    }

    /// The log of a process whose lines another one writes down.
    #[cfg(unix)]
    pub(crate) fn to_elsewhere(
        interest: Interest,
        write: impl Fn(&str, &Event<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self::with(Reader::Elsewhere(interest, Box::new(write)))
    }

    /// A log as JSON, to be looked at by tests.
    #[cfg(test)]
    pub(crate) fn to_memory() -> (Self, Arc<Mutex<Vec<u8>>>) {
        let memory = tests::Memory::default();
        (Self::new(Format::Json, Box::new(memory.clone())), memory.0)
    }

    #[cfg(test)]
    fn new(format: Format, output: Box<dyn Write + Send>) -> Self {
        Self::with(Reader::Output { format, is_quiet: false, output: Mutex::new(output) })
    }

    fn with(reader: Reader) -> Self {
        Self { started: Instant::now(), errors: AtomicU64::new(0), reader }
    }

    /// Whether anybody is told what happens to ports.
    pub(crate) fn tells_of_ports(&self) -> bool {
        self.interest() == Interest::All
    }

    /// What there is somebody to hear.
    pub(crate) fn interest(&self) -> Interest {
        match self.reader {
            Reader::Output { is_quiet: false, .. } => Interest::All,
            Reader::Output { .. } | Reader::Listener(_) => Interest::Said,
            #[cfg(unix)]
            Reader::Elsewhere(interest, _) => interest,
            Reader::Nobody => Interest::Errors,
        }
    }

    /// Writes down what happened to a context, such as `background` or `tab 1 frame 2`.
    pub(crate) fn write(&self, context: &str, event: &Event<'_>) {
        if matches!(event, Event::Error { .. }) {
            // ORDERING: a mere count; who reads it has joined the writers' threads.
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        let is_said = matches!(event, Event::Error { .. } | Event::Console { .. });
        let (format, output) = match &self.reader {
            Reader::Output { format, is_quiet, output } if is_said || !is_quiet => (*format, output),
            Reader::Listener(listener) if is_said => return listener(event),
            #[cfg(unix)]
            Reader::Elsewhere(interest, write) => {
                let least = match event {
                    Event::Error { .. } => Interest::Errors,
                    Event::Console { .. } => Interest::Said,
                    _ => Interest::All,
                };
                if *interest >= least {
                    write(context, event);
                }
                return;
            }
            _ => return,
        };
        let mut output = output.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Taken under the lock, so that times never go back from line to line.
        let time = self.started.elapsed().as_secs_f64();
        let line = match format {
            Format::Json => json_line(&Line { time, context, event }),
            Format::Text { coloured } => text_line(time, context, event, coloured),
        };
        // Nobody may be reading any more; that is no reason to stop.
        let _ = output.write_all(line.as_bytes());
    }

    /// How many errors were written.
    pub(crate) fn errors(&self) -> u64 {
        // ORDERING: see `write`.
        self.errors.load(Ordering::Relaxed)
    }
}

fn json_line(line: &Line<'_>) -> String {
    let mut text = serde_json::to_string(line)
        .unwrap_or_else(|error| format!("{{\"event\":\"error\",\"message\":{:?}}}", error.to_string()));
    text.push('\n');
    text
}

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const BLUE: &str = "\x1b[34m";
const MAGENTA: &str = "\x1b[35m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

fn text_line(time: f64, context: &str, event: &Event<'_>, coloured: bool) -> String {
    if let Event::Summary(summary) = event {
        return format!("\n{summary}\n");
    }
    let (colour, verb, text) = describe(event);
    let mut line = if coloured {
        format!("{DIM}{time:>9.4} s{PLAIN}  {BOLD}{context:<20}{PLAIN} {colour}{verb:<13}{text}{PLAIN}")
    } else {
        format!("{time:>9.4} s  {context:<20} {verb:<13}{text}")
    };
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// The colour, the verb and the object of a line.
fn describe(event: &Event<'_>) -> (&'static str, String, String) {
    let (colour, verb, text) = match *event {
        Event::Extension { name, id } => (BLUE, "loaded", format!("{name} ({id})")),
        Event::Tab { change, url } => (BLUE, change, url.to_owned()),
        Event::Click { extension } => (BLUE, "clicked", format!("the button of {extension}")),
        Event::Background { change, why } => (BLUE, change, why.to_owned()),
        Event::Wake { target } => (BLUE, "wakes", format!("the background of {target}")),
        Event::Connect { port, target } => (GREEN, "connect", format!("{port:?} to {target}")),
        Event::Accept { port, opener } => (GREEN, "onConnect", format!("{port:?} from {opener}")),
        Event::Post { port, message } => (CYAN, "post", format!("{port:?} {}", shortened(message))),
        Event::Message { port, message } => (CYAN, "onMessage", format!("{port:?} {}", shortened(message))),
        Event::More { port } => (DIM, "…", format!("{port:?} more messages, counted and not shown")),
        Event::Disconnect { port } => (MAGENTA, "disconnect", format!("{port:?}")),
        Event::Disconnected { port, reason } => (MAGENTA, "onDisconnect", format!("{port:?} {reason}")),
        Event::Console { level, text } => {
            let colour = match level {
                "error" => RED,
                "warn" => YELLOW,
                "debug" => DIM,
                _ => "",
            };
            (colour, level, text.to_owned())
        }
        Event::Error { message, file, line, column, stack } => {
            let mut text = place(file, line, column);
            text.push_str(message);
            for frame in stack.lines() {
                let _ = write!(text, "\n{:48}{}", "", frame.trim_end());
            }
            (RED, "ERROR", text)
        }
        Event::Summary(summary) => ("", "", summary.to_string()),
    };
    (colour, verb.to_owned(), text)
}

/// `file:line:column: `, as far as known.
fn place(file: Option<&str>, line: Option<usize>, column: Option<usize>) -> String {
    let mut place = file.unwrap_or_default().to_owned();
    for number in [line, column].into_iter().flatten() {
        let _ = write!(place, ":{number}");
    }
    if !place.is_empty() {
        place.push_str(": ");
    }
    place
}

/// The message, cut where a line would become unreadable.
fn shortened(message: &str) -> String {
    const SHOWN: usize = 100;
    match message.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}… ({} bytes)", &message[..cut], message.len()),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Format, Log};
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    pub(super) struct Memory(pub(super) Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, event: &Event<'_>) -> (String, u64) {
        let output = Memory::default();
        let log = Log::new(format, Box::new(output.clone()));
        log.write("background", event);
        let bytes = output.0.lock().expect("not poisoned").clone();
        (String::from_utf8(bytes).expect("UTF-8"), log.errors())
    }

    const ERROR: Event<'_> =
        Event::Error { message: "no", file: Some("a.js"), line: Some(3), column: Some(7), stack: "" };

    #[test]
    fn text_names_context_verb_and_place() {
        let (line, errors) = written(Format::Text { coloured: false }, &ERROR);
        assert!(line.ends_with("background           ERROR        a.js:3:7: no\n"), "{line}");
        assert_eq!(errors, 1);
        let (line, errors) =
            written(Format::Text { coloured: false }, &Event::Connect { port: "p", target: "tab 1" });
        assert!(line.ends_with("connect      \"p\" to tab 1\n") && !line.contains('\x1b'), "{line}");
        assert_eq!(errors, 0);
    }

    #[test]
    fn a_terminal_gets_colours() {
        let (line, _) = written(Format::Text { coloured: true }, &ERROR);
        assert!(line.contains("\x1b[31m") && line.contains("\x1b[0m"), "{line:?}");
    }

    #[test]
    fn json_is_one_object_per_line() {
        let (line, _) = written(Format::Json, &ERROR);
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(
            (&value["event"], &value["line"], &value["context"]),
            (&"error".into(), &3.into(), &"background".into())
        );
    }

    #[test]
    fn long_messages_are_cut_for_people() {
        let message = "é".repeat(200);
        let (line, _) =
            written(Format::Text { coloured: false }, &Event::Post { port: "p", message: &message });
        assert!(line.ends_with("… (400 bytes)\n"), "{line}");
    }
}
