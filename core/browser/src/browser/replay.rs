//! The browser process's part in the replay of a scenario: which contexts are ready,
//! and when the scenario is over.

use super::{Browser, Later};
use crate::messages::{Call, Caller};
use crate::scenario::{CALL_PREFIX, Recorder, Scenario};
use crate::web::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long a scenario waits for documents to load.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long events may come in once the scenario is over.
const AFTERMATH: Duration = Duration::from_millis(80);

/// A scenario on its way.
#[derive(Debug)]
pub(super) struct Replay {
    scenario: Scenario,
    ready: BTreeSet<String>,
    waiting: Vec<Waiting>,
    /// Who waits until idle backgrounds other than its own are stopped.
    resting: Option<(Caller, u32)>,
    is_over: bool,
}

/// A background that waits until so many contexts are ready.
#[derive(Debug)]
struct Waiting {
    caller: Caller,
    call: u32,
    contexts: usize,
}

impl Replay {
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}

impl Browser {
    /// Replays a scenario: its events go to the recorder, its pages come from the server.
    pub(crate) fn replay(&mut self, scenario: Scenario, recorder: &Arc<Recorder>, server: Server) {
        /// Far from any number that a scenario posts.
        const FIRST_ID: u64 = 700_000_000;
        self.latest_tab = FIRST_ID;
        self.latest_frame = 2 * FIRST_ID;
        self.latest_document = FIRST_ID.into();
        self.web.serve(server);
        self.shared.recorder = Some(Arc::clone(recorder));
        self.shared.scenario_global = Some(scenario.global);
        self.replay = Some(Replay {
            scenario,
            ready: BTreeSet::new(),
            waiting: Vec::new(),
            resting: None,
            is_over: false,
        });
        // What a browser shows that has just started.
        self.open_tab_with(&Url::parse("about:blank").expect("a constant"), true);
    }

    /// Answers a call of the scenario's own functions.
    pub(super) fn answer_replay(&mut self, call: Call) {
        let Call { caller, number, method, arguments } = call;
        let Some(replay) = &mut self.replay else { return };
        let arguments: Vec<Value> = serde_json::from_str(&arguments).unwrap_or_default();
        let argument = || arguments.first().cloned().unwrap_or_default();
        let answer = match method.strip_prefix(CALL_PREFIX).unwrap_or_default() {
            "scenario" => json!({ "name": replay.scenario.name, "run": replay.scenario.run }),
            "expect" => {
                replay.ready.clear();
                Value::Null
            }
            "ready" => {
                replay.ready.insert(argument().as_str().unwrap_or_default().to_owned());
                self.tell_of_readiness();
                Value::Null
            }
            "waitReady" => {
                let contexts = argument().as_u64().and_then(|count| usize::try_from(count).ok());
                let contexts = contexts.unwrap_or_default();
                replay.waiting.push(Waiting { caller, call: number, contexts });
                let busy = self.shared.activity.begin();
                self.after(PATIENCE, Later::StopWaiting(number), busy);
                return self.tell_of_readiness();
            }
            "rest" => {
                replay.resting = Some((caller, number));
                return self.tell_of_rest();
            }
            "done" => {
                if let (Some(recorder), Some(report)) = (&self.shared.recorder, argument().as_str()) {
                    recorder.report(report);
                }
                let busy = self.shared.activity.begin();
                self.after(AFTERMATH, Later::EndReplay, busy);
                Value::Null
            }
            _ => Value::Null,
        };
        self.send_answer(&caller, number, Ok(answer.to_string()));
    }

    /// Tells who waits for contexts that are ready. It is behind what extensions hear of the pages, as it is where a
    /// server says it.
    pub(super) fn tell_of_readiness(&mut self) {
        if self.tabs.values().any(|open| !open.loading.is_empty()) {
            return;
        }
        let Some(replay) = &mut self.replay else { return };
        let ready = replay.ready.len();
        let (done, waiting) =
            std::mem::take(&mut replay.waiting).into_iter().partition(|waiting| ready >= waiting.contexts);
        replay.waiting = waiting;
        for Waiting { caller, call, .. } in done {
            self.send_answer(&caller, call, Ok("true".to_owned()));
        }
    }

    /// Tells who waits for the other backgrounds to be stopped, if they are.
    pub(super) fn tell_of_rest(&mut self) {
        let Some((caller, call)) = self.replay.as_ref().and_then(|replay| replay.resting) else { return };
        let mut others = self.extensions.iter().filter(|loaded| loaded.instance != caller.instance);
        if others.all(|loaded| !loaded.background.runs()) {
            if let Some(recorder) = &self.shared.recorder {
                recorder.record(r#""rested""#.to_owned());
            }
            self.replay.iter_mut().for_each(|replay| replay.resting = None);
            self.send_answer(&caller, call, Ok(String::new()));
        }
    }

    pub(super) fn stop_waiting(&mut self, call: u32) {
        let Some(replay) = &mut self.replay else { return };
        let found = replay.waiting.iter().position(|waiting| waiting.call == call);
        if let Some(Waiting { caller, call, .. }) = found.map(|at| replay.waiting.remove(at)) {
            self.send_answer(&caller, call, Ok("false".to_owned()));
        }
    }

    pub(super) fn end_replay(&mut self) {
        if let Some(replay) = &mut self.replay {
            replay.is_over = true;
        }
    }
}
