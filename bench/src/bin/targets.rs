//! Runs every benchmark, prints what its candidates took, and judges: near and far processors apart. Runs again
//! what has too few samples, until ten minutes are over, for the processors of a virtual machine move about.
//!
//! Exits with failure if a target is short, or was asked for and not measured.

use port_core_bench::allocation::Counting;
use port_core_bench::benchmark::{self, Benchmark, Pace};
use port_core_bench::report::{
    Findings, document, markdown, print_counts, print_results, print_verdicts, to_json,
};
use port_core_bench::sample::Distance;
use port_core_bench::targets::{TARGETS, Verdict, judge, lacking, occurred, unmeasured};
use port_core_bench::topology::Processors;
use port_core_bench::{end_to_end, memory};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USAGE: &str = "usage: targets [--only TARGET | --only PART-OF-A-BENCHMARK'S-NAME]… [--quick]
               [--json FILE] [--markdown] [--update DOCUMENT]…
  --only      T2, or 'one way': that alone
  --quick     fewer samples, and none again
  --json      writes everything found
  --markdown  prints tables for the documents at the end
  --update    puts them into a document, between the marks for them";

/// About three minutes for everything on a quiet machine, and not much more on a busy one.
const FULL: Pace = Pace { rounds: 21, least: 7, allowance: Duration::from_millis(1_300) };
/// When nothing is run again any more.
const LONGEST: Duration = Duration::from_secs(600);
const QUICK: Pace = Pace { rounds: 5, least: 3, allowance: Duration::from_millis(300) };

struct Arguments {
    only: Vec<String>,
    json: Option<String>,
    markdown: bool,
    update: Vec<String>,
    pace: Pace,
    quick: bool,
}

impl Arguments {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (only, update) = (Vec::new(), Vec::new());
        let mut read = Self { only, json: None, markdown: false, update, pace: FULL, quick: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => read.only.push(arguments.next()?),
                "--json" => read.json = Some(arguments.next()?),
                "--markdown" => read.markdown = true,
                "--update" => read.update.push(arguments.next()?),
                "--quick" => (read.pace, read.quick) = (QUICK, true),
                _ => return None,
            }
        }
        // Documents hold whole tables.
        (read.update.is_empty() || read.only.is_empty()).then_some(read)
    }

    /// Whether a target is asked for by name, or everything is.
    fn wants(&self, target: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only.eq_ignore_ascii_case(target))
    }

    fn includes(&self, benchmark: &Benchmark) -> bool {
        self.only.is_empty()
            || benchmark.targets.iter().any(|target| self.wants(target))
            || self.only.iter().any(|only| benchmark.name.contains(only.as_str()))
    }

    /// Targets asked for by name; what else can be judged, is.
    fn named(&self) -> Vec<&'static str> {
        TARGETS.into_iter().filter(|target| self.wants(target)).collect()
    }
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let Some(processors) = Processors::find() else {
        eprintln!("two processors are needed");
        return ExitCode::FAILURE;
    };
    let findings = find(&arguments, &processors);
    let named = arguments.named();
    let mut verdicts: Vec<Verdict> = judge(&findings);
    if !named.is_empty() {
        verdicts.retain(|verdict| named.contains(&verdict.target));
    }
    print_verdicts(&verdicts);
    let mut missing = unmeasured(&findings);
    if !named.is_empty() {
        missing.retain(|(target, _)| named.contains(target));
    }
    let known = |target| verdicts.iter().any(|verdict| verdict.target == target);
    missing.extend(named.iter().filter(|target| !known(**target)).map(|target| (*target, String::new())));
    for (target, benchmark) in &missing {
        println!("  {target:4} not measured {benchmark}");
    }
    for (target, benchmark, distance) in lacking(&findings) {
        if named.is_empty() || named.contains(&target) {
            println!("  {target:4} too few samples, {distance}: {benchmark}");
        }
    }
    for distance in [Distance::Near, Distance::Far] {
        if !findings.results.is_empty() && !occurred(&findings, distance) {
            println!("  processors that are {distance} did not occur");
        }
    }
    let good = missing.is_empty() && verdicts.iter().all(Verdict::is_met);
    match show(&arguments, &findings, &verdicts) {
        Ok(()) if good => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn find(arguments: &Arguments, processors: &Processors) -> Findings {
    let mut findings = Findings::default();
    // First, for a process that is started by a pinned thread is pinned too.
    if arguments.wants("T10") {
        match end_to_end::measure(&[]) {
            Ok(found) => findings.end_to_end = Some(found.median),
            Err(error) => eprintln!("{error}"),
        }
    }
    if ["T3", "T7", "T8", "T11", "T12"].iter().any(|target| arguments.wants(target)) {
        findings.counts = memory::counts();
        print_counts(&findings.counts);
    }
    let start = Instant::now();
    let mut benchmarks: Vec<Benchmark> =
        benchmark::all().into_iter().filter(|benchmark| arguments.includes(benchmark)).collect();
    let mut wanted: Vec<String> = benchmarks.iter().map(|benchmark| benchmark.name.clone()).collect();
    while !wanted.is_empty() {
        for benchmark in benchmarks.iter_mut().filter(|benchmark| wanted.contains(&benchmark.name)) {
            let (results, left_out) = benchmark.run(processors, arguments.pace);
            print_results(benchmark, &results, left_out);
            findings.enter(&benchmark.name, results);
            if start.elapsed() > LONGEST {
                break;
            }
        }
        if arguments.quick || start.elapsed() > LONGEST {
            break;
        }
        wanted = lacking(&findings).into_iter().map(|(_, benchmark, _)| benchmark).collect();
    }
    findings
}

/// Writes what was asked to be written.
fn show(arguments: &Arguments, findings: &Findings, verdicts: &[Verdict]) -> Result<(), String> {
    if let Some(path) = &arguments.json {
        fs::write(path, to_json(findings, verdicts)).map_err(|error| format!("{path}: {error}"))?;
    }
    let sections = markdown::sections(findings, verdicts);
    if arguments.markdown {
        for (name, text) in &sections {
            println!("\n<!-- measured: {name} -->\n{text}<!-- end -->");
        }
    }
    for path in &arguments.update {
        let old = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let new = document::renewed(&old, "measured", &sections)
            .ok_or_else(|| format!("{path}: a mark is wrong"))?;
        fs::write(path, new).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}
