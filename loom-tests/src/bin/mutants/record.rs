//! Which model caught which mutation when that was last written down.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// What stands between a model and a mutation on a line.
const CATCHES: &str = " catches ";

const HEAD: &str = "\
# Which model to ask first about a mutation, as `mutants -- --record` writes it. Where it names none that
# catches it, the others are asked: what is here saves time, and is no claim.
";

/// Models by the lasting names of mutations. Two places with the same text share a name, so a name may have several.
#[derive(Debug, Default)]
pub(crate) struct Record {
    lines: BTreeSet<(String, String)>,
}

impl Record {
    /// The file's name, in the package's folder.
    pub(crate) const NAME: &str = "caught-by.txt";

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/caught-by.txt");

    /// The record as it was written, or an empty one.
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(Self::PATH).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once(CATCHES));
        Self { lines: pairs.map(|(model, mutation)| (mutation.to_owned(), model.to_owned())).collect() }
    }

    /// The models that caught a mutation of this lasting name.
    pub(crate) fn of(&self, mutation: &str) -> Vec<&str> {
        let lines = self.lines.iter().filter(|(name, _)| name == mutation);
        lines.map(|(_, model)| model.as_str()).collect()
    }

    pub(crate) fn add(&mut self, mutation: &str, model: &str) {
        self.lines.insert((mutation.to_owned(), model.to_owned()));
    }

    pub(crate) fn write(&self) {
        let mut text = HEAD.to_owned();
        for (mutation, model) in &self.lines {
            let _ = writeln!(text, "{model}{CATCHES}{mutation}");
        }
        fs::write(Self::PATH, text).expect("the package's folder can be written to");
    }
}
