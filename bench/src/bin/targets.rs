//! Puts every question to every contender and prints what they answer, a row each.
//!
//! `targets [--only NAME] [--json FILE] [--quick]`. Exits with failure only on bad arguments:
//! a figure is no test.

use port_core_bench::allocation::Counting;
use port_core_bench::judgement::{Verdict, judge};
use port_core_bench::memory;
use port_core_bench::question::{self, Answers};
use port_core_bench::report::{Findings, print_answers, print_counts, print_verdicts};
use port_core_bench::topology::Processors;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::{env, fs};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Samples of each contender, in full and in a hurry.
const ROUNDS: usize = 21;
const QUICK_ROUNDS: usize = 5;

struct Arguments {
    only: Option<String>,
    json: Option<String>,
    rounds: usize,
}

impl Arguments {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut read = Self { only: None, json: None, rounds: ROUNDS };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => read.only = Some(arguments.next()?),
                "--json" => read.json = Some(arguments.next()?),
                "--quick" => read.rounds = QUICK_ROUNDS,
                _ => return None,
            }
        }
        Some(read)
    }
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(env::args().skip(1)) else {
        eprintln!("usage: targets [--only NAME] [--json FILE] [--quick]");
        return ExitCode::FAILURE;
    };
    let Some(processors) = Processors::find() else {
        eprintln!("two processors are needed");
        return ExitCode::FAILURE;
    };
    let counts = memory::counts();
    print_counts(&counts);
    let mut answers = BTreeMap::<String, Answers>::new();
    for mut question in question::all() {
        if arguments.only.as_ref().is_some_and(|only| !question.name.contains(only)) {
            continue;
        }
        let (answer, left_out) = question.ask(&processors, arguments.rounds);
        print_answers(&question, &answer, left_out);
        answers.insert(question.name, answer);
    }
    let findings = Findings { answers, counts };
    let verdicts: Vec<Verdict> = judge(&findings);
    print_verdicts(&verdicts);
    if let Some(path) = arguments.json
        && let Err(error) = fs::write(&path, findings.to_json(&verdicts))
    {
        eprintln!("{path}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
