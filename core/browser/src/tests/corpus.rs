//! What the fuzzers found worth keeping, among it everything that once failed.

use crate::checks;
use std::fs;
use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in fs::read_dir(corpus).expect("the corpus") {
        let path = entry.expect("a file").path();
        eprintln!("{}", path.display());
        check(&fs::read(path).expect("a file"));
        replayed += 1;
    }
    assert!(replayed >= 5, "the corpus is not where it was");
}

#[test]
fn manifests_are_read_or_refused() {
    replay("manifest", checks::manifest);
}

#[test]
fn match_patterns_match_as_they_say() {
    replay("match_pattern", checks::match_pattern);
}

#[test]
fn command_lines_are_read_or_refused() {
    replay("command_line", checks::command_line);
}

#[test]
fn urls_are_taken_apart() {
    replay("urls", checks::urls);
}

#[test]
fn messages_survive() {
    replay("messages", checks::messages);
}
