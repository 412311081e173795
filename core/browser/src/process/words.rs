//! What the browser and a renderer process say to each other beside the core's calls and events.

use crate::clock::Clock;
use crate::log::{Event, Interest};
use crate::messages::{Attachment, Code, FrameElement, Grant, Loaded, Request, Task, WorldDescription};
use crate::summary::Counts;
use port_core::{ContextKind, DisconnectReason, DocumentId, ExtensionInstance, Place, TabId, WindowId};
use port_core_webext::TabInfo;
use port_core_webext::extension::manifest::RunAt;
use port_core_webext::extension::{Extension, Script, Scripts};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use url::Url;

/// What the browser says to a renderer.
#[derive(Serialize, Deserialize)]
pub(super) enum Down {
    /// The first word: what run this is.
    Begin(Beginning),
    /// An extension whose worlds are to come. Its files are asked for.
    Extension {
        #[serde(with = "crate::plain")]
        instance: ExtensionInstance,
        identity: String,
        folder: String,
    },
    /// The tabs that this renderer may know of.
    Tabs(Vec<ShownTab>),
    Load {
        worlds: Vec<SentWorld>,
        then: Loaded,
    },
    Execute {
        world: Box<SentWorld>,
        code: Code,
        number: u64,
    },
    Task(Task),
    /// The file that was asked for.
    File(Result<String, String>),
    /// Tell what was counted, and do nothing any more.
    Stop,
}

/// What a renderer says to the browser.
#[derive(Serialize, Deserialize)]
pub(super) enum Up {
    /// An API call of a context.
    Call {
        context: u64,
        number: u32,
        method: String,
        arguments: String,
    },
    Request(Request),
    /// A line for the log.
    Log {
        context: String,
        event: Value,
    },
    /// Events of a scenario.
    Record(String),
    /// A grant will not be used, or its context is no more.
    Over(u64),
    /// A file of an extension is wanted; the renderer waits for it.
    ReadFile {
        #[serde(with = "crate::plain")]
        instance: ExtensionInstance,
        parts: Vec<String>,
    },
    Counted(SentCounts),
}

/// What run it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beginning {
    pub(super) thread: usize,
    /// The site, for who looks at the process.
    pub(super) name: String,
    pub(super) profile: String,
    pub(super) shown_messages: u64,
    pub(super) interest: Interest,
    pub(super) time_origin: f64,
    pub(super) records: bool,
    pub(super) idle: Duration,
    pub(super) unanswered: Duration,
    pub(super) waits_for_idle: bool,
    pub(super) scenario_global: Option<(String, String)>,
}

/// A world, without its extension.
#[derive(Serialize, Deserialize)]
pub(super) struct SentWorld {
    pub(super) grant: u64,
    #[serde(with = "crate::plain")]
    kind: ContextKind,
    #[serde(with = "crate::plain")]
    pub(super) instance: ExtensionInstance,
    #[serde(with = "crate::plain")]
    place: Option<Place>,
    page: Option<u64>,
    #[serde(with = "crate::plain")]
    url: Url,
    title: String,
    #[serde(with = "crate::plain")]
    html: Arc<str>,
    elements: Vec<FrameElement>,
    #[serde(with = "crate::plain")]
    container: Option<(DocumentId, u32)>,
    #[serde(with = "crate::plain")]
    inspected_tab: Option<TabId>,
    is_worker: bool,
    stops: bool,
    above: Vec<(String, Option<String>)>,
    is_own_document: bool,
    #[serde(with = "crate::plain")]
    admitted_by: Vec<ExtensionInstance>,
    label: String,
    #[serde(with = "crate::plain")]
    scripts: Vec<Vec<Script>>,
}

impl SentWorld {
    pub(super) fn new(grant: u64, world: WorldDescription) -> Self {
        Self {
            grant,
            kind: world.kind,
            instance: world.instance,
            place: world.place,
            page: world.page,
            url: world.url,
            title: world.title,
            html: world.html,
            elements: world.elements.to_vec(),
            container: world.container,
            inspected_tab: world.inspected_tab,
            is_worker: world.is_worker,
            stops: world.stops,
            above: world.above,
            is_own_document: world.is_own_document,
            admitted_by: world.admitted_by,
            label: world.label,
            scripts: RunAt::ALL.map(|moment| world.scripts.at(moment).to_vec()).into(),
        }
    }

    pub(super) fn into_description(
        self,
        extension: Arc<Extension>,
        unused: impl Fn(u64) + Send + 'static,
    ) -> WorldDescription {
        let mut scripts = Scripts::default();
        for (moment, sent) in RunAt::ALL.into_iter().zip(self.scripts) {
            scripts.add(moment, sent);
        }
        WorldDescription {
            context: Attachment::Granted(Grant {
                number: self.grant,
                is_used: AtomicBool::new(false),
                unused: Box::new(unused),
            }),
            kind: self.kind,
            extension,
            instance: self.instance,
            place: self.place,
            page: self.page,
            url: self.url,
            title: self.title,
            html: self.html,
            elements: self.elements.into(),
            container: self.container,
            inspected_tab: self.inspected_tab,
            is_worker: self.is_worker,
            stops: self.stops,
            above: self.above,
            is_own_document: self.is_own_document,
            admitted_by: self.admitted_by,
            label: self.label,
            scripts,
        }
    }
}

/// A tab that a renderer may know of.
#[derive(Serialize, Deserialize)]
pub(super) struct ShownTab {
    #[serde(with = "crate::plain")]
    id: TabId,
    window: u64,
    index: usize,
    active: bool,
    #[serde(with = "crate::plain")]
    url: Url,
    title: String,
    complete: bool,
    discarded: bool,
    last_accessed: u64,
    granted: Vec<String>,
}

