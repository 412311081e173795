//! Answers to asynchronous API calls. The bindings have checked the types of the
//! arguments; whether tabs exist is checked here.

use super::open_tab::Entry;
use super::{Browser, LoadedExtension};
use crate::messages::{Call, Caller, Task};
use port_core::TabId;
use port_core_webext::extension::{Extension, Glob, MatchPattern};
use port_core_webext::{Profile, TabInfo};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// What a call came to: its result, `None` for undefined, or a text for `runtime.lastError`.
pub(super) type Outcome = Result<Option<Value>, String>;

/// One value, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// `queryInfo` of `tabs.query`; a tab has to fit all that is given.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct QueryInfo {
    active: Option<bool>,
    audible: Option<bool>,
    auto_discardable: Option<bool>,
    current_window: Option<bool>,
    discarded: Option<bool>,
    group_id: Option<i64>,
    highlighted: Option<bool>,
    index: Option<usize>,
    last_focused_window: Option<bool>,
    muted: Option<bool>,
    pinned: Option<bool>,
    status: Option<String>,
    title: Option<String>,
    url: Option<OneOrMany<String>>,
    window_id: Option<i64>,
    window_type: Option<String>,
}

/// `details` of `webNavigation.getAllFrames`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrameDetails {
    tab_id: u64,
}

/// `createProperties` and `updateProperties`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TabProperties {
    active: Option<bool>,
    highlighted: Option<bool>,
    url: Option<String>,
}

impl Browser {
    /// Carries out a call and sends the answer.
    pub(super) fn answer(&mut self, call: Call) {
        let Call { caller, number, method, arguments } = call;
        let extension = self.loaded(&caller);
        let Some(extension) = extension.map(|LoadedExtension { extension, .. }| Arc::clone(extension)) else {
            return;
        };
        let given = serde_json::from_str::<Vec<Value>>(&arguments).map_err(|error| error.to_string());
        if let Some(tab) = given.as_ref().ok().and_then(|given| self.tab_to_come(&method, given)) {
            return self.calls_of_tabs.push((tab, Call { caller, number, method, arguments }));
        }
        let outcome = match (method.as_str(), given) {
            (_, Err(error)) => Err(error),
            ("scripting.executeScript", Ok(arguments)) => {
                let started = read(&mut arguments.into_iter())
                    .and_then(|injection| self.execute_script(&caller, number, &extension, &injection));
                match started {
                    Ok(()) => return,
                    Err(error) => Err(error),
                }
            }
            (method, Ok(arguments)) => {
                match self.carry_out_call(&caller, number, &extension, method, arguments) {
                    Some(outcome) => outcome,
                    None => return,
                }
            }
        };
        let as_text = |result: Option<Value>| result.map_or_else(String::new, |result| result.to_string());
        self.send_answer(&caller, number, outcome.map(as_text));
    }

    /// The tab that a call injects into, if it has shown nothing yet: the call waits for its first page.
    fn tab_to_come(&self, method: &str, arguments: &[Value]) -> Option<TabId> {
        let first = arguments.first()?;
        let tab = match method {
            "tabs.executeScript" => first.as_u64(),
            "scripting.executeScript" => first["target"]["tabId"].as_u64(),
            _ => None,
        };
        let tab = TabId::new(tab?);
        let shows_nothing = self.tabs.get(&tab).is_some_and(|open| open.frames.is_empty());
        let is_discarded = self.shared.tabs.get(tab).is_none_or(|info| info.discarded);
        (shows_nothing && !is_discarded).then_some(tab)
    }

    /// Answers the calls that waited for a tab's first page, now that it is there or will not come.
    pub(super) fn answer_calls_of(&mut self, tab: TabId) {
        let (due, others) =
            std::mem::take(&mut self.calls_of_tabs).into_iter().partition(|(of, _)| *of == tab);
        self.calls_of_tabs = others;
        let due: Vec<(TabId, Call)> = due;
        due.into_iter().for_each(|(_, call)| self.answer(call));
    }

    /// Sends the answer to a call: JSON, or an empty text for undefined.
    pub(super) fn send_answer(&self, caller: &Caller, call: u32, outcome: Result<String, String>) {
        self.threads[caller.thread.0].send(Task::Answer { context: caller.context, call, outcome });
    }

    fn carry_out_call(
        &mut self,
        caller: &Caller,
        number: u32,
        extension: &Extension,
        method: &str,
        arguments: Vec<Value>,
    ) -> Option<Outcome> {
        let is_here = matches!(method.split_once('.'), Some(("tabs", member)) if !matches!(member, "executeScript" | "insertCSS" | "removeCSS"))
            || method.starts_with("webNavigation.");
        match is_here {
            true => Some(self.tabs_call(caller, extension, method, arguments)),
            false => self.call_namespace(caller, number, method, arguments),
        }
    }

