//! Measures messaging from script to script: real extension code (`extension/`) in this
//! browser, beside what the same work takes in Chromium and Firefox.

mod arguments;
mod heap;
mod processor;
mod report;
mod sample;

pub(crate) use arguments::{BenchArguments, HELP};

use crate::arguments::{Arguments, UserAction};
use crate::browser::Browser;
use crate::folder::Folder;
use crate::launch::Launch;
use crate::log::{Event, Log};
use crate::web::Page;
use port_core_webext::Profile;
use report::Report;
use sample::{Answer, Sample};
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

const EXTENSION: &[(&str, &str)] = &[
    ("manifest.json", include_str!("extension/manifest.json")),
    ("background.js", include_str!("extension/background.js")),
    ("content.js", include_str!("extension/content.js")),
];

/// The page of one frame in which content scripts run.
const ONE: &str = "https://bench.example.com/one";

/// The page with ten.
const TEN: &str = "https://bench.example.com/ten";

/// Browsers whose memory is looked at. It hardly varies.
const MEMORY_SAMPLES: usize = 3;

/// Measures and prints, and writes the file that was asked for; says whether all went well.
pub(crate) fn run(arguments: &BenchArguments) -> bool {
    let report = match measure(arguments.profile, arguments.samples, arguments.launch.as_ref()) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("browser: {error}");
            return false;
        }
    };
    print!("{report}");
    let Some(path) = &arguments.json else { return true };
    let written = fs::write(path, format!("{}\n", report.to_json()));
    written.inspect_err(|error| eprintln!("browser: {}: {error}", path.display())).is_ok()
}

/// Takes samples of everything.
pub(crate) fn measure(profile: Profile, samples: usize, launch: Option<&Launch>) -> Result<Report, String> {
    // One more, in which everything is new.
    let mut taken = Sample::all_of(answers(profile, samples + 1, "", launch)?);
    if taken.len() != samples + 1 {
        return Err(format!("{} of {} samples came", taken.len(), samples + 1));
    }
    taken.remove(0);
    let memory = (0..samples.min(MEMORY_SAMPLES))
        .map(|_| bytes_per_idle_port(profile, launch))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Report::new(profile, taken, memory.into_iter().flatten().collect()))
}

/// The heap that an idle port takes, of both ends together, in a browser of its own.
fn bytes_per_idle_port(profile: Profile, launch: Option<&Launch>) -> Result<Option<f64>, String> {
    match answers(profile, 1, "#memory", launch)?[..] {
        [Answer::Memory { bytes: before, ports: 0 }, Answer::Memory { bytes: after, ports }] => {
            let bytes = before.zip(after).map(|(before, after)| after as f64 - before as f64);
            Ok(bytes.map(|bytes| bytes / f64::from(ports)))
        }
        _ => Err("the ports did not open".to_owned()),
    }
}

/// Runs the extension, with that many clicks on its button, and gives what it answers.
fn answers(
    profile: Profile,
    clicks: usize,
    fragment: &str,
    launch: Option<&Launch>,
) -> Result<Vec<Answer>, String> {
    let arguments = Arguments {
        extensions: Vec::new(),
        pages: pages(fragment),
        actions: (0..clicks).map(|_| UserAction::Click).collect(),
        profile,
        message_bytes: None,
        // An end for a run that hangs.
        idle: None,
        unanswered: None,
        time: Duration::from_secs(600),
        messages: 0,
        launch: launch.cloned(),
        quiet: true,
        json: true,
    };
    let taken = Arc::new(Mutex::new((Vec::new(), None)));
    let log = Log::to_listener({
        let taken = Arc::clone(&taken);
        move |event| {
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Console { text, .. } => match Answer::read(text) {
                    Ok(answer) => taken.0.push(answer),
                    Err(error) => taken.1 = Some(format!("{error}: {text}")),
                },
                Event::Error { message, .. } => taken.1 = Some((*message).to_owned()),
                _ => {}
            }
        }
    });
    let mut browser = Browser::new(&arguments, Arc::new(log));
    browser.load_extensions(vec![Folder::embedded("bench", EXTENSION)]);
    let summary = browser.run();
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    match taken.1.take() {
        Some(error) => Err(error),
        None if summary.was_stopped() => Err("the measurement took too long".to_owned()),
        None => Ok(std::mem::take(&mut taken.0)),
    }
}

fn pages(fragment: &str) -> Vec<Page> {
    let page = |url: &str| Page::new(Url::parse(url).expect("a constant"));
    let frames = (1..=10).map(|number| page(&format!("https://bench.example.com/frame/{number}")));
    vec![page(&format!("{ONE}{fragment}")), Page { frames: frames.collect(), ..page(TEN) }]
}

#[cfg(test)]
mod tests {
    use super::measure;
    use port_core_webext::Profile;
    use std::process::Command;

    /// In a process of its own, for the heap is the whole process's, and so is the processor's time.
    #[test]
    fn every_question_is_answered() {
        const ALONE: &str = "PORT_CORE_BENCH_ALONE";
        if std::env::var_os(ALONE).is_some() {
            return expect_every_answer();
        }
        let this = std::env::current_exe().expect("the path of the tests");
        let test = "bench::tests::every_question_is_answered";
        let alone = Command::new(this).args([test, "--exact", "--nocapture"]).env(ALONE, "1").output();
        let output = alone.expect("the tests run again");
        let text =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    fn expect_every_answer() {
        let report = measure(Profile::Chromium, 1, None).expect("all answers");
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
        for (name, least) in [
            ("/round_trip_us/mean", 0.1),
            ("/round_trip_us/p50", 0.1),
            ("/round_trip_us/p99", 0.1),
            ("/one_way_per_second", 1.0),
            ("/large_megabytes_per_second", 0.01),
            ("/connects_per_second", 1.0),
            ("/fan_out_per_second", 1.0),
        ] {
            let value = json.pointer(name).and_then(serde_json::Value::as_f64);
            assert!(value.is_some_and(|value| value > least), "{name}: {json}");
            // Of one sample.
            let range =
                ["least", "greatest"].map(|end| json[end].pointer(name).and_then(serde_json::Value::as_f64));
            assert_eq!(range, [value; 2], "{name}: {json}");
        }
        assert_eq!((&json["profile"], &json["samples"]), (&"chromium".into(), &1.into()));
        if cfg!(target_os = "linux") {
            for question in ["round_trip", "one_way", "large", "connect", "fan_out"] {
                assert!(json["processor_us"][question].is_f64(), "{question}: {json}");
            }
        }
        if cfg!(all(target_os = "linux", target_env = "gnu")) {
            assert!(json["bytes_per_idle_port"].as_f64().is_some_and(|bytes| bytes > 500.0), "{json}");
        }
        let text = report.to_string();
        assert!(text.contains("round trip") && text.contains("834"), "{text}");
    }
}
