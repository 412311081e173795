//! Programs of C and C++ over the C interface, built with all warnings as errors and with the sanitizers of addresses and of
//! undefined behaviour.
#![allow(dead_code, unreachable_pub, reason = "every test file takes its part")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this package.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where Cargo put the libraries beside this test.
fn libraries() -> PathBuf {
    let folder = env::current_exe().unwrap().parent().unwrap().to_owned();
    assert!(folder.join("libport_core_c.a").exists(), "{} has no libport_core_c.a", folder.display());
    folder
}

/// The compiler for a source, with all its warnings.
pub fn compiler(source: &Path) -> Command {
    let (compiler, standard) = match source.extension().unwrap().to_str() {
        Some("c") => (env::var("CC").unwrap_or_else(|_| "cc".into()), "-std=c11"),
        _ => (env::var("CXX").unwrap_or_else(|_| "c++".into()), "-std=c++17"),
    };
    let mut command = Command::new(compiler);
    command
        .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-I"])
        .arg(here().join("include"))
        .arg(source);
    command
}

/// Runs a compiler.
pub fn compile(compiler: &mut Command) {
    let built =
        compiler.output().unwrap_or_else(|error| panic!("a C++ compiler is needed: {compiler:?}: {error}"));
    assert!(built.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&built.stderr));
}

/// Builds a program, and gives its path.
fn build(source: &Path) -> PathBuf {
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(source.file_stem().unwrap());
    compile(
        compiler(source)
            .args(["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o"])
            .arg(&program)
            .arg(libraries().join("libport_core_c.a"))
            .args(["-lpthread", "-ldl", "-lm"]),
    );
    program
}

/// Builds and runs a program, and gives what it printed.
pub fn run(source: &Path, arguments: &[&str]) -> String {
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
