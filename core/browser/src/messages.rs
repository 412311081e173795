//! What the two sides of the browser say to each other: the browser process gives script threads
//! tasks, and script threads send it requests. A script thread may be in a process of its own: so all is plain data, or
//! has a plain form (`process/words.rs`).

use crate::activity::{Busy, Waiting};
use crate::plain::Plain;
use crate::summary::Counts;
use port_core::{ContextDescription, ContextId, ContextKind, DocumentId, ExtensionInstance, Place, TabId};
use port_core_webext::extension::{Extension, Script, Scripts};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use url::Url;

/// A script thread, counted from 0 in the order of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ThreadIndex(pub(crate) usize);

/// One world: an extension's scripts in a document, or a page of the extension.
pub(crate) struct WorldDescription {
    /// What it is attached to the core with.
    pub(crate) context: Attachment,
    /// What kind it is, once more: a page's own world, which scripts of all extensions share, is a `WebPage`.
    pub(crate) kind: ContextKind,
    /// The extension.
    pub(crate) extension: Arc<Extension>,
    /// The extension's instance.
    pub(crate) instance: ExtensionInstance,
    /// Where it lives; a background has no place.
    pub(crate) place: Option<Place>,
    /// The number of a page outside of the tabs.
    pub(crate) page: Option<u64>,
    /// `location.href`.
    pub(crate) url: Url,
    /// `document.title`.
    pub(crate) title: String,
    /// What the document begins with, of a page of the extension.
    pub(crate) html: Arc<str>,
    /// The frame elements that the document came with.
    pub(crate) elements: Arc<[FrameElement]>,
    /// The element that holds the document's frame: the document it is in, and its number there.
    pub(crate) container: Option<(DocumentId, u32)>,
    /// The tab that a devtools page is about.
    pub(crate) inspected_tab: Option<TabId>,
    /// Whether it is a worker and so has no document.
    pub(crate) is_worker: bool,
    /// Whether it is a background that is stopped when it is idle.
    pub(crate) stops: bool,
    /// The origins of the windows above its own, the nearest first; with the URL where the origin is its own too.
    pub(crate) above: Vec<(String, Option<String>)>,
    /// Whether it is a document of the extension itself.
    pub(crate) is_own_document: bool,
    /// The extensions that admit it as a page of the web; if there are any, it has the part of the API that such pages have.
    pub(crate) admitted_by: Vec<ExtensionInstance>,
    /// How the log names it.
    pub(crate) label: String,
    /// What it runs.
    pub(crate) scripts: Scripts,
}

/// What a world's context is attached to the core with.
pub(crate) enum Attachment {
    /// On a thread of the browser's own process: the context as the core is told of it.
    Described(ContextDescription),
    /// In another process: what the browser granted that process, by its number.
    #[cfg(unix)]
    Granted(Grant),
}

/// Another process may attach one context. If it never does, the browser is told.
#[cfg(unix)]
pub(crate) struct Grant {
    pub(crate) number: u64,
    pub(crate) is_used: AtomicBool,
    /// Called with the number if the grant was not used.
    pub(crate) unused: Box<dyn Fn(u64) + Send>,
}

#[cfg(unix)]
impl Drop for Grant {
    fn drop(&mut self) {
        // ORDERING: one thread uses it.
        if !self.is_used.load(Ordering::Relaxed) {
            (self.unused)(self.number);
        }
    }
}

/// An `iframe` element of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameElement {
    /// Its number in the document.
    pub(crate) number: u32,
    /// Its `id` attribute; empty for none.
    pub(crate) id: String,
    /// Its `src` attribute.
    pub(crate) src: String,
    /// Its `sandbox` attribute.
    pub(crate) sandbox: Option<String>,
}

/// Why a document goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Leave {
    /// Into the back/forward cache, for another page.
    Cached,
    /// For another page.
    Navigated,
    /// Its frame leaves the page around it.
    Removed,
    /// Its tab closes.
    Closed,
}

