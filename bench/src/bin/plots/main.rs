//! Draws cost against size, as SVG for the documents.
//!
//! `plots [--only PART-OF-A-NAME] [--quick] [--out DIRECTORY]`

mod chart;
mod scale;

use chart::Chart;
use port_core_bench::allocation::Counting;
use port_core_bench::benchmark::Pace;
use port_core_bench::topology::Processors;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FULL: Pace = Pace { rounds: 11, least: 5, allowance: Duration::from_millis(500) };
const QUICK: Pace = Pace { rounds: 3, least: 1, allowance: Duration::from_millis(100) };

/// With whom, and how patiently, a chart's figures are found.
struct Bench {
    processors: Processors,
    pace: Pace,
}

type Draw = fn(&Bench) -> Chart;

/// Every chart, by the name of its file.
const CHARTS: [(&str, Draw); 6] = [
    ("ports", scale::ports),
    ("event-loops", scale::event_loops),
    ("idle-lanes", scale::idle_lanes),
    ("fan-out", scale::fan_out),
    ("message-size", scale::message_size),
    ("burst", scale::burst),
];

fn main() -> ExitCode {
    match draw(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let usage = || "usage: plots [--only PART-OF-A-NAME] [--quick] [--out DIRECTORY]".to_owned();
    let processors = Processors::find().ok_or("two processors are needed")?;
    let mut bench = Bench { processors, pace: FULL };
    let mut only = String::new();
    let mut out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/plots");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--only" => only = arguments.next().ok_or_else(usage)?,
            "--out" => out = PathBuf::from(arguments.next().ok_or_else(usage)?),
            "--quick" => bench.pace = QUICK,
            _ => return Err(usage()),
        }
    }
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    for (name, find) in CHARTS {
        if name.contains(&only) {
            let path = out.join(name).with_extension("svg");
            find(&bench).draw(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            println!("{}", path.display());
        }
    }
    Ok(())
}
