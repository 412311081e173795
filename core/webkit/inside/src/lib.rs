//! The library that WebKitGTK loads into its web processes.
//!
//! It gives extensions' scripts their API in script worlds of their own, runs content scripts, tells the browser of
//! frames and documents, and carries messages by [`port_core_gateway::Stub`]. Nothing of it is trusted by the browser:
//! it lives in a process with the scripts of web pages.
//!
//! - [`webkit`]: WebKit's C functions behind safe ones; all unsafe code is there and in this file.
//! - [`control`]: what a page and the browser tell each other beside messages. [`stream`]: how that and messages go over
//!   one socket. The browser's package uses both too. `link`: a page's end of the socket.
//! - `process`: the extensions, worlds and pages of a process. `page`: one page with its socket. `documents`: its
//!   frames. `world`: one extension's scripts in one document. `natives`, `hearing`: what those call and are told; `batch`:
//!   messages together; `pace`: when a turn waits for the next. `holding`: how scripts wait for the browser to know of them.
//!
//! All of it runs on the process's main thread.

mod batch;
pub mod control;
mod documents;
mod extensions;
mod hearing;
mod holding;
mod link;
mod natives;
mod pace;
mod page;
mod process;
pub mod stream;
mod values;
pub mod webkit;
mod world;

pub use page::SOCKET;

/// Is called by WebKit once a web process has started, with what the browser set as initialization user data: a
/// [`Start`](control::Start) as JSON.
///
/// # Safety
///
/// WebKit alone calls it, with an extension that lives as long as the process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webkit_web_process_extension_initialize_with_user_data(
    extension: *mut glib::gobject_ffi::GObject,
    user_data: *mut glib::ffi::GVariant,
) {
    // SAFETY: WebKit hands in a variant or null.
    let start = unsafe { webkit::text_of(user_data) };
    let Some(start) = start.and_then(|start| serde_json::from_str(&start).ok()) else {
        eprintln!("port-core: the browser and the library in its web processes are of different versions");
        return;
    };
    let process = process::Process::new(start);
    // SAFETY: WebKit hands in its extension.
    unsafe { webkit::on_new_page(extension, move |page| process.new_page(page)) };
}
