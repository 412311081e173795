//! Finding the models and running them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// This package's.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

/// One model: a test of one of this package's test programs.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    program: PathBuf,
    /// The file it stands in.
    file: String,
    test: String,
}

/// How a run of a model ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// With the first panic's message.
    Failed(String),
    OutOfTime,
}

impl Model {
    pub(crate) fn name(&self) -> String {
        format!("{}::{}", self.file, self.test)
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Returns how long the model took, and what it reported, where a run of all tests left that in a folder; `None`
    /// where it did not, or left it before the model was compiled anew.
    pub(crate) fn surveyed_in(&self, folder: &Path) -> Option<(Duration, Vec<String>)> {
        let program = self.program.file_name()?.to_string_lossy();
        let report = folder.join(format!("{program}-{}", self.test.replace("::", ".")));
        let changed = |path: &Path| fs::metadata(path).ok()?.modified().ok();
        if changed(&report)? < changed(&self.program)? {
            return None;
        }
        let text = fs::read_to_string(report).ok()?;
        let (explored, reached): (Vec<_>, Vec<_>) =
            text.lines().map(str::to_owned).partition(|line| line.starts_with("explored\t"));
        let took = explored.iter().filter_map(|line| line.split_once('\t')?.1.parse::<u64>().ok()).sum();
        (!explored.is_empty()).then(|| (Duration::from_millis(took), reached))
    }

    /// Runs the model alone in a process, with a variable set.
    pub(crate) fn run(&self, (variable, value): (&str, &str), limit: Duration) -> Verdict {
        let log = scratch("log");
        let output = File::create(&log).expect("a scratch file");
        let mut command = Command::new(&self.program);
        command.args(["--exact", &self.test, "--nocapture", "--test-threads=1"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        command.env("RUST_BACKTRACE", "0").env(variable, value);
        let mut child = command.spawn().expect("a test program that runs");
        let began = Instant::now();
        let verdict = loop {
            match child.try_wait().expect("a child of ours") {
                Some(status) if status.success() => break Verdict::Passed,
                Some(_) => break Verdict::Failed(first_panic(&log)),
                None if began.elapsed() > limit => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break Verdict::OutOfTime;
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let _ = fs::remove_file(log);
        verdict
    }
}

/// A path of a file that nobody else writes.
pub(crate) fn scratch(kind: &str) -> PathBuf {
    let thread = format!("{:?}", thread::current().id());
    let digits: String = thread.chars().filter(char::is_ascii_digit).collect();
    std::env::temp_dir().join(format!("port-core-mutants-{}-{digits}.{kind}", std::process::id()))
}

fn first_panic(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    lines.next().unwrap_or("the process died").trim().chars().take(90).collect()
}

/// Builds the test programs and lists their tests. `with_all`: together with the whole workspace, whose packages may ask
/// for more of what they share.
pub(crate) fn find(with_all: bool) -> Vec<Model> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--no-run", "--tests", "--message-format=json"]);
    command.args(["--manifest-path", MANIFEST]).args(with_all.then_some("--workspace"));
    let built = command.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(built.status.success(), "the models do not compile");
    let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
    messages.lines().filter_map(program).flat_map(|(file, program)| tests(&file, &program)).collect()
}

/// The test program of this package that a message of cargo's is about, if it is.
fn program(message: &str) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if Path::new(message["manifest_path"].as_str()?) != Path::new(MANIFEST) {
        return None;
    }
    let target = &message["target"];
    let is_test = target["kind"].as_array()?.iter().any(|kind| kind == "test");
    let program = message["executable"].as_str()?;
    is_test.then(|| (target["name"].as_str().unwrap_or_default().to_owned(), program.into()))
}

fn tests(file: &str, program: &Path) -> Vec<Model> {
    let listed = Command::new(program).args(["--list", "--format=terse"]).output().expect("tests are listed");
    let listed = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(|test| Model { program: program.into(), file: file.into(), test: test.into() }).collect()
}
