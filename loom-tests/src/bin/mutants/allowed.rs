//! The list of mutations that no model can notice, each with its reason.

use std::fs;

/// What may survive. A file of paragraphs: a line with the lasting name, then the reason.
#[derive(Debug)]
pub(crate) struct Allowed {
    names: Vec<String>,
}

impl Allowed {
    /// The list, and complaints about entries without a reason.
    pub(crate) fn read() -> (Self, Vec<String>) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/allowed-survivors.txt");
        let text = fs::read_to_string(path).expect("the list of survivors");
        let (mut names, mut complaints) = (Vec::new(), Vec::new());
        let code = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        for paragraph in code.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
            let (name, reason) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
            if reason.trim().is_empty() {
                complaints.push(format!("allowed to survive without a reason: {name}"));
            }
            names.push(name.trim().to_owned());
        }
        (Self { names }, complaints)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|allowed| allowed == name)
    }

    /// Entries that name none of `known`.
    pub(crate) fn unknown<'a>(&'a self, known: &'a [String]) -> impl Iterator<Item = &'a String> {
        self.names.iter().filter(|name| !known.contains(name))
    }
}