    fn tabs_call(
        &mut self,
        caller: &Caller,
        extension: &Extension,
        method: &str,
        arguments: Vec<Value>,
    ) -> Outcome {
        let mut arguments = arguments.into_iter();
        match method {
            "tabs.query" => self.query(extension, &read(&mut arguments)?),
            "tabs.get" => Ok(Some(self.tab(read(&mut arguments)?)?.seen_by(extension))),
            "tabs.getCurrent" => Ok(caller
                .place
                .and_then(|place| self.shared.tabs.get(place.tab))
                .map(|tab| tab.seen_by(extension))),
            "tabs.create" => self.create(extension, &read(&mut arguments)?),
            "tabs.update" => {
                let tab = self.tab_or_active(read(&mut arguments)?)?;
                self.update(extension, &tab, &read(&mut arguments)?)
            }
            "tabs.reload" => {
                let tab = self.tab_or_active(read(&mut arguments)?)?;
                self.begin_navigation(tab.id, &tab.url, Entry::Replace);
                Ok(None)
            }
            "tabs.goBack" | "tabs.goForward" => {
                let tab = self.tab_or_active(read(&mut arguments)?)?;
                let delta: i32 = if method == "tabs.goBack" { -1 } else { 1 };
                if !self.can_traverse(tab.id, delta.into()) {
                    return Err(match (self.shared.profile, delta) {
                        (Profile::Firefox, _) => return Ok(None),
                        (Profile::Chromium, -1) => "Cannot find a previous page in history.".to_owned(),
                        (Profile::Chromium, _) => "Cannot find a next page in history.".to_owned(),
                    });
                }
                self.traverse(tab.id, delta);
                Ok(None)
            }
            "tabs.duplicate" => {
                let tab = self.tab(read(&mut arguments)?)?;
                let copy = self.open_tab(&tab.url, true);
                self.begin_navigation(copy, &tab.url, Entry::Push);
                Ok(Some(self.tab(copy.get())?.seen_by(extension)))
            }
            "tabs.highlight" => {
                let info: Value = read(&mut arguments)?;
                let wanted = info["tabs"].as_u64().or_else(|| info["tabs"][0].as_u64());
                let found =
                    self.shared.tabs.all().into_iter().find(|tab| wanted == u64::try_from(tab.index).ok());
                let tab = found.ok_or_else(|| format!("No tab at index: {}.", wanted.unwrap_or_default()))?;
                self.activate_tab(tab.id);
                Ok(None)
            }
            "tabs.getSelected" => Ok(self
                .active_tab()
                .and_then(|tab| self.shared.tabs.get(tab))
                .map(|tab| tab.seen_by(extension))),
            "tabs.getAllInWindow" => self.query(extension, &QueryInfo::default()),
            "tabs.discard" => self.discard(extension, read(&mut arguments)?),
            "webNavigation.getAllFrames" => {
                let details: FrameDetails = read(&mut arguments)?;
                self.all_frames(details.tab_id, extension)
            }
            "webNavigation.getFrame" => {
                let details: Value = read(&mut arguments)?;
                let frames = self.all_frames(details["tabId"].as_u64().unwrap_or_default(), extension)?;
                let frames = frames.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
                Ok(Some(
                    frames
                        .into_iter()
                        .find(|frame| frame["frameId"] == details["frameId"])
                        .unwrap_or_default(),
                ))
            }
            "tabs.remove" => {
                let tabs: OneOrMany<u64> = read(&mut arguments)?;
                for tab in tabs.into_vec() {
                    let tab = self.tab(tab)?;
                    self.close_tab(tab.id);
                }
                Ok(None)
            }
            _ => Err(format!("not supported by this browser: {method}")),
        }
    }

