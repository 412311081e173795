//! The order of the rooms: which part of the source may import which.
//!
//! A file at the root of `src` is something an embedder names, a folder is a private room. Rooms stand
//! in a line and import only from those before them; no import runs in a circle, root files included.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The private rooms, each of which may use those before it.
const ROOMS: [&str; 6] = ["sync", "concurrent", "index", "wire", "shared", "event_loop"];

/// What each part imports, with a file that does.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn no_import_runs_up_or_in_a_circle_between_rooms() {
    let imports = imports();
    for room in ROOMS {
        assert!(imports.contains_key(room), "there is a room {room}");
    }
    for (part, used) in &imports {
        for (other, file) in used {
            let reached = reached_from(other, &imports);
            assert!(
                !reached.contains(part.as_str()),
                "{file} imports `{other}`, from where imports lead back to `{part}`"
            );
        }
    }
    for (position, room) in ROOMS.iter().enumerate() {
        let reached = reached_from(room, &imports);
        for later in &ROOMS[position + 1..] {
            assert!(!reached.contains(later), "imports lead from `{room}` up to `{later}`");
        }
    }
}

#[test]
fn the_rooms_are_all_the_folders() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders: BTreeSet<String> = fs::read_dir(source)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, ROOMS.iter().map(|room| (*room).to_owned()).collect());
}

/// Reads what every part of the product code imports by `crate::` paths, which is how the core imports
/// across parts. The crate's root looks into all of them and is no part.
fn imports() -> Imports {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = Imports::new();
    read_folder(&source, "", &mut imports);
    imports
}

fn read_folder(folder: &Path, below: &str, imports: &mut Imports) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{below}{name}");
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), imports);
        } else if path != "lib.rs" {
            let part = path.split(['/', '.']).next().unwrap().to_owned();
            let text = fs::read_to_string(entry.path()).unwrap();
            let lines = text.lines().map(|line| line.split("//").next().unwrap());
            for used in lines.flat_map(|line| line.split("crate::").skip(1)) {
                let other: String =
                    used.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                if other != part && !other.is_empty() {
                    imports.entry(part.clone()).or_default().insert(other, path.clone());
                }
            }
            imports.entry(part).or_default();
        }
    }
}

/// Returns the parts that imports lead to from one, itself included.
fn reached_from<'a>(part: &'a str, imports: &'a Imports) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::from([part]);
    let mut left = vec![part];
    while let Some(next) = left.pop() {
        for other in imports.get(next).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(other) {
                left.push(other);
            }
        }
    }
    reached
}
