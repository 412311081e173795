//! Measures messages between renderer processes, by way of the browser's: beside a process that only copies bytes,
//! the raw socket, `ipc-channel` and the core within one process, in turn and in one run. Prints what each took, and
//! judges the ratios.
//!
//! Exits with failure if a ratio is short of what is wanted.

mod children;
mod exact;
mod judge;
mod kills;
mod rivals;
mod roles;
mod scene;

use judge::Verdicts;
use port_core_bench::allocation::Counting;
use std::env;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USAGE: &str = "usage: processes [--samples COUNT] [--kills COUNT] [--quick]
  --samples   samples of each, in turn (default 11)
  --kills     how many renderers are killed (default 20)
  --quick     short samples, to see that it runs";

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Pace {
    samples: usize,
    kills: usize,
    /// Round trips of a sample.
    round_trips: usize,
    /// Messages one way of a sample.
    messages: usize,
}

fn pace(mut arguments: impl Iterator<Item = String>) -> Option<Pace> {
    let mut pace = Pace { samples: 11, kills: 20, round_trips: 2_000, messages: 200_000 };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--samples" => pace.samples = arguments.next()?.parse().ok().filter(|&count| count > 0)?,
            "--kills" => pace.kills = arguments.next()?.parse().ok().filter(|&count| count > 0)?,
            "--quick" => pace = Pace { round_trips: 100, messages: 5_000, ..pace },
            _ => return None,
        }
    }
    Some(pace)
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if env::args().nth(1).as_deref() == Some(children::ROLE) {
        let (_, role) = (arguments.next(), arguments.next());
        roles::play(&role.unwrap_or_default(), arguments.next());
        return ExitCode::SUCCESS;
    }
    let Some(pace) = pace(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load: {}", load.trim());
    let mut verdicts = Verdicts::default();
    exact::measure(&mut verdicts);
    scene::measure(pace, &mut verdicts);
    kills::measure(pace, &mut verdicts);
    verdicts.finish()
}