impl From<TabInfo> for ShownTab {
    fn from(tab: TabInfo) -> Self {
        Self {
            id: tab.id,
            window: tab.window.get(),
            index: tab.index,
            active: tab.active,
            url: tab.url,
            title: tab.title,
            complete: tab.complete,
            discarded: tab.discarded,
            last_accessed: tab.last_accessed,
            granted: tab.granted.iter().map(|extension| extension.as_str().to_owned()).collect(),
        }
    }
}

impl From<ShownTab> for TabInfo {
    fn from(tab: ShownTab) -> Self {
        Self {
            id: tab.id,
            window: WindowId::new(tab.window),
            index: tab.index,
            active: tab.active,
            url: tab.url,
            title: tab.title,
            complete: tab.complete,
            discarded: tab.discarded,
            last_accessed: tab.last_accessed,
            granted: tab.granted.iter().map(|id| port_core::ExtensionId::new(id)).collect(),
        }
    }
}

/// What a renderer counted; times in milliseconds since the run began.
#[derive(Serialize, Deserialize)]
pub(super) struct SentCounts {
    contexts: u64,
    connects: u64,
    accepts: u64,
    posts: u64,
    deliveries: u64,
    bytes: u64,
    disconnects: Vec<(u16, u64)>,
    first_post: Option<f64>,
    last_delivery: Option<f64>,
}

impl SentCounts {
    pub(super) fn new(counts: &Counts, clock: &Clock) -> Self {
        let disconnects = counts.disconnects.iter().map(|(reason, count)| (reason.code(), *count));
        Self {
            contexts: counts.contexts,
            connects: counts.connects,
            accepts: counts.accepts,
            posts: counts.posts,
            deliveries: counts.deliveries,
            bytes: counts.bytes,
            disconnects: disconnects.collect(),
            first_post: counts.first_post.map(|time| clock.at(time)),
            last_delivery: counts.last_delivery.map(|time| clock.at(time)),
        }
    }

    pub(super) fn into_counts(self, clock: &Clock) -> Counts {
        let reason = |code: u16| DisconnectReason::ALL.iter().find(|reason| reason.code() == code).copied();
        let time = |time: Option<f64>| {
            let time = Duration::try_from_secs_f64(time? / 1_000.0).ok()?;
            clock.after(time)
        };
        // More than any run counts, and little enough to be added up.
        let count = |count: u64| count.min(1 << 48);
        Counts {
            contexts: count(self.contexts),
            connects: count(self.connects),
            accepts: count(self.accepts),
            posts: count(self.posts),
            deliveries: count(self.deliveries),
            bytes: count(self.bytes),
            disconnects: self
                .disconnects
                .into_iter()
                .filter_map(|(code, number)| Some((reason(code)?, count(number))))
                .collect(),
            first_post: time(self.first_post),
            last_delivery: time(self.last_delivery),
        }
    }
}

/// Reads an event of a log again; `None` if it is none that scripts have.
pub(super) fn read_event(event: &Value) -> Option<Event<'_>> {
    let text = |field: &str| event.get(field)?.as_str();
    let number = |field: &str| event.get(field)?.as_u64().and_then(|number| usize::try_from(number).ok());
    Some(match text("event")? {
        "connect" => Event::Connect { port: text("port")?, target: text("target")? },
        "accept" => Event::Accept { port: text("port")?, opener: text("opener")? },
        "post" => Event::Post { port: text("port")?, message: text("message")? },
        "message" => Event::Message { port: text("port")?, message: text("message")? },
        "more" => Event::More { port: text("port")? },
        "disconnect" => Event::Disconnect { port: text("port")? },
        "disconnected" => Event::Disconnected { port: text("port")?, reason: text("reason")? },
        "wake" => Event::Wake { target: text("target")? },
        "background" => Event::Background { change: text("change")?, why: text("why")? },
        "console" => Event::Console { level: text("level")?, text: text("text")? },
        "error" => Event::Error {
            message: text("message")?,
            file: text("file"),
            line: number("line"),
            column: number("column"),
            stack: text("stack").unwrap_or_default(),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::read_event;
    use crate::log::Event;

    #[test]
    fn events_of_the_log_are_read_as_they_were_written() {
        for event in [
            Event::Connect { port: "p", target: "tab 1" },
            Event::Accept { port: "p", opener: "background" },
            Event::Post { port: "p", message: "{\"a\":\"\\n\"}" },
            Event::Message { port: "p", message: "1" },
            Event::More { port: "p" },
            Event::Disconnect { port: "p" },
            Event::Disconnected { port: "p", reason: "r" },
            Event::Wake { target: "its extension" },
            Event::Background { change: "stays awake", why: "messages" },
            Event::Console { level: "log", text: "é\n" },
            Event::Error { message: "m", file: Some("f"), line: Some(1), column: None, stack: "at x" },
            Event::Error { message: "m", file: None, line: None, column: None, stack: "" },
        ] {
            let value = serde_json::to_value(&event).expect("JSON");
            let read = read_event(&value).map(|event| serde_json::to_value(event).expect("JSON"));
            assert_eq!(read.as_ref(), Some(&value), "{event:?}");
        }
        let browsers = serde_json::to_value(Event::Click { extension: "e" }).expect("JSON");
        assert!(read_event(&browsers).is_none(), "what the browser alone says is no renderer's to say");
    }
}