/// What becomes of what scripts say while they hear that their document goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LastWords {
    /// It is sent.
    #[default]
    Heard,
    /// Messages are sent; what a scenario writes down is lost.
    Unrecorded,
    /// Messages go nowhere.
    Unsent,
}

impl Plain for LastWords {
    type Form = Self;

    fn to_plain(&self) -> Self {
        *self
    }

    fn from_plain(form: Self) -> Option<Self> {
        Some(form)
    }
}

/// Another window, as a script reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OtherWindow {
    /// `window.parent`.
    Parent,
    /// `window.top`.
    Top,
    /// That of a frame element.
    Element(u32),
}

/// What a person does in a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Touch {
    /// Clicks the first element that fits a selector.
    Press(String),
    /// Types into the element that was clicked last.
    Type(String),
}

/// A page in which a person does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TouchedPage {
    /// A page outside of the tabs.
    Outside(u64),
    /// A document of a tab.
    Document(#[serde(with = "crate::plain")] DocumentId),
}

/// What is run in a world from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Code {
    /// A function.
    Function {
        /// Its text.
        text: String,
        /// Its arguments as a JSON array.
        arguments: String,
    },
    /// Classic scripts, one after the other.
    Scripts(#[serde(with = "crate::plain")] Vec<Script>),
}

