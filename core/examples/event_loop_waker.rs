//! A main loop that has other work too: the core's events are one more task in its queue.
//!
//! ```text
//! cargo run -p port-core --example event_loop_waker
//! ```

use port_core::{ContextDescription, Event, ExtensionId, Listening, MessageService, RuntimeTarget};
use std::error::Error;
use std::sync::mpsc;
use std::task::Waker;
use std::thread;

/// What the thread is given to do. Your main loop has a queue like this one, or an eventfd, or
/// `PostMessage`.
enum Task {
    Print(&'static str),
    LookForEvents,
    Quit,
}

fn main() -> Result<(), Box<dyn Error>> {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
    let page =
        move |url: &str| ContextDescription::page(extension).url(url).origin("chrome-extension://greeter");

    let (tasks, queue) = mpsc::channel();
    let bell = tasks.clone();
    // The core calls this, from any thread, for the first event, and once for each time that it has
    // said that there is none.
    let mut event_loop = service.event_loop_with(move || {
        // A thread that has ended needs no bell.
        let _ = bell.send(Task::LookForEvents);
    });
    let background = event_loop.attach(page("background.html"))?;
    event_loop.set_listening(background, Listening::PORTS)?;

    let printer = tasks.clone();
    let popup = thread::spawn(move || {
        let mut event_loop = service.event_loop(Waker::noop().clone());
        let popup = event_loop.attach(page("popup.html")).expect("the extension is loaded");
        let target = RuntimeTarget::own().name("greetings");
        let port = event_loop.connect_runtime(popup, &target).expect("the popup is attached");
        for text in ["one", "two", "three"] {
            event_loop.post_message(port, text).expect("the port is open");
            printer.send(Task::Print("other work")).expect("the main loop runs");
        }
        event_loop.disconnect(port);
    });

    loop {
        match queue.recv()? {
            Task::Print(text) => println!("{text}"),
            Task::LookForEvents => {
                while let Some(event) = event_loop.next_event() {
                    match event {
                        Event::Message { payload, .. } => println!("heard {}", str::from_utf8(&payload)?),
                        // After what is in the queue by now.
                        Event::Disconnect { .. } => tasks.send(Task::Quit)?,
                        _ => {}
                    }
                }
            }
            Task::Quit => break,
        }
    }
    popup.join().map_err(|_| "the popup's thread panicked".into())
}
