//! `docs/limits.md` has a row for everything that travels between event loops, and what it refers to exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = package().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the tables, without their heads, as cells.
fn rows() -> Vec<Vec<String>> {
    let table = read("../docs/limits.md");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what |"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands between backticks in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The variants of an enum, as `cargo fmt` lays out its source.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let source = read(file);
    let body = source.split_once(&format!("enum {name} {{\n")).expect("the enum is in this file").1;
    let body = body.split_once("\n}\n").expect("the enum ends").0;
    let variants: BTreeSet<_> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect())
        .collect();
    assert!(variants.len() > 3, "{name} has {variants:?} only");
    variants
}

#[test]
fn every_record_signal_and_notice_has_a_row() {
    let rows = rows();
    let named: BTreeSet<_> = rows.iter().flat_map(|row| quoted(&row[0])).map(str::to_owned).collect();
    // `Record::Signal` is all the signals.
    let mut kinds = variants("src/wire/record.rs", "Record");
    assert!(kinds.remove("Signal"));
    kinds.extend(variants("src/wire/record.rs", "Signal"));
    kinds.extend(variants("src/shared/event_loop.rs", "Notice"));
    let missing: Vec<_> = kinds.difference(&named).collect();
    assert!(missing.is_empty(), "no row of docs/limits.md names {missing:?}");
    let unknown: Vec<_> =
        named.difference(&kinds).filter(|name| name.starts_with(char::is_uppercase)).collect();
    assert!(unknown.is_empty(), "docs/limits.md has rows of {unknown:?}, which there are not");
}

#[test]
fn every_row_is_whole_and_refers_to_what_exists() {
    let limits = read("src/limits.rs");
    for row in rows() {
        let [_, _, limit, seen, test] = &row[..] else { panic!("not five cells: {row:?}") };
        assert!(row.iter().all(|cell| !cell.is_empty()), "an empty cell: {row:?}");
        let words = quoted(limit).chain(quoted(seen));
        for name in words.filter(|word| word.contains('_') && !word.contains("::")) {
            let field = limits.contains(&format!("pub {name}: "));
            let holders = ["src/event_loop/mod.rs", "src/service.rs"];
            let method = holders.iter().any(|holder| read(holder).contains(&format!("pub fn {name}")));
            assert!(field || method, "no limit and no method: {name}");
        }
        for file in quoted(test) {
            assert!(package().join("tests").join(file).exists(), "no such test: {file}");
        }
        assert!(quoted(test).count() > 0, "no test: {row:?}");
    }
}

#[test]
fn every_limit_has_a_row() {
    let limits = read("src/limits.rs");
    let body = limits.split_once("pub struct Limits {\n").expect("the limits are there").1;
    let body = body.split_once("\n}\n").expect("they end").0;
    let fields = body.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(':'));
    let rows = rows();
    let mut count = 0;
    for (field, _) in fields {
        count += 1;
        let named = rows.iter().any(|row| quoted(&row[2]).any(|name| name == field));
        assert!(named, "no row of docs/limits.md names {field}");
    }
    assert!(count >= 6, "{count} limits");
}
