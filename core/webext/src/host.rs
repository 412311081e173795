//! What a script calls: the one boundary between the script's side and the embedder, in plain
//! numbers, text and bytes.
//!
//! An engine's glue makes a native function of each method, under the name that `host.d.ts` gives it,
//! for one world: one script context of one extension. The functions of a world are
//! never handed to another. Whatever a script can do with them it may do: nothing here trusts the
//! numbers that a script hands in.

use crate::refusal::Refusal;

/// What scripts call for messaging: the natives of `createApi`.
///
/// Each value stands for one context, and every call is made on the context's own thread.
/// A port number belongs to the context that was given it; another's is refused.
pub trait ScriptHost {
    /// Opens a channel to the frames of a tab, and returns its number.
    ///
    /// `frame` and `document` narrow it down to one; a document's id is text as the profile shows
    /// it. `is_one_off` tells the channel of one `sendMessage` from a port. A tab that does
    /// not exist is no error: the channel ends with the reason `NoReceiver`.
    ///
    /// # Errors
    /// [`Refusal::Gone`] when the context is no more, otherwise a limit in words.
    fn connect_tab(
        &self,
        tab: u64,
        frame: Option<u64>,
        document: Option<&str>,
        name: &str,
        is_one_off: bool,
    ) -> Result<u32, Refusal>;

    /// Opens a channel to the pages of the context's own extension, or of another with an id, and
    /// returns its number.
    ///
    /// # Errors
    /// Those of [`ScriptHost::connect_tab`].
    fn connect_runtime(&self, extension: Option<&str>, name: &str, is_one_off: bool) -> Result<u32, Refusal>;

    /// Posts a message, which is JSON, on a channel.
    ///
    /// # Errors
    /// [`Refusal::Disconnected`], [`Refusal::TooLarge`], [`Refusal::Gone`], or in words that a receiver
    /// is too far behind.
    fn post_message(&self, port: u32, message: String) -> Result<(), Refusal>;

    /// Ends a channel.
    ///
    /// # Errors
    /// [`Refusal::Disconnected`] when it has ended already or is not the context's.
    fn disconnect(&self, port: u32) -> Result<(), Refusal>;

    /// Says which of the four events by which connections come in have listeners. A context that has
    /// none of an event is no receiver of what it tells of.
    fn set_listening(&self, ports: bool, one_off: bool, external_ports: bool, external_one_off: bool);

    /// Says whether an event that is [emitted](crate::ScriptEvent::Emit), such as `tabs.onRemoved`, has listeners. What
    /// comes for a background that was stopped starts it if there were some. By default nobody is told.
    fn set_heard(&self, event: String, is_heard: bool) {
        let _ = (event, is_heard);
    }

    /// Asks for an asynchronous call such as `tabs.query`. `arguments` is a JSON array, checked by
    /// the script's side as to types, with `null` for those left out. The answer is delivered as
    /// [`ScriptEvent::Answer`](crate::ScriptEvent::Answer) under `number`.
    fn call(&self, number: u32, method: String, arguments: String);

    /// Writes a line to the console. `level` is `log`, `info`, `warn`, `error` or `debug`.
    fn console(&self, level: &str, text: &str);

    /// Reports what a listener threw and nobody caught: the value as text, and the engine's stack.
    fn report_exception(&self, message: &str, stack: &str);
}

/// What the polyfills call, for an engine without a web platform of its own.
pub trait PageHost {
    /// Sets a timer, which is delivered as [`ScriptEvent::Timer`](crate::ScriptEvent::Timer) after
    /// so many milliseconds. A number that is set already is set anew.
    fn set_timer(&self, timer: u32, milliseconds: f64);

    /// Forgets a timer.
    fn clear_timer(&self, timer: u32);

    /// Returns `performance.now()`, in milliseconds.
    fn now(&self) -> f64;

    /// Returns the URL and the text of a script that a worker imports.
    ///
    /// # Errors
    /// Gives in words why there is none, or why the worker must not have it.
    fn import_script(&self, url: &str) -> Result<(String, String), String>;

    /// Returns the document's URL; `None` where there is no document.
    fn document_url(&self) -> Option<String>;

    /// Gives the document another URL, as `history.pushState` does.
    fn set_document_url(&self, url: &str, replace: bool);

    /// Posts a message, which is JSON, to the document's own window.
    fn post_window_message(&self, message: String);

    /// Gives the document another title.
    fn set_title(&self, title: String);

    /// Reads or changes the storage of the document's origin. `area` is `local` or `session`; `what` is `get`, `set`,
    /// `remove`, `clear` or `keys`, which gives a JSON array. Returns `None` for a key that is not there.
    fn site_storage(&self, area: &str, what: &str, key: &str, value: String) -> Option<String>;

    /// Returns the text of a file of the context's own extension.
    ///
    /// # Errors
    /// Gives in words why there is none, or why the context must not have it.
    fn read_file(&self, url: &str) -> Result<String, String>;

    /// Closes the window that shows the document, as `window.close` does.
    fn close_window(&self);

    /// Opens a page in another tab, as `window.open` does.
    fn open_window(&self, url: &str);

    /// Navigates the frame.
    fn go(&self, url: &str, replace: bool);

    /// Loads the document anew.
    fn reload(&self);

    /// Goes back or forward in the session history.
    fn traverse(&self, delta: i32);

    /// Returns the frame elements of the document as a JSON array of `{number, id, src}`.
    fn frame_elements(&self) -> String;

    /// Posts a message, which is JSON, to another window of the tab: that of a frame element of the document, or else
    /// the parent's, or the topmost one.
    fn post_frame_message(&self, element: Option<u32>, is_top: bool, message: String);

    /// Puts a frame element into the document, and returns its number there.
    fn add_frame_element(&self, id: String, src: String, sandbox: Option<String>) -> Option<u32>;

    /// Has a frame element show something else.
    fn navigate_frame_element(&self, element: u32, src: &str);

    /// Takes a frame element out of the document. The worlds in it hear so before this returns: the
    /// host calls `leave` with the number of each, and ends it then.
    fn remove_frame_element(&self, element: u32, leave: &mut dyn FnMut(u64));

    /// Returns the number of the world of the extension's background page, if it is one of this thread's: its window
    /// is what `extension.getBackgroundPage` gives.
    fn background_window(&self) -> Option<u64>;

    /// Says, while it is delivered [`ScriptEvent::Press`](crate::ScriptEvent::Press) or
    /// [`ScriptEvent::Type`](crate::ScriptEvent::Type), that there is such an element.
    fn pressed(&self);

    /// Says, while it is delivered [`ScriptEvent::BeforeUnload`](crate::ScriptEvent::BeforeUnload), that a script
    /// listens for `unload`: such a page is not kept in the back/forward cache.
    fn keep_from_cache(&self);

    /// Answers [`ScriptEvent::Execute`](crate::ScriptEvent::Execute) under its number: with JSON,
    /// empty for undefined, or with what was thrown. A number that the context was not given is
    /// ignored.
    fn executed(&self, number: u64, outcome: Result<String, String>);
}
