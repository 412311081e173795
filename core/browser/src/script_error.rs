//! Errors of scripts: what was thrown, and where.

use crate::log::{Event, Log};
use port_core_webext::extension::Extension;

/// An uncaught error of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScriptError {
    /// What was thrown, as text.
    pub(crate) message: String,
    /// The engine's stack; empty where there is none.
    pub(crate) stack: String,
}

/// Where in a script something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position<'a> {
    /// The script's URL, or what stands for it.
    pub(crate) script: &'a str,
    line: Option<usize>,
    column: Option<usize>,
}

impl ScriptError {
    /// Writes the error down, with the place of the innermost frame that is in a file
    /// of the extension.
    pub(crate) fn report(&self, log: &Log, label: &str, extension: &Extension) {
        let frames: Vec<&str> = self
            .stack
            .lines()
            .map(str::trim)
            .filter(|frame| frame.contains(extension.base().as_str()))
            .collect();
        let position = frames.first().and_then(|frame| Position::of_frame(frame));
        let file = position.map(|position| extension.display(extension.file_of(position.script)));
        // One frame alone says no more than the place does.
        let shown = if frames.len() > 1 { &frames[..] } else { &[] };
        let shown: Vec<String> =
            shown.iter().map(|frame| frame.replace(extension.base().as_str(), "")).collect();
        log.write(
            label,
            &Event::Error {
                message: &self.message,
                file: file.as_deref(),
                line: position.and_then(|position| position.line),
                column: position.and_then(|position| position.column),
                stack: &shown.join("\n"),
            },
        );
    }
}

/// Writes down that the engine itself failed, which only want of memory can cause.
pub(crate) fn report_engine_error(log: &Log, error: &str) {
    let message = format!("QuickJS: {error}");
    log.write(
        "browser",
        &Event::Error { message: &message, file: None, line: None, column: None, stack: "" },
    );
}

impl<'a> Position<'a> {
    /// Reads `at name (url:line:column)` or `at url:line:column`.
    pub(crate) fn of_frame(frame: &'a str) -> Option<Self> {
        let place = match frame.rsplit_once('(') {
            Some((_, place)) => place.strip_suffix(')')?,
            None => frame.strip_prefix("at ")?,
        };
        let mut numbers = Vec::new();
        let mut script = place;
        while let Some((before, Ok(number))) =
            script.rsplit_once(':').map(|(before, number)| (before, number.parse()))
        {
            numbers.insert(0, number);
            script = before;
        }
        Some(Self { script, line: numbers.first().copied(), column: numbers.get(1).copied() })
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn frames_tell_script_line_and_column() {
        let position = |script, line, column| Some(Position { script, line, column });
        for (frame, expected) in [
            (
                "at talk (chrome-extension://abc/a.js:12:5)",
                position("chrome-extension://abc/a.js", Some(12), Some(5)),
            ),
            (
                "at chrome-extension://abc/a.js:12:5",
                position("chrome-extension://abc/a.js", Some(12), Some(5)),
            ),
            (
                "at <eval> (chrome-extension://abc/a.js:3)",
                position("chrome-extension://abc/a.js", Some(3), None),
            ),
            ("at push (native)", position("native", None, None)),
            ("nonsense", None),
        ] {
            assert_eq!(Position::of_frame(frame), expected, "{frame}");
        }
    }
}
