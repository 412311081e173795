//! Replaying scenarios that were recorded in real browsers: each runs in a browser of
//! its own, and what its contexts saw is written down in the form of the recordings.

mod arguments;
mod site;
mod suite;

pub(crate) use arguments::{HELP, TraceArguments};
pub(crate) use site::serve;

use crate::arguments::Arguments;
use crate::browser::Browser;
use crate::launch::Launch;
use crate::log::Log;
use crate::quickjs::Evaluator;
use crate::scenario::{Recorded, Recorder, Scenario};
use port_core_webext::Profile;
use site::{HOST, ORIGIN};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use suite::{Sleeper, Suite};

const FINISH: &str = include_str!("finish.js");

/// What makes the global by which the functions around a scenario reach the browser process.
const REPLAY: &str = include_str!("replay.js");

/// What the names of scenarios begin with that have a second extension, the sleeper.
const WITH_SLEEPER: [&str; 2] = ["dormant_", suite::OF_WEB_PAGES];

/// After how long its background is stopped.
const IDLE: Duration = Duration::from_millis(1_000);

/// How a scenario ended.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// Its name.
    pub(crate) name: String,
    /// The trace, in the form of the recordings; or why there is none.
    pub(crate) trace: Result<String, String>,
    /// What the scenario threw, or that it took too long.
    pub(crate) error: Option<String>,
}

/// Replays the scenarios that the arguments name and writes their traces; says
/// whether all of them got to their end.
pub(crate) fn run(arguments: &TraceArguments) -> bool {
    let written = fs::create_dir_all(&arguments.out).map_err(|error| error.to_string()).and_then(|()| {
        replay(
            &arguments.scenarios,
            arguments.profile,
            &arguments.only,
            arguments.launch.as_ref(),
            |replayed| {
                let path = arguments.out.join(format!("{}.json", replayed.name));
                let written = match &replayed.trace {
                    Ok(trace) => {
                        fs::write(&path, trace).map_err(|error| format!("{}: {error}", path.display()))
                    }
                    Err(error) => Err(error.clone()),
                };
                let error = written.err().or_else(|| replayed.error.clone());
                match &error {
                    None => println!("{}", replayed.name),
                    Some(error) => {
                        println!("{}: {}", replayed.name, error.lines().next().unwrap_or_default());
                    }
                }
                error.is_none()
            },
        )
    });
    match written {
        Ok((errors, went_well)) => {
            errors.iter().for_each(|error| eprintln!("browser: {error}"));
            went_well && errors.is_empty()
        }
        Err(error) => {
            eprintln!("browser: {error}");
            false
        }
    }
}

/// Replays the scenarios of a folder whose names begin with one of `only`, several at a
/// time, and hands each to `take`. Gives what is wrong with files of the folder, and
/// whether `take` was content with all.
pub(crate) fn replay(
    folder: &Path,
    profile: Profile,
    only: &[String],
    launch: Option<&Launch>,
    take: impl Fn(Replayed) -> bool + Sync,
) -> Result<(Vec<String>, bool), String> {
    let mut suite = Suite::read(folder, profile)?;
    let mut names = std::mem::take(&mut suite.names);
    names.retain(|name| only.is_empty() || only.iter().any(|prefix| name.starts_with(prefix.as_str())));
    let next = AtomicUsize::new(0);
    let failed = AtomicUsize::new(0);
    // Scenarios mostly wait.
    let at_a_time = thread::available_parallelism().map_or(2, usize::from).clamp(1, 8) * 3;
    thread::scope(|scope| {
        for _ in 0..at_a_time.min(names.len()) {
            scope.spawn(|| {
                // ORDERING: only numbers are handed out.
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !take(replay_one(&suite, name, profile, launch.cloned())) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Ok((suite.errors, failed.into_inner() == 0))
}

fn replay_one(suite: &Suite, name: &str, profile: Profile, launch: Option<Launch>) -> Replayed {
    let scenario =
        Scenario { name: name.to_owned(), run: format!("{name}.replayed1"), global: ("replay", REPLAY) };
    let recorder = Arc::new(Recorder::default());
    let mut extensions = vec![suite.extension()];
    let sleeper = WITH_SLEEPER
        .iter()
        .any(|begin| name.starts_with(begin))
        .then(|| suite.sleeper(name, profile))
        .transpose();
    let sleeper = match sleeper {
        Ok(sleeper) => sleeper,
        Err(error) => {
            let name = name.to_owned();
            return Replayed { name, trace: Err(error.clone()), error: Some(error) };
        }
    };
    let sleeper_id = sleeper.as_ref().map(|sleeper| sleeper.id.clone());
    let idle = sleeper.is_some().then_some(IDLE);
    if let Some(Sleeper { driver, own, .. }) = sleeper {
        extensions = vec![driver, own];
    }
    let arguments = Arguments::for_scenario(extensions, profile, idle, launch);
    let mut browser = Browser::new(&arguments, Arc::new(Log::to_nobody()));
    browser.replay(scenario.clone(), &recorder, serve);
    browser.load_extensions(arguments.extensions);
    let summary = browser.run();
    let recorded = recorder.take();
    let failure = match (&recorded.report, summary.was_stopped()) {
        (Some(_), _) => None,
        (None, true) => Some("the scenario took too long"),
        (None, false) => Some("the scenario never began"),
    };
    let trace = finish(&scenario, profile, sleeper_id.as_deref(), &recorded, failure);
    let report =
        recorded.report.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let thrown = report.and_then(|report| report["error"].as_str().map(str::to_owned));
    Replayed { name: name.to_owned(), trace, error: failure.map(str::to_owned).or(thrown) }
}

/// Makes the file of a trace.
fn finish(
    scenario: &Scenario,
    profile: Profile,
    sleeper: Option<&str>,
    recorded: &Recorded,
    failure: Option<&str>,
) -> Result<String, String> {
    let about = serde_json::json!({
        "scenario": scenario.name,
        "run": scenario.run,
        "browser": profile.user_agent(),
        "base": ORIGIN,
        "host": HOST,
        "sleeper": sleeper,
    });
    let arguments = serde_json::json!([about, recorded.events, recorded.report, failure]);
    Evaluator::new()?.call(FINISH, &arguments)
}