/// Something the browser process wants done on a script thread. What is not plain data is sent in another form.
#[derive(Serialize, Deserialize)]
pub(crate) enum Task {
    /// Load a document: run the scripts of its worlds, moment by moment.
    #[serde(skip)]
    Load {
        /// The worlds, in the order in which extensions were loaded.
        worlds: Vec<WorldDescription>,
        /// What to say when all is loaded.
        then: Loaded,
    },
    /// The frames in a document are complete: so is the document.
    Complete(#[serde(with = "crate::plain")] DocumentId),
    /// Run something in a document, in the world of an extension, which is made if there is none.
    #[serde(skip)]
    Execute {
        /// The world.
        world: Box<WorldDescription>,
        /// What to run.
        code: Code,
        /// The number under which to answer.
        number: u64,
    },
    /// Ask documents, in this order, whether they may go, and answer with `Request::Asked`.
    BeforeUnload {
        /// The documents.
        #[serde(with = "crate::plain")]
        documents: Vec<DocumentId>,
        /// The number under which to answer.
        number: u64,
    },
    /// Have documents hear that they go, in this order, and say so.
    Unload {
        /// The documents, and what becomes of what their scripts say meanwhile.
        #[serde(with = "crate::plain")]
        documents: Vec<(DocumentId, LastWords)>,
        /// Why they go.
        leave: Leave,
        /// The number under which to answer.
        number: u64,
    },
    /// Have a document hear that a frame element of its has loaded.
    FrameLoaded {
        /// The document with the element.
        #[serde(with = "crate::plain")]
        document: DocumentId,
        /// The element's number there.
        element: u32,
    },
    /// Deliver a message of another window of the tab.
    WindowMessage {
        /// The document.
        #[serde(with = "crate::plain")]
        document: DocumentId,
        /// The message as JSON.
        json: String,
        /// The origin of the sender.
        origin: String,
        /// The sender's window, as this document reaches it; `None` where it does not.
        from: Option<OtherWindow>,
    },
    /// Have a document hear that a frame element of its could not be loaded.
    FrameFailed {
        /// The document with the element.
        #[serde(with = "crate::plain")]
        document: DocumentId,
        /// The element's number there.
        element: u32,
    },
    /// Documents are shown again.
    Restore {
        /// The documents.
        #[serde(with = "crate::plain")]
        documents: Vec<DocumentId>,
    },
    /// The user went back or forward within a document.
    Traversed {
        /// The document.
        #[serde(with = "crate::plain")]
        document: DocumentId,
        /// Its URL now.
        url: String,
        /// How many entries of the history.
        delta: i32,
    },
    /// Deliver the answer to a call.
    Answer {
        /// Who called.
        #[serde(with = "crate::plain")]
        context: ContextId,
        /// The number the caller gave the call.
        call: u32,
        /// JSON, or what went wrong.
        outcome: Result<String, String>,
    },
    /// Emit an event to the pages of an extension.
    Emit {
        /// The extension.
        #[serde(with = "crate::plain")]
        instance: ExtensionInstance,
        /// The event, such as `tabs.onRemoved`.
        event: Cow<'static, str>,
        /// What its listeners are given, as a JSON array.
        details: String,
        /// Whether content scripts hear it too.
        everywhere: bool,
    },
    /// A background is told of events from now on, first of these.
    Begin {
        /// The extension.
        #[serde(with = "crate::plain")]
        instance: ExtensionInstance,
        /// Each event with what its listeners are given, as a JSON array.
        events: Vec<(Cow<'static, str>, String)>,
    },
    /// A page outside of the tabs closes.
    ClosePage(u64),
    /// A person does something in a page; answer with `Request::Asked` whether the page has what it is done to.
    Touch {
        /// The page.
        page: TouchedPage,
        /// What is done.
        touch: Touch,
        /// The number under which to answer.
        number: u64,
    },
    /// Say that all that was sent before has been done.
    Echo(u64),
    /// Do nothing any more, and tell what was counted. The thread ends when its handle is dropped.
    #[serde(skip)]
    Stop(Sender<Counts>),
}

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Loaded {
    /// A document of a tab.
    Document(#[serde(with = "crate::plain")] Place),
    /// An extension's background.
    Background(BackgroundStart),
    /// A page outside of the tabs, by its number; 0 for one that nobody waits for.
    Page(u64),
}

/// A start of an extension's background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackgroundStart {
    /// The extension.
    #[serde(with = "crate::plain")]
    pub(crate) instance: ExtensionInstance,
    /// Which of its starts, from 1.
    pub(crate) start: u64,
}

/// Something for the browser process to do. What is not plain data is sent in another form.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Answer an API call.
    #[serde(skip)]
    Call(Call),
    /// A document is loaded but for the frames in it.
    Interactive(#[serde(with = "crate::plain")] Place),
    /// A document or a background has run its scripts.
    Loaded(Loaded),
    /// A script changed what its frame, or a frame in its document, shows.
    Navigation(Navigation),
    /// The answer to a task that asks something.
    Asked {
        /// The number of the task.
        number: u64,
        /// Whether it is so: documents may be cached, a page has the element.
        is_so: bool,
    },
    /// What a task with a number asked for has been done.
    Done(u64),
    /// A message to another window of the tab.
    WindowMessage {
        /// The document that sent it.
        #[serde(with = "crate::plain")]
        place: Place,
        /// To which window.
        to: OtherWindow,
        /// The message as JSON.
        json: String,
    },
    /// `window.close()`.
    CloseWindow {
        /// The page outside of the tabs.
        page: Option<u64>,
        /// The document in a tab.
        #[serde(with = "crate::plain")]
        place: Option<Place>,
    },
    /// `window.open()`.
    OpenWindow(#[serde(with = "crate::plain")] Url),
    /// Somebody waits for a background that does not run.
    #[serde(skip)]
    BackgroundWanted,
    /// A background has been idle for so long that it is to be stopped.
    BackgroundIdle(BackgroundStart),
    /// A background threw while it started.
    BackgroundFailed(BackgroundStart),
    /// An event has listeners in a background, or has none any more.
    Heard {
        /// The extension.
        #[serde(with = "crate::plain")]
        instance: ExtensionInstance,
        /// The event.
        event: String,
        /// Whether it has.
        is_heard: bool,
    },
    /// What `scripting.executeScript` asked for has run.
    Executed {
        /// The number of the execution.
        number: u64,
        /// Its result as JSON, or what it threw.
        outcome: Result<String, String>,
    },
    /// Nothing is under way any more, or was so a moment ago.
    #[serde(skip)]
    Calm,
    /// The process of a script thread is no more, and what ran in it.
    #[serde(skip)]
    Crashed(ThreadIndex),
}

/// What a script did to its page.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Navigation {
    /// Where the script runs.
    #[serde(with = "crate::plain")]
    pub(crate) place: Place,
    /// What it did.
    pub(crate) change: NavigationChange,
}

/// A way for a script to change its page.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum NavigationChange {
    /// `location.href = …`, `location.replace()`.
    Go {
        /// Where to.
        #[serde(with = "crate::plain")]
        url: Url,
        /// Whether the page takes the place of the one before in the history.
        replace: bool,
    },
    /// `location.reload()`.
    Reload,
    /// `history.go()`.
    Traverse(i32),
    /// `history.pushState()`, `replaceState()`, or a change of the fragment.
    SameDocument {
        /// The URL now.
        #[serde(with = "crate::plain")]
        url: Url,
        /// Whether the history has no entry for it.
        replace: bool,
    },
    /// `document.title = …`.
    Title(String),
    /// A frame element came into the document.
    AttachFrame {
        /// The number of the element in this document.
        element: u32,
        /// What it shows.
        #[serde(with = "crate::plain")]
        url: Url,
        /// Its `sandbox` attribute.
        sandbox: Option<String>,
    },
    /// A frame element shows something else.
    NavigateFrame {
        /// The number of the element in this document.
        element: u32,
        /// What it shows.
        #[serde(with = "crate::plain")]
        url: Url,
    },
    /// A frame element left the document.
    RemoveFrame {
        /// The number of the element in this document.
        element: u32,
    },
}

/// An asynchronous API call.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who called.
    pub(crate) caller: Caller,
    /// The number the caller gave the call.
    pub(crate) number: u32,
    /// The method, such as `tabs.query`.
    pub(crate) method: String,
    /// The arguments as a JSON array, checked by the bindings; `null` for those left out.
    pub(crate) arguments: String,
}

