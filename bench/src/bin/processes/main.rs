//! Measures messages between renderer processes, by way of the browser's: beside a process that only copies bytes,
//! the raw socket, `ipc-channel` and the core within one process, in turn and in one run; and from script to script in
//! the example browser, which needs cargo. Prints what each took, and judges the ratios.
//!
//! Exits with failure if something is short of what is wanted, or was not measured.

mod children;
mod exact;
mod judge;
mod kills;
mod rivals;
mod roles;
mod scene;
mod scripts;

use judge::Verdicts;
use port_core_bench::allocation::Counting;
use port_core_bench::report::machine;
use std::env;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USAGE: &str = "usage: processes [--samples COUNT] [--kills COUNT] [--quick] [--update DOCUMENT]
  --samples   samples of each, in turn (default 11)
  --kills     how many renderers are killed (default 1,000)
  --quick     few and short samples, to see that it runs
  --update    puts what was found into a document, between the marks for it";

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Pace {
    samples: usize,
    /// Samples of the example browser.
    scripts: usize,
    kills: usize,
    /// Round trips of a sample.
    round_trips: usize,
    /// Messages one way of a sample.
    messages: usize,
}

const FULL: Pace = Pace { samples: 11, scripts: 11, kills: 1_000, round_trips: 2_000, messages: 200_000 };
const QUICK: Pace = Pace { samples: 3, scripts: 1, kills: 20, round_trips: 100, messages: 5_000 };

/// How much is measured, and the document to put it into.
fn read(arguments: impl Iterator<Item = String>) -> Option<(Pace, Option<String>)> {
    let arguments: Vec<String> = arguments.collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let (mut pace, mut document) = (if is_quick { QUICK } else { FULL }, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let count = |text: Option<String>| text?.parse().ok().filter(|&count| count > 0);
        match argument.as_str() {
            "--samples" => {
                pace.samples = count(arguments.next())?;
                pace.scripts = pace.samples;
            }
            "--kills" => pace.kills = count(arguments.next())?,
            "--quick" => {}
            "--update" => document = Some(arguments.next()?),
            _ => return None,
        }
    }
    // Documents hold what a full run found.
    (document.is_none() || !is_quick).then_some((pace, document))
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if env::args().nth(1).as_deref() == Some(children::ROLE) {
        let (_, role) = (arguments.next(), arguments.next());
        roles::play(&role.unwrap_or_default(), arguments.next());
        return ExitCode::SUCCESS;
    }
    let Some((pace, document)) = read(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut verdicts = Verdicts::default();
    // Before it, not with what the measurement itself adds.
    let load = load();
    println!("load: {load}");
    verdicts.circumstances = vec![
        machine(),
        format!("load {load} at the beginning; {} samples of each in turn, median and range", pace.samples),
    ];
    exact::measure(&mut verdicts);
    scene::measure(pace, &mut verdicts);
    kills::measure(pace, &mut verdicts);
    scripts::measure(pace, &mut verdicts);
    if let Some(Err(error)) = document.map(|document| verdicts.write_into(&document)) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    verdicts.finish()
}
