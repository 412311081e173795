//! Spoils the core in one place chosen from outside, to see whether the models notice;
//! and reports which places a run came past.
//!
//! | variable | effect |
//! |---|---|
//! | `PORT_CORE_MUTATION=bell.rs:143:24 swap Acquire` | that operation, called there, gets this ordering instead of its own |
//! | `PORT_CORE_MUTATION=name` | `mutant("name")` is `true` |
//! | `PORT_CORE_REACHED=path` | appends to that file a line for each ordering but `Relaxed`, and for each mutant, that the run comes past; for a folder, each test has a file of its own there |

use super::Ordering;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::panic::Location;
use std::path::PathBuf;
use std::ptr;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

static CHOSEN: LazyLock<Option<Mutation>> =
    LazyLock::new(|| std::env::var("PORT_CORE_MUTATION").ok().map(|chosen| Mutation::parse(&chosen)));

thread_local! {
    /// Each test's own: loom runs all threads of a model on the thread of its test.
    static REACHED: RefCell<Option<Reached>> = RefCell::new(Reached::asked_for());
}

/// What the run is to spoil.
enum Mutation {
    Ordering { file: String, line: u32, column: u32, operation: String, weaker: Ordering },
    Mutant(String),
}

impl Mutation {
    fn parse(chosen: &str) -> Self {
        let Some((site, rest)) = chosen.split_once(' ') else { return Self::Mutant(chosen.into()) };
        let mut site = site.rsplitn(3, ':');
        let mut number = || site.next().and_then(|number| number.parse().ok()).expect("file:line:column");
        let (column, line) = (number(), number());
        let file = site.next().expect("file:line:column").into();
        let (operation, weaker) = rest.rsplit_once(' ').expect("site, operation, ordering");
        let weaker = match weaker {
            "Relaxed" => Ordering::Relaxed,
            "Acquire" => Ordering::Acquire,
            "Release" => Ordering::Release,
            "AcqRel" => Ordering::AcqRel,
            other => panic!("no ordering weaker than another: {other}"),
        };
        Self::Ordering { file, line, column, operation: operation.into(), weaker }
    }
}

/// A place that a run may come past: file, line, column and operation, or a mutant's name.
type Place = (&'static str, u32, u32, &'static str);

/// The places a run came past.
struct Reached {
    file: File,
    told: HashSet<Place>,
    /// Places that were told, without the set: nearly every place was told before, and to ask the set each time takes as
    /// long as the model itself.
    recent: Box<[Place]>,
}

/// How many places are remembered without the set.
const RECENT: usize = 1024;

impl Reached {
    fn asked_for() -> Option<Self> {
        let mut path = PathBuf::from(std::env::var_os("PORT_CORE_REACHED")?);
        let is_folder = path.is_dir();
        if is_folder {
            let program = std::env::current_exe().ok()?;
            let (program, test) = (program.file_name()?.to_string_lossy(), thread::current());
            path.push(format!("{program}-{}", test.name()?.replace("::", ".")));
        }
        let file =
            OpenOptions::new().create(true).append(!is_folder).write(true).truncate(is_folder).open(path);
        // On the heap: the stacks of a model's threads are small.
        let recent = vec![("", 0, 0, ""); RECENT].into();
        Some(Self { file: file.expect("a file to report to"), told: HashSet::new(), recent })
    }

    /// Returns whether a place was told before.
    fn was_told(&mut self, place: Place) -> bool {
        let (file, line, column, operation) = place;
        let mixed = (file.as_ptr() as usize)
            .wrapping_add(operation.as_ptr() as usize)
            .wrapping_add(line as usize * 64 + column as usize);
        let known = std::mem::replace(&mut self.recent[mixed % RECENT], place);
        // The same text at another address is another place here, which costs a look at the set and no more.
        let is_recent =
            ptr::eq(known.0, file) && (known.1, known.2) == (line, column) && ptr::eq(known.3, operation);
        is_recent || !self.told.insert(place)
    }

    fn tell(&mut self, line: &str) {
        // One write, because other processes append to the same file.
        self.file.write_all(line.as_bytes()).expect("a file to report to");
    }
}

/// Reports a place, if `PORT_CORE_REACHED` asks for it.
fn reached(place: Place, line: impl FnOnce() -> String) {
    // What a test that has ended leaves to be dropped is past telling.
    let _ = REACHED.try_with(|reached| {
        if let Some(reached) = &mut *reached.borrow_mut()
            && !reached.was_told(place)
        {
            reached.tell(&line());
        }
    });
}

/// Reports that a model was explored to its end, and how long that took, if `PORT_CORE_REACHED` asks for it.
pub(crate) fn explored(took: Duration) {
    REACHED.with_borrow_mut(|reached| {
        if let Some(reached) = reached {
            reached.tell(&format!("explored\t{}\n", took.as_millis()));
        }
    });
}

/// Returns the ordering that an operation of the core is to have: its own, or a weaker one.
#[track_caller]
pub(super) fn ordering(operation: &'static str, own: Ordering) -> Ordering {
    if own == Ordering::Relaxed {
        return own;
    }
    let caller = Location::caller();
    let (line, column) = (caller.line(), caller.column());
    reached((caller.file(), line, column, operation), || {
        format!("ordering\t{}:{line}:{column}\t{operation}\t{own:?}\n", file(caller))
    });
    match &*CHOSEN {
        Some(Mutation::Ordering { file: chosen, line: at, column: across, operation: of, weaker })
            if (*at, *across) == (line, column) && of == operation && *chosen == file(caller) =>
        {
            *weaker
        }
        _ => own,
    }
}

/// Returns a caller's file below the core's `src`, however the compiler was called.
fn file(caller: &'static Location<'static>) -> String {
    let path = caller.file().replace('\\', "/");
    path.rsplit_once("src/").map_or(path.as_str(), |(_, below)| below).to_owned()
}

/// Returns whether the run put this known mistake back.
pub(crate) fn mutant(name: &'static str) -> bool {
    reached((name, 0, 0, ""), || format!("mutant\t{name}\n"));
    matches!(&*CHOSEN, Some(Mutation::Mutant(chosen)) if chosen == name)
}

/// Returns whether the run spoils anything. How much a model explores then means nothing.
pub(crate) fn mutated() -> bool {
    CHOSEN.is_some()
}