/// A context that called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The thread it lives on.
    pub(crate) thread: ThreadIndex,
    /// The context.
    pub(crate) context: ContextId,
    /// Its extension.
    pub(crate) instance: ExtensionInstance,
    /// Where it lives.
    pub(crate) place: Option<Place>,
    /// The number of a page outside of the tabs.
    pub(crate) page: Option<u64>,
}

/// A request on its way. What it asks for is under way until it is carried out.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) request: Request,
    pub(crate) busy: Option<Busy>,
    /// What it takes of the backlog of the process that it came from.
    #[allow(dead_code, reason = "held until it is dropped")]
    pub(crate) waiting: Option<Waiting>,
}

/// The way to the browser process.
#[derive(Clone)]
pub(crate) struct Requests {
    way: Way,
}

#[derive(Clone)]
enum Way {
    /// Within the process.
    Here(Sender<Envelope>),
    /// To another process.
    #[cfg(unix)]
    Elsewhere(Arc<dyn Fn(Request) + Send + Sync>),
}

impl Requests {
    pub(crate) fn new(sender: Sender<Envelope>) -> Self {
        Self { way: Way::Here(sender) }
    }

    /// The way from another process, which `send` knows.
    #[cfg(unix)]
    pub(crate) fn elsewhere(send: impl Fn(Request) + Send + Sync + 'static) -> Self {
        Self { way: Way::Elsewhere(Arc::new(send)) }
    }

    /// Sends a request, with what shows that it is under way.
    pub(crate) fn send(&self, request: Request, busy: Option<Busy>) {
        self.send_envelope(Envelope { request, busy, waiting: None });
    }

    /// Sends a request on its way.
    pub(crate) fn send_envelope(&self, envelope: Envelope) {
        match &self.way {
            // At the end of a run nobody listens any more.
            Way::Here(sender) => drop(sender.send(envelope)),
            #[cfg(unix)]
            Way::Elsewhere(send) => send(envelope.request),
        }
    }
}