    fn query(&self, extension: &Extension, query: &QueryInfo) -> Outcome {
        let fits = |tab: &TabInfo| {
            let may_see = || extension.may_see(&tab.url);
            // There is one window, and it has the focus.
            query.current_window.is_none_or(|current| current)
                && query.last_focused_window.is_none_or(|focused| focused)
                && query
                    .window_id
                    .is_none_or(|window| window == -2 || u64::try_from(window) == Ok(tab.window.get()))
                && query.active.is_none_or(|active| active == tab.active)
                && query.highlighted.is_none_or(|highlighted| highlighted == tab.active)
                && query.index.is_none_or(|index| index == tab.index)
                // No tab has any of these.
                && [query.audible, query.muted, query.pinned].iter().all(|wanted| *wanted != Some(true))
                && query.auto_discardable != Some(false)
                && query.group_id.is_none_or(|group| group == -1)
                && query.window_type.as_deref().is_none_or(|kind| kind == "normal")
                && query.discarded.is_none_or(|discarded| discarded == tab.discarded)
                && query.status.as_deref().is_none_or(|status| status == tab.status(self.shared.profile))
                && query
                    .title
                    .as_deref()
                    .is_none_or(|title| may_see() && Glob::wildcards(title).matches(&tab.title))
                && query.url.as_ref().is_none_or(|_| may_see())
        };
        let patterns = match &query.url {
            None => None,
            Some(OneOrMany::One(one)) => Some(vec![one.parse::<MatchPattern>()?]),
            Some(OneOrMany::Many(many)) => {
                Some(many.iter().map(|one| one.parse()).collect::<Result<_, _>>()?)
            }
        };
        let matches = |tab: &TabInfo| {
            patterns.as_ref().is_none_or(|any| any.iter().any(|pattern| pattern.matches(&tab.url)))
        };
        Ok(self
            .shared
            .tabs
            .all()
            .iter()
            .filter(|tab| fits(tab) && matches(tab))
            .map(|tab| tab.seen_by(extension))
            .collect::<Value>()
            .into())
    }

    fn create(&mut self, extension: &Extension, properties: &TabProperties) -> Outcome {
        let url =
            properties.url.as_deref().map_or_else(|| Ok(new_tab_page()), |url| resolve(extension, url))?;
        if self.shared.profile == Profile::Firefox
            && (matches!(url.scheme(), "data" | "javascript" | "file" | "chrome")
                || (url.scheme() == "about" && url.path() != "blank"))
        {
            return Err(format!("Illegal URL: {url}"));
        }
        let tab = self.open_tab(&url, properties.active.unwrap_or(true));
        self.begin_navigation(tab, &url, Entry::Push);
        Ok(Some(self.tab(tab.get())?.seen_by(extension)))
    }

    fn update(&mut self, extension: &Extension, tab: &TabInfo, properties: &TabProperties) -> Outcome {
        let url = properties.url.as_deref().map(|url| resolve(extension, url)).transpose()?;
        if properties.active == Some(true) || properties.highlighted == Some(true) {
            self.activate_tab(tab.id);
        }
        if let Some(url) = url {
            self.begin_navigation(tab.id, &url, Entry::Push);
        }
        Ok(Some(self.tab(tab.id.get())?.seen_by(extension)))
    }

    /// `tabs.discard`: not twice, and for the active tab only in Chromium and by its id.
    fn discard(&mut self, extension: &Extension, id: Option<u64>) -> Outcome {
        let may_be_active = self.shared.profile == Profile::Chromium && id.is_some();
        let fits = |tab: &TabInfo| (may_be_active || !tab.active) && !tab.discarded;
        let tab = match id {
            Some(id) => Some(self.tab(id)?).filter(fits),
            None => self.shared.tabs.all().into_iter().find(fits),
        };
        let Some(tab) = tab else {
            return match (self.shared.profile, id) {
                (Profile::Chromium, Some(id)) => Err(format!("Cannot discard tab with id: {id}.")),
                (Profile::Chromium, None) => Err("Cannot find a tab to discard.".to_owned()),
                (Profile::Firefox, _) => Ok(None),
            };
        };
        let discarded = self.discard_tab(tab.id);
        match self.shared.profile {
            Profile::Chromium => Ok(Some(self.tab(discarded.get())?.seen_by(extension))),
            Profile::Firefox => Ok(None),
        }
    }

    pub(super) fn tab(&self, id: u64) -> Result<TabInfo, String> {
        self.shared.tabs.get(TabId::new(id)).ok_or_else(|| match self.shared.profile {
            Profile::Chromium => format!("No tab with id: {id}."),
            Profile::Firefox => format!("Invalid tab ID: {id}"),
        })
    }

    fn tab_or_active(&self, id: Option<u64>) -> Result<TabInfo, String> {
        let active = || self.active_tab().map(TabId::get).ok_or_else(|| "No active tab".to_owned());
        id.map_or_else(active, Ok).and_then(|id| self.tab(id))
    }
}

/// The next argument; an argument left out is read as `null`.
pub(super) fn read<T: DeserializeOwned>(arguments: &mut impl Iterator<Item = Value>) -> Result<T, String> {
    serde_json::from_value(arguments.next().unwrap_or_default()).map_err(|error| error.to_string())
}

/// A URL that an extension gives: one of its own may be relative.
fn resolve(extension: &Extension, url: &str) -> Result<Url, String> {
    extension.base().join(url).map_err(|error| format!("Invalid url: {url:?}: {error}"))
}

fn new_tab_page() -> Url {
    Url::parse("about:blank").expect("a constant")
}
