//! Instructions per operation, and whether they keep within their budgets: the view that
//! a busy machine does not blur. Runs itself under valgrind's callgrind, once per operation.
//!
//! `instructions [--write]`: with `--write` what was counted becomes the budget, with a
//! little room. Exits with failure if a budget is exceeded.

mod between_processes;
mod budgets;
mod through_c;
mod work;

use budgets::Budgets;
use std::env;
use std::process::{Command, ExitCode};
use work::Work;

/// Room that a new budget leaves, for other compilers and libraries.
const ROOM: f64 = 1.06;
/// A budget is too loose when less than this part of it is used.
const LOOSE: f64 = 0.85;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => check(),
        ["--write"] => write(),
        ["--work", name] => {
            let work = work::ALL.iter().find(|work| work.name == name).expect("a work's name");
            (work.run)();
            Ok(true)
        }
        _ => Err("usage: instructions [--write]".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts everything and compares.
fn check() -> Result<bool, String> {
    let budgets = Budgets::read()?;
    let mut good = true;
    let mut all = Vec::new();
    println!("{:44} {:>9} {:>9}", "instructions", "counted", "budget");
    for work in work::ALL {
        let counted = count(work)?;
        all.push((work.name, counted));
        let (budget, word) = match budgets.of(work.name) {
            None => (f64::NAN, "has no budget: run with --write"),
            Some(budget) if counted > budget => {
                (budget, "EXCEEDED: make it cheaper, or say why not and --write")
            }
            Some(budget) if counted < budget * LOOSE => (budget, "far below: run with --write"),
            Some(budget) => (budget, ""),
        };
        good &= counted <= budget;
        println!("{:44} {counted:9.1} {budget:9.0} {word}", work.name);
        good &= is_near(work, counted, &all);
    }
    Ok(good)
}

/// Compares an operation with the one that it is to stay near to.
fn is_near(work: &Work, counted: f64, all: &[(&str, f64)]) -> bool {
    let Some((name, most)) = work.beside else { return true };
    let beside = all.iter().find(|(other, _)| *other == name).expect("it is counted before").1;
    let word = if counted <= beside + most { "" } else { "TOO FAR FROM IT" };
    println!("    {:.1} more than \"{name}\", of {most} allowed {word}", counted - beside);
    word.is_empty()
}

/// Makes what is counted now the budget.
fn write() -> Result<bool, String> {
    let mut budgets = Budgets::default();
    for work in work::ALL {
        let counted = count(work)?;
        budgets.set(work.name, (counted * ROOM).ceil());
        println!("{:44} {counted:9.1}", work.name);
    }
    budgets.write()?;
    Ok(true)
}

/// Instructions per operation of a work, counted by running this program under callgrind.
fn count(work: &Work) -> Result<f64, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect=*{}*", work::COUNTED))
        .arg(program)
        .args(["--work", work.name])
        .output()
        .map_err(|error| format!("valgrind does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse::<f64>().ok())
        .filter(|collected| output.status.success() && *collected > 0.0)
        .ok_or_else(|| format!("{}: nothing was counted\n{text}", work.name))?;
    Ok(collected / f64::from(work::OPERATIONS))
}
