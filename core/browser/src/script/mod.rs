//! Threads that run script: one for each site, one for each extension. Each owns an
//! [`EventLoop`](port_core::EventLoop) of the core and a QuickJS runtime.

mod bell;
mod documents;
mod host;
pub(crate) mod json;
mod main_loop;
pub(crate) mod modules;
pub(crate) mod natives;
mod port_object;
#[path = "../../../webext/src/ports.rs"]
mod ports;
mod rejections;
pub(crate) mod script_error;
#[path = "../../../webext/src/sender_text.rs"]
mod sender_text;
mod timers;
mod world;

use crate::activity::Activity;
use crate::browser::Requests;
use crate::clock::Clock;
use crate::extension::{Extension, Scripts};
use crate::log::Log;
use crate::profile::Profile;
use crate::summary::Counts;
use crate::tabs::TabDirectory;
use crate::trace::Recorder;
use bell::Bell;
use main_loop::MainLoop;
use port_core::{
    ContextDescription, ContextId, ContextKind, DocumentId, ExtensionInstance, MessageService, Place, TabId,
};
use serde::Serialize;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread::{self, JoinHandle};
use url::Url;

/// A script thread, counted from 0 in the order of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ThreadIndex(pub(crate) usize);

/// What all threads of the browser share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// The core.
    pub(crate) service: MessageService,
    /// The browser to follow.
    pub(crate) profile: Profile,
    /// The run's log.
    pub(crate) log: Arc<Log>,
    /// How many messages of each port the log shows.
    pub(crate) shown_messages: u64,
    /// Whether anything is going on.
    pub(crate) activity: Arc<Activity>,
    /// The way to the browser process.
    pub(crate) requests: Requests,
    /// The open tabs, for `sender.tab`.
    pub(crate) tabs: Arc<TabDirectory>,
    /// What time it is.
    pub(crate) clock: Clock,
    /// Where a scenario's events go.
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// Set when scripts have to stop, even in the middle of a loop.
    pub(crate) stopping: Arc<AtomicBool>,
}

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
    /// `location.href`.
    pub(crate) url: Url,
    /// `document.title`.
    pub(crate) title: String,
    /// The frame elements that the document came with.
    pub(crate) elements: Arc<[FrameElement]>,
    /// The element that holds the document's frame: the document it is in, and its number there.
    pub(crate) container: Option<(DocumentId, u32)>,
    /// The tab that a devtools page is about.
    pub(crate) inspected_tab: Option<TabId>,
    /// Whether it is a worker and so has no document.
    pub(crate) is_worker: bool,
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
    /// Run a function in a document, in the world of an extension, which is made if there is none.
    Execute {
        /// The world.
        world: Box<WorldDescription>,
        /// The function as text.
        function: String,
        /// Its arguments as a JSON array.
        arguments: String,
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
    },
    /// Do nothing any more, and tell what was counted. The thread ends when its handle is dropped.
    Stop(mpsc::Sender<Counts>),
}

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    /// A document of a tab.
    Document(Place),
    /// An extension's background.
    Background(ExtensionInstance),
}

/// The browser process's handle of a script thread.
pub(crate) struct ScriptThread {
    tasks: mpsc::Sender<Task>,
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl ScriptThread {
    /// Starts a thread.
    pub(crate) fn start(name: String, index: ThreadIndex, shared: Shared) -> io::Result<Self> {
        /// Enough for QuickJS's own limit and the native frames between its calls.
        const STACK: usize = 16 << 20;

        let (sender, tasks) = mpsc::channel();
        let bell = Bell::new(&shared.activity);
        let own_bell = Arc::clone(&bell);
        let thread = thread::Builder::new().name(name).stack_size(STACK).spawn(move || {
            let retire = RetireOnDrop(own_bell);
            let event_loop = shared.service.event_loop(Waker::from(Arc::clone(&retire.0)));
            match MainLoop::new(index, shared.clone(), event_loop) {
                Ok(mut main_loop) => main_loop.run(&tasks, &retire.0),
                Err(error) => script_error::report_engine_error(&shared.log, &error),
            }
        })?;
        Ok(Self { tasks: sender, bell, thread })
    }

    /// Gives the thread something to do.
    pub(crate) fn send(&self, task: Task) {
        // A thread that is gone needs no tasks.
        if self.tasks.send(task).is_ok() {
            self.bell.ring();
        }
    }

    /// Lets the thread end and waits for it; says whether it did so without a panic.
    pub(crate) fn end(self) -> bool {
        drop(self.tasks);
        self.bell.ring();
        self.thread.join().is_ok()
    }
}

/// Retires the bell when the thread ends, also by a panic.
struct RetireOnDrop(Arc<Bell>);

impl Drop for RetireOnDrop {
    fn drop(&mut self) {
        self.0.retire();
    }
}
