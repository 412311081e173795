//! C and C++ over the interface: every example is built with all warnings as errors and with the sanitizers of addresses and of
//! undefined behaviour, and run.

mod cpp_program;

use cpp_program::{compile, compiler, here, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// What a piece of the guide that is no whole program finds around it.
const AROUND: &str = r"
#include <port_core.hpp>
#include <future>
#include <iostream>
#include <thread>
using namespace port_core;
void handle(const Event&);
void post_task();
void attach_all(EventLoop&);
void end_scripts_of(ContextId);
void throw_error(const char*);
bool start_background(ExtensionInstance);
void piece(Service& service, EventLoop& event_loop, EventLoop& background, Waker waker, ContextId context,
           std::uint64_t number, std::string_view json, ExtensionInstance extension, TabId tab, DocumentId document);
void piece([[maybe_unused]] Service& service, [[maybe_unused]] EventLoop& event_loop,
           [[maybe_unused]] EventLoop& background, [[maybe_unused]] Waker waker, [[maybe_unused]] ContextId context,
           [[maybe_unused]] std::uint64_t number, [[maybe_unused]] std::string_view json,
           [[maybe_unused]] ExtensionInstance extension, [[maybe_unused]] TabId tab,
           [[maybe_unused]] DocumentId document) {
";

/// Gives the pieces of code in a text that are marked as this language.
fn pieces(text: &str, language: &str) -> Vec<String> {
    let (mut pieces, mut open) = (Vec::<String>::new(), false);
    for line in text.lines() {
        let code = line.trim_start();
        if let Some(mark) = code.strip_prefix("```") {
            open = mark == language;
            if open {
                pieces.push(String::new());
            }
        } else if open {
            let piece = pieces.last_mut().unwrap();
            piece.push_str(line);
            piece.push('\n');
        }
    }
    pieces
}

/// Writes a source for the compiler.
fn written(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_code_of_the_guide() {
    let guide = fs::read_to_string(here().join("../../docs/embedding.md")).unwrap();
    let (whole, parts): (Vec<_>, Vec<_>) =
        pieces(&guide, "cpp").into_iter().partition(|piece| piece.starts_with("#include"));
    assert_eq!((whole.len(), parts.len()), (1, 6), "whole programs and pieces");
    let printed = run(&written("guide_first.cpp", &whole[0]), &[]);
    assert_eq!(printed, "onConnect: greetings\nonMessage: {\"greeting\":\"hello\"}\n");
    for (number, piece) in parts.iter().enumerate() {
        let source = written(&format!("guide_piece_{number}.cpp"), &format!("{AROUND}{piece}}}\n"));
        compile(compiler(&source).arg("-fsyntax-only"));
    }
}

/// Where GLib is at hand.
#[test]
fn the_code_of_the_guide_for_glib() {
    let guide = fs::read_to_string(here().join("../../docs/embedding.md")).unwrap();
    let pieces = pieces(&guide, "cpp glib");
    assert_eq!(pieces.len(), 1);
    let Ok(flags) = Command::new("pkg-config").args(["--cflags", "glib-2.0"]).output() else { return };
    if flags.status.success() {
        let flags = String::from_utf8(flags.stdout).unwrap().replace("-I", "-isystem");
        let source = written("guide_glib.cpp", &pieces[0]);
        compile(compiler(&source).args(flags.split_whitespace()).args(["-fsyntax-only", "-Wno-shadow"]));
    }
}
