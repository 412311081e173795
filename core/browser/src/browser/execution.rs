//! `scripting.executeScript` and `webNavigation.getAllFrames`: calls about the frames of a tab.

use super::api::Outcome;
use super::namespaces::refused_host;
use super::open_tab::OpenFrame;
use super::{Browser, LoadedExtension};
use crate::messages::{Caller, Code, Task, ThreadIndex};
use port_core::{ContextKind, FrameId, Place, TabId};
use port_core_webext::extension::{Extension, Scripts};
use port_core_webext::{Profile, TabInfo};
use serde::Deserialize;
use serde_json::{Value, json};

/// A function that runs in one or more frames, and what came back so far.
#[derive(Debug)]
pub(super) struct Execution {
    caller: Caller,
    call: u32,
    /// Whether the values alone are wanted, and an error of the first frame as the call's own.
    is_plain: bool,
    frames: Vec<ExecutedFrame>,
}

#[derive(Debug)]
struct ExecutedFrame {
    /// The number under which the frame's thread answers.
    number: u64,
    /// The thread, if there is one.
    thread: Option<ThreadIndex>,
    /// What is known before it has answered.
    result: Value,
    is_done: bool,
}

/// `target` of `scripting.executeScript`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    tab_id: u64,
    frame_ids: Option<Vec<u64>>,
    document_ids: Option<Vec<String>>,
    #[serde(default)]
    all_frames: bool,
}

/// `injection` of `scripting.executeScript`, its function as text.
#[derive(Debug, Deserialize)]
pub(super) struct Injection {
    target: Target,
    func: Option<String>,
    files: Option<Vec<String>>,
    #[serde(default)]
    args: Vec<Value>,
    world: Option<String>,
}

impl Browser {
    /// Has a function run in frames; the answer is sent once all have run it.
    pub(super) fn execute_script(
        &mut self,
        caller: &Caller,
        call: u32,
        extension: &Extension,
        injection: &Injection,
    ) -> Result<(), String> {
        let Target { tab_id, frame_ids, document_ids, all_frames } = &injection.target;
        let tab = TabId::new(*tab_id);
        self.tab(*tab_id)?;
        let open = self.tabs.get(&tab).map_or(&[][..], |open| &open.frames);
        let show = |frame: &OpenFrame| self.shared.profile.show_document(frame.document);
        let wanted = |frame: &&OpenFrame| match (frame_ids, document_ids) {
            (Some(ids), _) => ids.contains(&frame.id.get()),
            (None, Some(ids)) => ids.contains(&show(frame)),
            (None, None) => *all_frames || frame.id == FrameId::TOP,
        };
        let frames: Vec<OpenFrame> = open.iter().filter(wanted).cloned().collect();
        for id in frame_ids.iter().flatten() {
            if frames.iter().all(|frame| frame.id.get() != *id) {
                return Err(match self.shared.profile {
                    Profile::Chromium => format!("No frame with id {id} in tab with id {tab_id}"),
                    Profile::Firefox => format!("Invalid frame IDs: [{id}]."),
                });
            }
        }
        let info = self.tab(*tab_id)?;
        self.check_hosts(extension, &info, &frames)?;
        let code = self.code_of(extension, injection)?;
        let is_pages_own = match injection.world.as_deref() {
            None | Some("ISOLATED") => false,
            Some("MAIN") => true,
            Some(world) => return Err(format!("not supported by this browser: the world {world:?}")),
        };
        self.execute_in_frames(caller, call, tab, frames, &code, is_pages_own, false)
    }

    /// Whether an extension may run scripts in frames.
    pub(super) fn check_hosts(
        &self,
        extension: &Extension,
        tab: &TabInfo,
        frames: &[OpenFrame],
    ) -> Result<(), String> {
        for frame in frames {
            let site = frame.maker.as_ref().unwrap_or(&frame.url);
            let is_granted = tab.granted.contains(extension.id()) || extension.owns(&frame.url);
            if !is_granted && !extension.may_touch(site) {
                let shown = extension.may_see(&frame.url).then_some(frame.url.as_str());
                return Err(refused_host(self.shared.profile, shown));
            }
        }
        Ok(())
    }

