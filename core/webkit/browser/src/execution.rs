//! `scripting.executeScript` and `tabs.executeScript`.

use crate::api::{Caller, read};
use crate::browser::Browser;
use crate::facts::ShownFrame;
use crate::gateway::PageKey;
use port_core::{FrameId, TabId};
use port_core_webext::{Profile, TabInfo};
use port_core_webkit_inside::control::{Code, ToPage};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What runs in pages and was not answered.
#[derive(Default)]
pub(crate) struct Executions {
    /// By the number that the page answers under: the page, the call, and the place of the result in it.
    running: HashMap<u32, (PageKey, u64, usize)>,
    calls: HashMap<u64, Running>,
}

struct Running {
    caller: Caller,
    frames: Vec<ShownFrame>,
    results: Vec<Option<Result<Option<String>, String>>>,
    answered: Answered,
}

/// What the answer to a call is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// A result of each frame.
    Results,
    /// The values alone, as of `tabs.executeScript`.
    Values,
    /// Nothing.
    Nothing,
}

impl Executions {
    /// How many calls wait for answers.
    pub(crate) fn count(&self) -> usize {
        self.calls.len()
    }
}

impl Browser {
    /// Starts what a call asks for; the answer is sent once all frames have run it.
    pub(crate) fn execute(
        &self,
        caller: &Caller,
        namespace: &str,
        arguments: Vec<Value>,
    ) -> Result<(), String> {
        let mut arguments = arguments.into_iter();
        let is_plain = namespace == "tabs";
        let (tab, details) = if is_plain {
            let tab = self.tab_or_active(read(&mut arguments)?)?;
            (tab, arguments.next().unwrap_or_default())
        } else {
            let injection = arguments.next().unwrap_or_default();
            (self.tab(injection["target"]["tabId"].as_u64().unwrap_or_default())?, injection)
        };
        let target = if is_plain { &details } else { &details["target"] };
        let frames = self.frames_for(caller, &tab, target)?;
        let extension = &caller.known.extension;
        let file = |name: &str| {
            extension.injected_file(name).map(|script| (script.url.to_string(), script.text.to_string()))
        };
        let code = match (&details["func"], &details["files"], &details["code"], &details["file"]) {
            (Value::String(function), ..) => {
                let given = match &details["args"] {
                    Value::Null => json!([]),
                    given => given.clone(),
                };
                Code::Function(function.clone(), given.to_string())
            }
            (_, Value::Array(files), ..) => {
                let files = files.iter().filter_map(Value::as_str).map(file);
                Code::Scripts(files.collect::<Result<_, _>>()?)
            }
            (_, _, Value::String(code), _) => {
                Code::Scripts(vec![("<injected code>".to_owned(), code.clone())])
            }
            (.., Value::String(name)) => Code::Scripts(vec![file(name)?]),
            _ => return Err("Exactly one of 'func' and 'files' must be specified".to_owned()),
        };
        let in_pages_world = details["world"] == "MAIN";
        let answered = if is_plain { Answered::Values } else { Answered::Results };
        self.run_in(caller, frames, answered, in_pages_world, &code)
    }

    /// Has frames run something; the answer is sent once all have.
    pub(crate) fn run_in(
        &self,
        caller: &Caller,
        frames: Vec<ShownFrame>,
        answered: Answered,
        in_pages_world: bool,
        code: &Code,
    ) -> Result<(), String> {
        let call = self.new_number();
        let results = frames.iter().map(|_| None).collect();
        let known = Running { caller: caller.clone(), frames: frames.clone(), results, answered };
        self.executions.borrow_mut().calls.insert(call, known);
        for (index, frame) in frames.iter().enumerate() {
            let number = u32::try_from(self.new_number()).map_err(|_| "too many executions")?;
            self.executions.borrow_mut().running.insert(number, (frame.page, call, index));
            if !matches!(code, Code::Style { .. }) {
                self.facts.borrow_mut().allow(frame.page, frame.number, caller.known.instance);
            }
            self.tell_page(
                frame.page,
                &ToPage::Execute {
                    number,
                    document: frame.number,
                    extension: caller.known.extension.id().to_string(),
                    in_pages_world,
                    code: code.clone(),
                },
            );
        }
        self.finish_execution(call);
        Ok(())
    }

