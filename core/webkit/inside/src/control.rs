//! What a web page and the browser tell each other beside messages: facts, calls of the API and their answers.
//!
//! Each is JSON, in one order with messages: see `stream.rs`. The browser believes nothing of what comes: see `facts.rs`
//! there.

use serde::{Deserialize, Serialize};

/// A frame of a page, by the number that its page gave it; 0 is the top frame.
pub type FrameNumber = u32;
/// A document of a page, by the number that its page gave it.
pub type DocumentNumber = u32;
/// A context of a page, by the number that its page gave it.
pub type ContextKey = u32;

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromPage {
    /// A frame shows a new document.
    Document {
        /// The frame.
        frame: FrameNumber,
        /// The frame that holds it; `None` for the top frame.
        parent: Option<FrameNumber>,
        /// The document.
        document: DocumentNumber,
        /// Its URL.
        url: String,
        /// The URL of the page that made a document which has none of the web's own.
        maker: Option<String>,
        /// Whether a sandbox gives it an origin of its own.
        is_sandboxed: bool,
    },
    /// A world of an extension's scripts is made in a document.
    World {
        /// The context.
        context: ContextKey,
        /// The document.
        document: DocumentNumber,
        /// The extension.
        extension: String,
        /// Whether the document is a page of the extension itself.
        is_page: bool,
    },
    /// A document is left. If it is kept, it may come back.
    Hidden {
        /// The document.
        document: DocumentNumber,
        /// Whether it went into the back/forward cache.
        is_kept: bool,
    },
    /// A document came back from the back/forward cache.
    Shown {
        /// The document.
        document: DocumentNumber,
    },
    /// A frame was removed.
    Removed {
        /// The frame.
        frame: FrameNumber,
    },
    /// The scripts of a context are garbage that was collected: its document is no more.
    Collected {
        /// The context.
        context: ContextKey,
    },
    /// A script calls an asynchronous method of the API.
    Call {
        /// The caller.
        context: ContextKey,
        /// The number under which to answer.
        number: u32,
        /// The method, as `tabs.query`.
        method: String,
        /// A JSON array.
        arguments: String,
    },
    /// A script writes to the console.
    Console {
        /// The context.
        context: ContextKey,
        /// `log`, `info`, `warn`, `error` or `debug`.
        level: String,
        /// What it writes.
        text: String,
    },
    /// A context hears its first message.
    Heard {
        /// The context.
        context: ContextKey,
    },
    /// What its scripts have called is on its way, before this.
    Flushed {
        /// The number under which the browser asked.
        number: u64,
    },
    /// What was to be executed was.
    Executed {
        /// The number of the execution.
        number: u32,
        /// JSON, `None` for undefined, or what was thrown.
        outcome: Result<Option<String>, String>,
    },
}

/// What the browser tells a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToPage {
    /// The extensions that are loaded now.
    Extensions(Vec<Package>),
    /// The content scripts that an extension has registered now, as `getRegisteredContentScripts` shows them.
    Registered {
        /// The extension.
        extension: String,
        /// The scripts.
        scripts: Vec<serde_json::Value>,
    },
    /// The open tabs, as JSON: to pages of extensions alone.
    Tabs(Vec<OpenTab>),
    /// An answer to a call.
    Answer {
        /// The caller.
        context: ContextKey,
        /// The number of the call.
        number: u32,
        /// JSON, empty for undefined, or what went wrong.
        outcome: Result<String, String>,
    },
    /// An event of the browser.
    Emit {
        /// Whose pages are told.
        extension: String,
        /// As `tabs.onRemoved`.
        event: String,
        /// A JSON array.
        details: String,
        /// Whether content scripts are told too.
        everywhere: bool,
    },
    /// Scripts are to be run in a document, in the extension's world or the page's own.
    Execute {
        /// The number under which to answer.
        number: u32,
        /// The document.
        document: DocumentNumber,
        /// The extension.
        extension: String,
        /// Whether in the world of the page's own scripts.
        in_pages_world: bool,
        /// What to run.
        code: Code,
    },
    /// The page is to say when what its scripts have called is on its way.
    Flush {
        /// The number under which to answer.
        number: u64,
    },
    /// The core knows that a page came back from the back/forward cache: its contexts may connect again.
    Restored,
    /// A world's document or extension is gone, or was never one of the core's: it gets no context.
    Refused {
        /// The context.
        context: ContextKey,
    },
    /// A document that was taken for gone is there again: its contexts are to be attached anew.
    Again {
        /// The document.
        document: DocumentNumber,
    },
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// A function as text, with a JSON array of arguments.
    Function(String, String),
    /// Classic scripts, each with its URL; the value of the last counts.
    Scripts(Vec<(String, String)>),
    /// No script, but a style of the document, to be inserted or taken away.
    Style {
        /// The CSS.
        css: String,
        /// Whether it is inserted.
        is_inserted: bool,
    },
}

/// An extension as its content scripts need it, in every web process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What its folder is called: with it the id is the same in every process.
    pub identity: String,
    /// Which load of it this is.
    pub instance: u64,
    /// `manifest.json` and the scripts, by their paths.
    pub files: Vec<(String, String)>,
    /// The content scripts that it has registered, as `getRegisteredContentScripts` shows them.
    pub registered: Vec<serde_json::Value>,
}

/// What every web process is told when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The profile's name.
    pub profile: String,
    /// The extensions that are loaded.
    pub extensions: Vec<Package>,
}

/// An open tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTab {
    /// `id`.
    pub id: u64,
    /// `windowId`.
    pub window: u64,
    /// `index`.
    pub index: usize,
    /// `active`.
    pub active: bool,
    /// `url`.
    pub url: String,
    /// `title`.
    pub title: String,
    /// Whether it is loaded.
    pub complete: bool,
    /// `lastAccessed`.
    pub last_accessed: u64,
    /// The extensions that the user let see the page.
    pub granted: Vec<String>,
}
