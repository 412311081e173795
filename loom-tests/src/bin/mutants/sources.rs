//! The core's source, to find what no model comes past.

use crate::mutation::Ordering;
use std::fs;
use std::path::Path;

/// How far above a call its `ORDERING:` comment may begin.
const COMMENT_ABOVE: usize = 8;

/// How far below the start of a call its ordering may be written.
const ARGUMENTS_BELOW: usize = 4;

/// The files of the core, without the shim.
#[derive(Debug)]
pub(crate) struct Sources {
    /// By path below `src`, with lines.
    files: Vec<(String, Vec<String>)>,
}

impl Sources {
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
        let mut sources = Self { files: Vec::new() };
        sources.read_folder(&root, "");
        sources.files.sort();
        sources
    }

    fn read_folder(&mut self, folder: &Path, below: &str) {
        for entry in fs::read_dir(folder).expect("the core's source") {
            let entry = entry.expect("the core's source");
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                if name != "sync" {
                    self.read_folder(&entry.path(), &format!("{name}/"));
                }
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(entry.path()).expect("the core's source");
                self.files.push((name, text.lines().map(|line| line.trim().to_owned()).collect()));
            }
        }
    }

    /// A line, counted from one.
    pub(crate) fn line(&self, file: &str, line: usize) -> &str {
        let file = self.files.iter().find(|(name, _)| name == file);
        file.and_then(|(_, lines)| lines.get(line.checked_sub(1)?)).map_or("", String::as_str)
    }

    /// Every `mutant("name")`.
    pub(crate) fn mutants(&self) -> Vec<String> {
        let lines = self.files.iter().flat_map(|(_, lines)| lines);
        let calls = lines.flat_map(|line| line.split("mutant(\"").skip(1));
        let mut names: Vec<_> = calls.filter_map(|call| Some(call.split_once('"')?.0.to_owned())).collect();
        // A mistake that moves something has two places.
        names.sort();
        names.dedup();
        names
    }

    /// Complaints about orderings that no model comes past, and about those without
    /// a comment that names their partner.
    pub(crate) fn complaints(&self, reached: &[Ordering]) -> Vec<String> {
        let mut complaints = Vec::new();
        for (file, lines) in &self.files {
            let ours: Vec<_> = reached.iter().filter(|ordering| ordering.file() == file).collect();
            for (line, text) in lines.iter().enumerate().filter(|(_, text)| names_ordering(text)) {
                let line = line + 1;
                if !ours.iter().any(|at| (at.line()..=at.line() + ARGUMENTS_BELOW).contains(&line)) {
                    complaints.push(format!("no model comes past {file}:{line} {text}"));
                }
            }
            for at in ours {
                let above = lines[at.line().saturating_sub(1 + COMMENT_ABOVE)..at.line() - 1].iter();
                if !above.rev().any(|text| text.starts_with("// ORDERING:")) {
                    complaints
                        .push(format!("{} has no comment `// ORDERING:` that names its partner", at.site));
                }
            }
        }
        complaints
    }
}

/// Whether a line of code names an ordering that can be weakened.
fn names_ordering(text: &str) -> bool {
    const STRONG: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];
    !text.starts_with("//") && STRONG.iter().any(|strong| text.contains(&format!("Ordering::{strong}")))
}
