//! The budgets, in a file of their own that changes with the code.

use std::fmt::Write;
use std::fs;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budgets.txt");

const HEAD: &str = "# Instructions per operation, at most: what was counted by callgrind, and 6 %.
# Written by: cargo run --release -p port-core-bench --bin instructions -- --write
";

/// What each operation may take.
#[derive(Default)]
pub(crate) struct Budgets(Vec<(String, f64)>);

impl Budgets {
    pub(crate) fn read() -> Result<Self, String> {
        let text = fs::read_to_string(PATH).map_err(|error| format!("{PATH}: {error}"))?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let budgets = lines.map(|line| {
            let (name, budget) = line.split_once(" = ")?;
            Some((name.to_owned(), budget.parse().ok()?))
        });
        budgets.collect::<Option<_>>().map(Self).ok_or_else(|| format!("{PATH}: lines are `name = number`"))
    }

    pub(crate) fn of(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(budgeted, _)| budgeted == name).map(|(_, budget)| *budget)
    }

    pub(crate) fn set(&mut self, name: &str, budget: f64) {
        self.0.push((name.to_owned(), budget));
    }

    pub(crate) fn write(&self) -> Result<(), String> {
        let mut text = HEAD.to_owned();
        for (name, budget) in &self.0 {
            let _ = writeln!(text, "{name} = {budget}");
        }
        fs::write(PATH, text).map_err(|error| format!("{PATH}: {error}"))
    }
}