    /// Has something run in frames; the answer is sent once all have run it: results, or with `is_plain` the values alone.
    #[allow(clippy::too_many_arguments, reason = "one call for each kind of injection")]
    pub(super) fn execute_in_frames(
        &mut self,
        caller: &Caller,
        call: u32,
        tab: TabId,
        frames: Vec<OpenFrame>,
        code: &Code,
        is_pages_own: bool,
        is_plain: bool,
    ) -> Result<(), String> {
        let Some(loaded) = self.extensions.iter().position(|loaded| loaded.instance == caller.instance)
        else {
            return Err("the extension is not loaded".to_owned());
        };
        let mut execution = Execution { caller: *caller, call, is_plain, frames: Vec::new() };
        for frame in frames {
            self.latest_execution += 1;
            let number = self.latest_execution;
            let place = Place::new(tab, frame.id, frame.document);
            let world = if is_pages_own {
                self.describe_pages_own(&self.extensions[loaded], place, &frame, Scripts::default())
            } else {
                let page = self.plain_page(&frame, Scripts::default());
                self.describe_world(&self.extensions[loaded], place, &frame, ContextKind::ContentScript, page)
            };
            let result = json!({
                "frameId": frame.id.get(),
                "documentId": self.shared.profile.show_document(frame.document),
            });
            let code = code.clone();
            self.send(&frame.site(), Task::Execute { world: Box::new(world), code, number });
            let thread = self.sites.get(&frame.site()).copied();
            execution.frames.push(ExecutedFrame { number, thread, result, is_done: false });
        }
        self.executions.push(execution);
        self.answer_executions();
        Ok(())
    }

    /// What an injection runs: a function, or files.
    fn code_of(&self, extension: &Extension, injection: &Injection) -> Result<Code, String> {
        let profile = self.shared.profile;
        let files = match (&injection.func, &injection.files) {
            (Some(text), None) => {
                let arguments = Value::from(injection.args.clone()).to_string();
                return Ok(Code::Function { text: text.clone(), arguments });
            }
            (None, Some(files)) => files,
            _ if profile == Profile::Chromium => {
                return Err("Exactly one of 'func' and 'files' must be specified.".to_owned());
            }
            _ => return Err("Exactly one of files and func must be specified.".to_owned()),
        };
        if profile == Profile::Chromium {
            if !injection.args.is_empty() {
                return Err("'args' may not be used with file injections.".to_owned());
            }
            let twice = files.iter().enumerate().find(|(at, file)| files[..*at].contains(file));
            if let Some((_, file)) = twice {
                return Err(format!("Duplicate file specified: '{file}'."));
            }
        }
        let read = |file: &String| {
            extension.injected_file(file).map_err(|_| match profile {
                Profile::Chromium => format!("Could not load file: '{file}'."),
                Profile::Firefox => format!("Unable to load script: {}{file}", extension.base()),
            })
        };
        files.iter().map(read).collect::<Result<_, _>>().map(Code::Scripts)
    }

    /// A frame has run its function.
    pub(super) fn executed(&mut self, number: u64, outcome: Result<String, String>) {
        let frames = self.executions.iter_mut().flat_map(|execution| &mut execution.frames);
        if let Some(frame) = frames.into_iter().find(|frame| frame.number == number) {
            frame.is_done = true;
            match outcome {
                // Without a result it is undefined in Firefox, null in Chromium.
                Ok(json) if json.is_empty() && self.shared.profile == Profile::Firefox => {}
                Ok(json) => frame.result["result"] = serde_json::from_str(&json).unwrap_or_default(),
                Err(error) => frame.result["error"] = error.into(),
            }
        }
        self.answer_executions();
    }

