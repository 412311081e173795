//! The order of this package's parts: each file and folder uses only those before it.

use std::fs;
use std::path::{Path, PathBuf};

/// The parts, each of which may use those before it. What lies between the two sides of the browser is
/// in `messages`; what is QuickJS's alone lies in `quickjs`.
const PARTS: [&str; 21] = [
    "folder",
    "web",
    "clock",
    "summary",
    "log",
    "script_error",
    "activity",
    "launch",
    "arguments",
    "plain",
    "messages",
    "alarm",
    "scenario",
    "shared",
    "process",
    "quickjs",
    "script",
    "renderer",
    "browser",
    "trace",
    "bench",
];

#[test]
fn no_part_uses_one_that_comes_after_it() {
    for (path, text) in sources() {
        let Some(position) = position(&path) else { continue };
        for used in text.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let other = PARTS.iter().position(|part| *part == used);
            assert!(other.is_some_and(|other| other <= position), "{} uses {used}", path.display());
        }
    }
}

#[test]
fn the_engine_is_named_in_its_own_folder_alone() {
    for (path, text) in sources() {
        let may = path.starts_with("quickjs") || position(&path).is_none();
        assert!(may || !text.contains("rquickjs"), "{} names the engine", path.display());
    }
}

/// The part that a file belongs to; none for the root of the package, and for tests and checks.
fn position(path: &Path) -> Option<usize> {
    let first = path.components().next()?.as_os_str().to_str()?;
    let first = first.strip_suffix(".rs").unwrap_or(first);
    let position = PARTS.iter().position(|part| *part == first);
    assert!(position.is_some() || ["lib", "tests", "checks"].contains(&first), "{first} is in no place");
    position
}

/// The files of this package by their paths, without the tests in them.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
                sources.push((path.strip_prefix(&root).expect("inside").to_owned(), product));
            }
        }
    }
    sources
}
