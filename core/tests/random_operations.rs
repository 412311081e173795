//! Seeded scripts of operations on a few event loops, driven from one thread: what each
//! loop answers and hands out must be what the reference model allows, whichever way the
//! script lets the loops take turns, stop in the middle and go away.
//!
//! `SEEDS=20000` runs more, `SEED=7` one alone. A failure is made short and printed with
//! the `SCRIPT=…` that repeats it.

mod common;
mod reference;

use common::Dice;
use reference::run::{Ran, Story};
use reference::script::{script_of_bytes, script_of_seed};
use reference::shrink::shrink;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};

/// How many scripts; `SEEDS` in the environment asks for more.
const SEEDS: u64 = 1_500;
const OPERATIONS: usize = 60;

/// Scripts that failed once, made short.
const FAILED_ONCE: [&str; 1] = [
    // The farewell of a context that has ended counts for no share of the one that connects next.
    "0,630000,7b,88b000000,7000000,0,c1000000,9,71,1d,a23e,c3d5",
];

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

#[test]
fn what_is_handed_out_is_what_the_model_allows() {
    if let Ok(script) = std::env::var("SCRIPT") {
        check(&script_of_text(&script), "script");
        return;
    }
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let (mut heard, mut lost, all) = (0, 0, seeds.end - seeds.start);
    for seed in seeds {
        let mut dice = Dice::new(seed);
        let ran = check(&script_of_seed(|| dice.roll(), OPERATIONS), &format!("SEED={seed}"));
        heard += ran.heard;
        lost += u64::from(ran.ways > 3_000);
    }
    assert!(heard > 0);
    assert!(lost * 50 <= all, "the model loses itself in {lost} of {all} scripts");
}

#[test]
fn what_failed_once_is_allowed() {
    for script in FAILED_ONCE {
        check(&script_of_text(script), "what failed once");
    }
}

#[test]
fn what_a_fuzzer_found_worth_keeping_is_allowed() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/operations");
    let mut heard = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        heard += check(&script_of_bytes(&std::fs::read(&path).unwrap()), &path.display().to_string()).heard;
    }
    assert!(heard > 0, "the corpus is not where it was");
}

fn script_of_text(script: &str) -> Vec<u64> {
    script.split(',').map(|number| u64::from_str_radix(number, 16).expect("hexadecimal numbers")).collect()
}

/// Runs a script; a failing one is made short and told.
fn check(script: &[u64], name: &str) -> Ran {
    let ran = |script: &[u64]| {
        let story = Story::default();
        (catch_unwind(AssertUnwindSafe(|| reference::run(script, &story))), story)
    };
    if let Ok(ran) = ran(script).0 {
        return ran;
    }
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let short = shrink(script.to_vec(), |script| ran(script).0.is_err());
    set_hook(hook);
    let numbers: Vec<_> = short.iter().map(|number| format!("{number:x}")).collect();
    eprintln!("{name} fails; made short:\nSCRIPT={}", numbers.join(","));
    let (ended, story) = ran(&short);
    story.borrow().iter().for_each(|line| eprintln!("  {line}"));
    match ended {
        Err(panic) => resume_unwind(panic),
        Ok(_) => panic!("{name} fails now and then"),
    }
}
