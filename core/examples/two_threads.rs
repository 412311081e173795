//! Two threads of a browser: an extension's background connects to a content script in a tab.
//!
//! ```text
//! cargo run -p port-core --example two_threads
//! ```

use port_core::{
    ContextDescription, DocumentId, Event, ExtensionId, FrameId, Listening, MessageService, Place, TabId,
    TabTarget, WindowId,
};
use std::error::Error;
use std::sync::mpsc;
use std::task::Waker;
use std::thread;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // The browser process: what there is.
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
    let place = Place::new(TabId::new(1), FrameId::TOP, DocumentId::new(1));
    service.tab_opened(place.tab, WindowId::new(1))?;
    service.frame_attached(place.tab, place.frame, None, place.document)?;

    // The thread of the tab's site: a content script that listens, and answers each message.
    let (is_ready, ready) = mpsc::channel();
    let site = service.clone();
    let content = thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut event_loop = site.event_loop(Waker::noop().clone());
        let script = ContextDescription::content_script(extension, place)
            .url("https://a.example/")
            .origin("https://a.example");
        let context = event_loop.attach(script)?;
        event_loop.set_listening(context, Listening::PORTS)?;
        is_ready.send(())?;
        loop {
            // `wait` is for a thread that does nothing else; `event_loop_waker.rs` shows the other kind.
            match event_loop.wait() {
                Event::Connect { name, .. } => println!("content script: a port named {name:?}"),
                Event::Message { port, payload, .. } => {
                    let answer = format!("{} yourself", str::from_utf8(&payload)?);
                    event_loop.post_message(port, answer.as_str())?;
                }
                Event::Disconnect { reason, .. } => {
                    println!("content script: {reason}");
                    return Ok(());
                }
                _ => {}
            }
        }
    });

    // The thread of the extension: its background connects, once the content script listens.
    ready.recv()?;
    let mut event_loop = service.event_loop(Waker::noop().clone());
    let background = ContextDescription::background(extension)
        .url("chrome-extension://greeter/background.js")
        .origin("chrome-extension://greeter");
    let background = event_loop.attach(background)?;
    let port = event_loop.connect_tab(background, &TabTarget::new(place.tab).name("greetings"))?;
    event_loop.post_message(port, "hello")?;
    loop {
        if let Event::Message { payload, .. } = event_loop.wait() {
            println!("background: {}", str::from_utf8(&payload)?);
            break;
        }
    }
    event_loop.disconnect(port);
    content.join().map_err(|_| "the content script's thread panicked")?
}
