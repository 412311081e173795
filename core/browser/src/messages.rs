//! What the two sides of the browser say to each other: the browser process gives script threads
//! tasks, and script threads send it requests.

use crate::activity::Busy;
use crate::summary::Counts;
use port_core::{ContextDescription, ContextId, ContextKind, DocumentId, ExtensionInstance, Place, TabId};
use port_core_webext::extension::{Extension, Script, Scripts};
use serde::Serialize;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use url::Url;

/// A script thread, counted from 0 in the order of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ThreadIndex(pub(crate) usize);

/// One world: an extension's scripts in a document, or a page of the extension.
pub(crate) struct WorldDescription {
    /// The context as the core is told of it.
    pub(crate) context: ContextDescription,
    /// What kind it is, once more.
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
    /// Whether it is the page's own world, without the extension API, which scripts of all extensions share.
    pub(crate) is_pages_own: bool,
    /// How the log names it.
    pub(crate) label: String,
    /// What it runs.
    pub(crate) scripts: Scripts,
}

/// An `iframe` element of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LastWords {
    /// It is sent.
    #[default]
    Heard,
    /// Messages are sent; what a scenario writes down is lost.
    Unrecorded,
    /// Messages go nowhere.
    Unsent,
}

/// Another window, as a script reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherWindow {
    /// `window.parent`.
    Parent,
    /// `window.top`.
    Top,
    /// That of a frame element.
    Element(u32),
}

/// What a person does in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Clicks the first element that fits a selector.
    Press(String),
    /// Types into the element that was clicked last.
    Type(String),
}

/// A page in which a person does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TouchedPage {
    /// A page outside of the tabs.
    Outside(u64),
    /// A document of a tab.
    Document(DocumentId),
}

/// What is run in a world from outside.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// A function.
    Function {
        /// Its text.
        text: String,
        /// Its arguments as a JSON array.
        arguments: String,
    },
    /// Classic scripts, one after the other.
    Scripts(Vec<Script>),
}

/// Something the browser process wants done on a script thread.
pub(crate) enum Task {
    /// Load a document: run the scripts of its worlds, moment by moment.
    Load {
        /// The worlds, in the order in which extensions were loaded.
        worlds: Vec<WorldDescription>,
        /// What to say when all is loaded.
        then: Loaded,
    },
    /// The frames in a document are complete: so is the document.
    Complete(DocumentId),
    /// Run something in a document, in the world of an extension, which is made if there is none.
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
        documents: Vec<DocumentId>,
        /// The number under which to answer.
        number: u64,
    },
    /// Have documents hear that they go, in this order, and say so.
    Unload {
        /// The documents, and what becomes of what their scripts say meanwhile.
        documents: Vec<(DocumentId, LastWords)>,
        /// Why they go.
        leave: Leave,
        /// The number under which to answer.
        number: u64,
    },
    /// Have a document hear that a frame element of its has loaded.
    FrameLoaded {
        /// The document with the element.
        document: DocumentId,
        /// The element's number there.
        element: u32,
    },
    /// Deliver a message of another window of the tab.
    WindowMessage {
        /// The document.
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
        document: DocumentId,
        /// The element's number there.
        element: u32,
    },
    /// Documents are shown again.
    Restore {
        /// The documents.
        documents: Vec<DocumentId>,
    },
    /// The user went back or forward within a document.
    Traversed {
        /// The document.
        document: DocumentId,
        /// Its URL now.
        url: String,
        /// How many entries of the history.
        delta: i32,
    },
    /// Deliver the answer to a call.
    Answer {
        /// Who called.
        context: ContextId,
        /// The number the caller gave the call.
        call: u32,
        /// JSON, or what went wrong.
        outcome: Result<String, String>,
    },
    /// Emit an event to the pages of an extension.
    Emit {
        /// The extension.
        instance: ExtensionInstance,
        /// The event, such as `tabs.onRemoved`.
        event: &'static str,
        /// What its listeners are given, as a JSON array.
        details: String,
        /// Whether content scripts hear it too.
        everywhere: bool,
    },
    /// A background is told of events from now on, first of these.
    Begin {
        /// The extension.
        instance: ExtensionInstance,
        /// Each event with what its listeners are given, as a JSON array.
        events: Vec<(&'static str, String)>,
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
    Stop(Sender<Counts>),
}

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    /// A document of a tab.
    Document(Place),
    /// An extension's background.
    Background(BackgroundStart),
    /// A page outside of the tabs, by its number; 0 for one that nobody waits for.
    Page(u64),
}

/// A start of an extension's background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackgroundStart {
    /// The extension.
    pub(crate) instance: ExtensionInstance,
    /// Which of its starts, from 1.
    pub(crate) start: u64,
}

/// Something for the browser process to do.
#[derive(Debug)]
pub(crate) enum Request {
    /// Answer an API call.
    Call(Call),
    /// A document is loaded but for the frames in it.
    Interactive(Place),
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
        place: Option<Place>,
    },
    /// `window.open()`.
    OpenWindow(Url),
    /// Somebody waits for a background that does not run.
    BackgroundWanted,
    /// A background has been idle for so long that it is to be stopped.
    BackgroundIdle(BackgroundStart),
    /// A background threw while it started.
    BackgroundFailed(BackgroundStart),
    /// An event has listeners in a background, or has none any more.
    Heard {
        /// The extension.
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
    Calm,
}

/// What a script did to its page.
#[derive(Debug)]
pub(crate) struct Navigation {
    /// Where the script runs.
    pub(crate) place: Place,
    /// What it did.
    pub(crate) change: NavigationChange,
}

/// A way for a script to change its page.
#[derive(Debug)]
pub(crate) enum NavigationChange {
    /// `location.href = …`, `location.replace()`.
    Go {
        /// Where to.
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
        url: Url,
        /// Its `sandbox` attribute.
        sandbox: Option<String>,
    },
    /// A frame element shows something else.
    NavigateFrame {
        /// The number of the element in this document.
        element: u32,
        /// What it shows.
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
}

/// The way to the browser process.
#[derive(Clone)]
pub(crate) struct Requests {
    sender: Sender<Envelope>,
}

impl Requests {
    pub(crate) fn new(sender: Sender<Envelope>) -> Self {
        Self { sender }
    }

    /// Sends a request, with what shows that it is under way.
    pub(crate) fn send(&self, request: Request, busy: Option<Busy>) {
        // At the end of a run nobody listens any more.
        let _ = self.sender.send(Envelope { request, busy });
    }
}