    /// A thread is no more: what was to run there does not.
    pub(super) fn abandon_executions(&mut self, thread: ThreadIndex) {
        let frames = self.executions.iter_mut().flat_map(|execution| &mut execution.frames);
        for frame in frames.filter(|frame| frame.thread == Some(thread) && !frame.is_done) {
            frame.is_done = true;
            frame.result["error"] = "The frame was removed.".into();
        }
        self.answer_executions();
    }

    fn answer_executions(&mut self) {
        let (done, waiting) = std::mem::take(&mut self.executions)
            .into_iter()
            .partition(|execution| execution.frames.iter().all(|frame| frame.is_done));
        self.executions = waiting;
        for Execution { caller, call, is_plain, frames } in done {
            if is_plain {
                let value = |mut frame: ExecutedFrame| match frame.result.get_mut("error") {
                    Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
                    None => Ok(frame.result["result"].take()),
                };
                let values = frames.into_iter().map(value).collect::<Result<Value, _>>();
                self.send_answer(&caller, call, values.map(|values| values.to_string()));
                continue;
            }
            let mut results = frames.into_iter().map(|frame| frame.result);
            // In Chromium what a function throws is left out of the results.
            let outcome = match self.shared.profile {
                Profile::Chromium => Ok(results
                    .map(|mut result| {
                        let error = result.as_object_mut().and_then(|result| result.remove("error"));
                        if error.is_some() {
                            result["result"] = Value::Null;
                        }
                        result
                    })
                    .collect::<Value>()),
                Profile::Firefox => Ok(results.by_ref().collect::<Value>()),
            };
            self.send_answer(&caller, call, outcome.map(|results| results.to_string()));
        }
    }

    /// `webNavigation.getAllFrames`.
    pub(super) fn all_frames(&self, tab: u64, extension: &Extension) -> Outcome {
        let is_firefox = self.shared.profile == Profile::Firefox;
        if is_firefox {
            self.tab(tab)?;
        }
        // In Chromium an unknown tab is no error here.
        let tab = TabId::new(tab);
        let Some(open) = self.tabs.get(&tab) else { return Ok(Some(Value::Null)) };
        if is_firefox && open.frames.is_empty() {
            return Ok(Some(Value::Null));
        }
        // Chromium leaves the pages of extensions out.
        let is_left_out = |frame: &OpenFrame| !is_firefox && extension.owns(&frame.url);
        let show = |document| self.shared.profile.show_document(document);
        let frames = open.frames.iter().filter(|frame| !is_left_out(frame)).map(|frame| {
            let parent = frame.parent.and_then(|id| open.frames.iter().find(|parent| parent.id == id));
            let mut shown = json!({
                "frameId": frame.id.get(),
                "parentFrameId": parent.map_or(-1, |parent| i64::try_from(parent.id.get()).unwrap_or(-1)),
                "url": frame.url.as_str(),
                "documentId": show(frame.document),
            });
            match self.shared.profile {
                Profile::Chromium => {
                    shown["errorOccurred"] = false.into();
                    shown["documentLifecycle"] = "active".into();
                    shown["frameType"] =
                        if parent.is_none() { "outermost_frame" } else { "sub_frame" }.into();
                    shown["processId"] =
                        self.sites.get(&frame.site()).map_or(0, |thread| thread.0 + 1).into();
                    if let Some(parent) = parent {
                        shown["parentDocumentId"] = show(parent.document).into();
                    }
                }
                Profile::Firefox => {
                    shown["tabId"] = tab.get().into();
                    if let Some(parent) = parent {
                        shown["parentDocumentId"] = show(parent.document).into();
                    }
                }
            }
            shown
        });
        Ok(Some(frames.collect()))
    }
}

impl Browser {
    /// Which extension an instance is.
    pub(super) fn loaded(&self, caller: &Caller) -> Option<&LoadedExtension> {
        self.extensions.iter().find(|loaded| loaded.instance == caller.instance)
    }
}
