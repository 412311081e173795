//! Scenarios that were recorded in Chromium and Firefox, replayed under the profile of each.

use super::agreement::difference;
use crate::profile::Profile;
use crate::trace::replay;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A thread that is kept waiting by other programs may miss what a scenario waits for.
const TRIES: usize = 3;

/// Scenarios that need not agree under a profile, with the reason.
const EXCUSED: [(&str, &[Profile], &str); 2] = [
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
fn differences(scenarios: &Path, traces: &Path, profile: Profile) -> BTreeMap<String, String> {
    let mut wrong = BTreeMap::new();
    for turn in 0..TRIES {
        let only: Vec<String> = wrong.keys().cloned().collect();
        if turn > 0 && only.is_empty() {
            break;
        }
        let found = Mutex::new(BTreeMap::new());
        let (errors, _) = replay(scenarios, profile, &only, |replayed| {
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

/// Replays a folder under both profiles. One test does so for one folder, one profile
/// after the other: scenarios wait in real time, and machines have few processors.
fn expect_agreement(scenarios: &Path, traces: &Path) {
    for profile in [Profile::Chromium, Profile::Firefox] {
        let wrong = differences(scenarios, traces, profile);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", profile.name());
    }
}

#[test]
fn our_scenarios_come_out_as_recorded() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    expect_agreement(&scenarios, &scenarios.join("traces"));
}

/// A set of scenarios that is not ours lies beside the workspace on some machines.
#[test]
fn given_scenarios_come_out_as_recorded() {
    let given: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance");
    if given.exists() {
        expect_agreement(&given.join("scenarios"), &given.join("traces"));
    }
}
