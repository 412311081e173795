//! What a script is told: the one entry through which everything is delivered to a world.

/// Something that a world is told. Each is one task: the embedder runs a microtask checkpoint after
/// it.
///
/// The script's side gets it through the function of the same [name](ScriptEvent::function) in the
/// object `deliver`, with the fields as arguments, in their order. Text that is JSON stays text
/// unless `host.d.ts` says that the function takes the value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ScriptEvent<'a> {
    /// A channel comes in.
    Connect {
        /// The number of this end of the channel.
        port: u32,
        /// Whether it is the channel of one `sendMessage`.
        is_one_off: bool,
        /// The name that the opener gave it.
        name: &'a str,
        /// Who opened it, as JSON: see [`SenderText`](crate::SenderText).
        sender: &'a str,
        /// Whether the opener belongs to another extension.
        is_external: bool,
    },
    /// A message comes in.
    Message {
        /// The channel.
        port: u32,
        /// The message as JSON.
        message: &'a str,
    },
    /// A channel was ended by something else than this world's scripts.
    Disconnect {
        /// The channel.
        port: u32,
        /// The name of the core's [`DisconnectReason`](port_core::DisconnectReason).
        reason: &'a str,
    },
    /// A call was answered.
    Answer {
        /// The number that [`ScriptHost::call`](crate::ScriptHost::call) was given.
        call: u32,
        /// JSON, empty for undefined; `None` where there is an error.
        result: Option<&'a str>,
        /// What went wrong.
        error: Option<&'a str>,
    },
    /// An event of the browser, such as `tabs.onRemoved`.
    Emit {
        /// Its name.
        event: &'a str,
        /// What its listeners are given, as a JSON array.
        details: &'a str,
    },
    /// A timer is due.
    Timer(u32),
    /// The document got as far as `interactive` or `complete`.
    ReadyState(&'a str),
    /// A frame element of the document has loaded.
    FrameLoaded(u32),
    /// A frame element of the document could not be loaded.
    FrameFailed(u32),
    /// Another window of the tab posted a message, which is JSON.
    FrameMessage {
        /// The message.
        message: &'a str,
        /// The origin of the sender.
        origin: &'a str,
        /// The sender's window: `parent`, `top`, or the number of a frame element.
        from: Option<&'a str>,
    },
    /// The extension of a content script is no more, and in Chromium its scripts live on.
    Invalidated,
    /// A person clicks the first element that fits a selector.
    Press(&'a str),
    /// A person types a text into the element that has the focus.
    Type(&'a str),
    /// The document is asked whether it may go.
    BeforeUnload,
    /// The document goes away: `Cached`, `Navigated`, `Removed` or `Closed`.
    Leave(&'a str),
    /// The document came back from the back/forward cache.
    Restored,
    /// The user went back or forward within the document.
    Traversed(i32),
    /// A script posted a message, which is JSON, to the document's window.
    WindowMessage(&'a str),
    /// A function is to be run.
    Execute {
        /// The function as text.
        function: &'a str,
        /// Its arguments, as a JSON array.
        arguments: &'a str,
        /// The number under which to answer.
        number: u64,
    },
    /// Classic scripts are to be run, one after the other; the value of the last is the answer.
    Inject {
        /// A JSON array of `{url, text}`.
        scripts: &'a str,
        /// The number under which to answer.
        number: u64,
    },
}

impl ScriptEvent<'_> {
    /// Returns the name of the function in `deliver` that takes the event.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Message { .. } => "message",
            Self::Disconnect { .. } => "disconnect",
            Self::Answer { .. } => "answer",
            Self::Emit { .. } => "emit",
            Self::Timer(_) => "timer",
            Self::ReadyState(_) => "readyState",
            Self::FrameLoaded(_) => "frameLoaded",
            Self::FrameFailed(_) => "frameFailed",
            Self::FrameMessage { .. } => "frameMessage",
            Self::Invalidated => "invalidated",
            Self::Press(_) => "press",
            Self::Type(_) => "type",
            Self::BeforeUnload => "beforeUnload",
            Self::Leave(_) => "leave",
            Self::Restored => "restored",
            Self::Traversed(_) => "traversed",
            Self::WindowMessage(_) => "windowMessage",
            Self::Execute { .. } => "execute",
            Self::Inject { .. } => "inject",
        }
    }
}

/// A world of scripts, as the embedder delivers to it. An engine's glue implements this.
pub trait ScriptSurface {
    /// Delivers an event: calls the function of its name with its fields. What the script throws is the
    /// glue's to report, and does not come back.
    fn deliver(&self, event: &ScriptEvent<'_>);
}
