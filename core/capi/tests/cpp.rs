//! C and C++ over the interface: every example is built with all warnings as errors and with the sanitizers of addresses and of
//! undefined behaviour, and run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder of this package.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where Cargo put the libraries beside this test.
fn libraries() -> PathBuf {
    let folder = env::current_exe().unwrap().parent().unwrap().to_owned();
    assert!(folder.join("libport_core_c.a").exists(), "{} has no libport_core_c.a", folder.display());
    folder
}

/// Builds a program, and gives its path.
fn build(source: &Path) -> PathBuf {
    let (compiler, standard) = match source.extension().unwrap().to_str() {
        Some("c") => (env::var("CC").unwrap_or_else(|_| "cc".into()), "-std=c11"),
        _ => (env::var("CXX").unwrap_or_else(|_| "c++".into()), "-std=c++17"),
    };
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(source.file_stem().unwrap());
    let built = Command::new(&compiler)
        .args([
            standard,
            "-g",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wconversion",
            "-Wshadow",
            "-Werror",
        ])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
        .arg("-I")
        .arg(here().join("include"))
        .arg(source)
        .arg("-o")
        .arg(&program)
        .arg(libraries().join("libport_core_c.a"))
        .args(["-lpthread", "-ldl", "-lm"])
        .output()
        .unwrap_or_else(|error| panic!("a C++ compiler is needed: {compiler}: {error}"));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
}

/// Builds and runs a program, and gives what it printed.
fn run(source: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(build(source)).args(arguments).output().unwrap();
    let (said, printed) = (String::from_utf8_lossy(&ran.stderr), String::from_utf8_lossy(&ran.stdout));
    assert!(
        ran.status.success() && said.is_empty(),
        "{}: {:?}\n{printed}\n{said}",
        source.display(),
        ran.status
    );
    printed.into_owned()
}

fn example(name: &str) -> PathBuf {
    here().join("examples").join(name)
}

#[test]
fn every_example_is_run() {
    let mut examples: Vec<_> = fs::read_dir(here().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "c" || ending == "cpp"))
        .collect();
    examples.sort();
    assert_eq!(examples, ["first_message.c", "main_loop.cpp", "two_threads.cpp"]);
}

#[test]
fn first_message() {
    assert_eq!(run(&example("first_message.c"), &[]), "a port named greetings\n\"hello\"\n");
}

#[test]
fn two_threads() {
    let printed = run(&example("two_threads.cpp"), &[]);
    let mut lines: Vec<_> = printed.lines().collect();
    // The two threads print when they like.
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            r#"background: {"greeting":"Hi from content script"}"#,
            "content script: a port named tabs-connect-example",
            "content script: the other side disconnected",
            r#"content script: {"greeting":"Hi from background script"}"#,
        ]
    );
}

/// Two main loops that sleep in `poll()`: no wake-up is lost.
#[cfg(target_os = "linux")]
#[test]
fn main_loop() {
    assert_eq!(run(&example("main_loop.cpp"), &["20000"]), "20000 answers\n");
}

/// What the wrapper does that no example shows.
#[test]
fn wrapper() {
    run(&here().join("tests/wrapper.cpp"), &[]);
}
