//! Scenarios that were recorded in Chromium and Firefox, replayed under the profile of each.

use super::agreement::difference;
use crate::launch::Launch;
use crate::trace::replay;
use port_core_webext::Profile;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A thread that is kept waiting by other programs may miss what a scenario waits for.
const TRIES: usize = 3;

/// Scenarios that need not agree under a profile, with the reason.
const EXCUSED: [(&str, &[Profile], &str); 3] = [
    (
        "q14c_order_reload",
        &[Profile::Chromium, Profile::Firefox],
        "it logs the number of a frame that came after the recorder had looked the frames up, another one in each run",
    ),
    (
        "page_causality",
        &[Profile::Chromium, Profile::Firefox],
        "the order between two senders is not promised, see docs/behaviour.md",
    ),
    (
        "f01_payload_types",
        &[Profile::Chromium],
        "it posts the global object, and so the names of all scenarios that the recording knew",
    ),
];

/// Replays a folder's scenarios; gives what differs from the recordings, by scenario.
fn differences(
    scenarios: &Path,
    traces: &Path,
    profile: Profile,
    launch: Option<&Launch>,
) -> BTreeMap<String, String> {
    let mut wrong = BTreeMap::new();
    for turn in 0..TRIES {
        let only: Vec<String> = wrong.keys().cloned().collect();
        if turn > 0 && only.is_empty() {
            break;
        }
        let found = Mutex::new(BTreeMap::new());
        let (errors, _) = replay(scenarios, profile, &only, launch, |replayed| {
            let path = traces.join(profile.name()).join(format!("{}.json", replayed.name));
            let difference = match (fs::read_to_string(&path), &replayed.trace) {
                (Ok(recorded), Ok(produced)) => difference(&recorded, produced),
                (Err(error), _) => Some(format!("{}: {error}", path.display())),
                (_, Err(error)) => Some(error.clone()),
            };
            let excused = EXCUSED
                .iter()
                .any(|(name, profiles, _)| *name == replayed.name && profiles.contains(&profile));
            let mut found = found.lock().expect("no thread panics");
            found.extend(difference.filter(|_| !excused).map(|difference| (replayed.name, difference)));
            true
        })
        .expect("the folder can be read");
        assert!(errors.is_empty(), "{errors:?}");
        wrong = found.into_inner().expect("no thread panics");
    }
    wrong
}

/// Replays a folder under both profiles, one after the other, and one folder after the other: scenarios wait in real
/// time, and machines have few processors.
fn expect_agreement(scenarios: &Path, traces: &Path, launch: Option<&Launch>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for profile in [Profile::Chromium, Profile::Firefox] {
        let wrong = differences(scenarios, traces, profile, launch);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", profile.name());
    }
}

#[test]
fn our_scenarios_come_out_as_recorded() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    expect_agreement(&scenarios, &scenarios.join("traces"), None);
}

/// The same with each site, and the extension, in a process of its own.
#[cfg(unix)]
#[test]
fn our_scenarios_come_out_as_recorded_across_processes() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    expect_agreement(&scenarios, &scenarios.join("traces"), Some(&super::processes::launch()));
}

/// A set of scenarios that is not ours lies beside the workspace on some machines.
#[test]
fn given_scenarios_come_out_as_recorded() {
    let given: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    if given.exists() {
        expect_agreement(&given.join("scenarios"), &given.join("traces"), None);
    }
    // The second set has messages of 64 MiB, which take an engine that is not optimised minutes.
    if given.join("scenarios-2").exists() && !cfg!(debug_assertions) {
        expect_agreement(&given.join("scenarios-2"), &given.join("traces-2"), None);
    }
}

/// One that throws and one that takes too long have their errors in their traces; the
/// others, and those of files that can be read, run all the same.
#[test]
fn a_scenario_that_fails_keeps_no_other_from_running() {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios/record/harness.js");
    let folder = std::env::temp_dir().join(format!("port-core-replay-{}", std::process::id()));
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a writable folder");
    fs::create_dir_all(&folder).expect("a writable folder");
    write("harness.js", &fs::read_to_string(harness).expect("a harness"));
    write("broken.js", "scenario(");
    write(
        "fine.js",
        "scenario('throws', { async bg(t) { t.log('before'); throw new Error('on purpose'); } });
         scenario('waits', { timeout: 50, async bg(t) { await t.wait(10_000); } });
         scenario('skipped', { skip: () => true, async bg(t) {} });
         scenario('works', { cs(t) { t.log('here'); }, async bg(t) { await t.open({ frames: 1 }); t.log('there'); } });
         scenario('works too', { cs() { throw new Error('in a frame'); }, async bg(t) {
             Promise.reject(new Error('by nobody')); setTimeout(() => { throw new Error('in a timer'); }, 0);
             await t.open({ noWait: true }); t.log('said', { ready: await t.ready(0), other: await t.j('/other'), arg: typeof t.arg });
         } });
         scenario('left out', { async bg(t) {} });",
    );
    let replayed = Mutex::new(BTreeMap::new());
    let only = ["throws", "waits", "skipped", "works"].map(str::to_owned);
    let result = replay(&folder, Profile::Chromium, &only, None, |done| {
        replayed.lock().expect("no thread panics").insert(done.name, (done.trace, done.error.clone()));
        done.error.is_none()
    });
    let _ = fs::remove_dir_all(&folder);

    let (errors, went_well) = result.expect("the folder can be read");
    assert!(matches!(&errors[..], [error] if error.starts_with("broken.js: ")), "{errors:?}");
    assert!(!went_well);
    let replayed = replayed.into_inner().expect("no thread panics");
    assert_eq!(replayed.keys().collect::<Vec<_>>(), ["skipped", "throws", "waits", "works", "works too"]);
    let run = |name: &str| -> serde_json::Value {
        let trace = replayed[name].0.as_ref().expect("a trace");
        serde_json::from_str::<serde_json::Value>(trace).expect("JSON")["runs"][0].clone()
    };
    let error = |name: &str| run(name)["error"].as_str().unwrap_or_default().to_owned();
    assert!(error("throws").starts_with("Error: on purpose"));
    assert_eq!(run("throws")["events"][0]["ev"], "before");
    assert!(error("waits").starts_with("Error: TIMEOUT"));
    assert_eq!((error("skipped").as_str(), &run("skipped")["skipped"]), ("", &true.into()));
    assert_eq!((error("works too").as_str(), &run("works too")["events"][0]["ready"]["ok"]), ("", &1.into()));
    let events = run("works")["events"].as_array().expect("events").clone();
    let seen: std::collections::BTreeSet<&str> =
        events.iter().filter_map(|event| event["ctx"].as_str()).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["bg", "f1", "top"]);
    assert_eq!((error("works"), replayed["works"].1.clone()), (String::new(), None));
}