    /// The frames of a tab that a call is about, all of which its extension may touch.
    pub(crate) fn frames_for(
        &self,
        caller: &Caller,
        tab: &TabInfo,
        target: &Value,
    ) -> Result<Vec<ShownFrame>, String> {
        let frames = self.targets(tab.id, target)?;
        let extension = &caller.known.extension;
        for frame in &frames {
            let site = frame.maker.as_ref().unwrap_or(&frame.url);
            let granted = tab.granted.contains(extension.id()) || extension.owns(&frame.url);
            if !granted && !extension.manifest().hosts().any(|host| host.matches(site)) {
                return Err(match self.profile {
                    Profile::Chromium => {
                        "Cannot access contents of the page. Extension manifest must request permission to access the respective host."
                    }
                    Profile::Firefox => "Missing host permission for the tab",
                }
                .to_owned());
            }
        }
        Ok(frames)
    }

    fn targets(&self, tab: TabId, target: &Value) -> Result<Vec<ShownFrame>, String> {
        let all = self.facts.borrow().frames_of(tab);
        let list = |name: &str| target[name].as_array();
        if let Some(ids) = list("frameIds") {
            let find = |id: &Value| {
                let found = all.iter().find(|frame| Some(frame.frame.get()) == id.as_u64()).cloned();
                found.ok_or_else(|| match self.profile {
                    Profile::Chromium => format!("No frame with id {id} in tab with id {tab}"),
                    Profile::Firefox => format!("Invalid frame IDs: [{id}]."),
                })
            };
            return ids.iter().map(find).collect();
        }
        if let Some(ids) = list("documentIds") {
            let is_wanted =
                |frame: &ShownFrame| ids.contains(&self.profile.show_document(frame.document).into());
            return Ok(all.into_iter().filter(is_wanted).collect());
        }
        let one = target["frameId"].as_u64().map_or(FrameId::TOP, FrameId::new);
        let is_wanted = |frame: &ShownFrame| target["allFrames"] == true || frame.frame == one;
        Ok(all.into_iter().filter(is_wanted).collect())
    }

    /// A page ran something, or says so.
    pub(crate) fn executed(&self, page: PageKey, number: u32, outcome: Result<Option<String>, String>) {
        let known = self.executions.borrow().running.get(&number).copied();
        let Some((holder, call, index)) = known else { return };
        if holder != page {
            return;
        }
        {
            let executions = &mut *self.executions.borrow_mut();
            executions.running.remove(&number);
            if let Some(running) = executions.calls.get_mut(&call) {
                running.results[index] = Some(outcome);
            }
        }
        self.finish_execution(call);
    }

    /// A page is gone, with what ran in it.
    pub(crate) fn fail_executions_of(&self, page: PageKey) {
        let lost: Vec<u32> = {
            let executions = self.executions.borrow();
            let lost = executions.running.iter().filter(|(_, (holder, ..))| *holder == page);
            lost.map(|(number, _)| *number).collect()
        };
        lost.into_iter()
            .for_each(|number| self.executed(page, number, Err("the frame was removed".to_owned())));
    }

    fn finish_execution(&self, call: u64) {
        let done = {
            let executions = &mut *self.executions.borrow_mut();
            let is_done =
                executions.calls.get(&call).is_some_and(|call| call.results.iter().all(Option::is_some));
            if is_done { executions.calls.remove(&call) } else { None }
        };
        let Some(Running { caller, frames, results, answered }) = done else { return };
        let is_plain = answered != Answered::Results;
        let value = |json: Option<String>| json.and_then(|json| serde_json::from_str::<Value>(&json).ok());
        let mut shown = Vec::new();
        for (frame, result) in frames.iter().zip(results.into_iter().flatten()) {
            let result = match result {
                Ok(result) => value(result),
                Err(error) if is_plain || self.profile == Profile::Chromium && frames.len() == 1 => {
                    return self.send_answer(&caller, Err(error));
                }
                Err(_) => None,
            };
            shown.push(if is_plain {
                result.unwrap_or_default()
            } else {
                let document = self.profile.show_document(frame.document);
                json!({ "frameId": frame.frame.get(), "documentId": document, "result": result })
            });
        }
        let is_answered = answered != Answered::Nothing;
        self.send_answer(&caller, Ok(is_answered.then(|| shown.into())));
    }
}
