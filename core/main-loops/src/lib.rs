//! One example for each kind of main loop that may take port-core's events beside its other work: a plain thread, mio, tokio, calloop,
//! and winit's proxy. `docs/embedding.md` tells which is for whom; each lies in `examples/`, complete and to be copied.
//!
//! This library is what the examples and their tests share: a scene of two threads that run the same kind of main loop.
//!
//! ```text
//! cargo run -p port-core-main-loops --example mio
//! ```

use port_core::{
    ContextDescription, ContextId, DocumentId, Event, EventLoop, ExtensionId, FrameId, Listening,
    MessageService, Place, TabId, TabTarget, WindowId,
};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::thread;

/// The guide's Rust, which the tests compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Guide;

/// Puts contexts on an event loop that was just made.
pub type Attach<'a> = &'a mut dyn FnMut(&mut EventLoop);

/// Handles an event. The main loop ends when it breaks.
pub type Handle<'a> = &'a mut dyn FnMut(&mut EventLoop, Event) -> ControlFlow<()>;

/// A main loop: makes an event loop on the calling thread, has contexts put on it, and hands out its events. Counts how
/// often it turns.
pub type MainLoop = fn(&MessageService, Attach<'_>, Handle<'_>, turns: &AtomicUsize);

/// What there is: an extension, and a tab with one document.
#[derive(Debug)]
pub struct Scene {
    service: MessageService,
    background: ContextDescription,
    script: ContextDescription,
    tab: TabId,
}

impl Scene {
    /// Reports the facts.
    ///
    /// # Errors
    ///
    /// None: they are the first.
    pub fn new() -> Result<Self, port_core::FactError> {
        let service = MessageService::default();
        let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
        let place = Place::new(TabId::new(7), FrameId::TOP, DocumentId::new(1));
        service.tab_opened(place.tab, WindowId::new(1))?;
        service.frame_attached(place.tab, place.frame, None, place.document)?;
        let background = ContextDescription::background(extension);
        let script = ContextDescription::content_script(extension, place);
        Ok(Self { service, background, script, tab: place.tab })
    }

    /// Runs a content script on a main loop: it echoes messages until its port ends. Says so once it is there.
    pub fn run_echo(&self, main_loop: MainLoop, turns: &AtomicUsize, is_there: mpsc::Sender<()>) {
        let mut attach = |event_loop: &mut EventLoop| {
            let script = event_loop.attach(self.script.clone()).expect("the document is shown");
            event_loop.set_listening(script, Listening::PORTS).expect("it is attached");
            is_there.send(()).expect("somebody waits");
        };
        let mut echo = |event_loop: &mut EventLoop, event| {
            match &event {
                Event::Message { port, payload, .. } => {
                    event_loop.post_message(*port, payload).expect("the port is open");
                }
                Event::Disconnect { .. } => return ControlFlow::Break(()),
                _ => {}
            }
            ControlFlow::Continue(())
        };
        main_loop(&self.service, &mut attach, &mut echo, turns);
    }

    /// Runs a background on a main loop: it posts so many messages, each after the answer to the one before and after `pause`, then
    /// disconnects. Returns the answers.
    pub fn run_rounds(&self, main_loop: MainLoop, rounds: usize, mut pause: impl FnMut()) -> usize {
        let (mut port, mut answers) = (None, 0);
        let mut connect = |event_loop: &mut EventLoop| {
            let background: ContextId = event_loop.attach(self.background.clone()).expect("it is loaded");
            let opened =
                event_loop.connect_tab(background, &TabTarget::new(self.tab)).expect("there is room");
            event_loop.post_message(opened, "ping").expect("the port is open");
            port = Some(opened);
        };
        let mut next = |event_loop: &mut EventLoop, event| {
            let Event::Message { port, .. } = event else { return ControlFlow::Continue(()) };
            answers += 1;
            if answers == rounds {
                event_loop.disconnect(port);
                return ControlFlow::Break(());
            }
            pause();
            event_loop.post_message(port, "ping").expect("the port is open");
            ControlFlow::Continue(())
        };
        main_loop(&self.service, &mut connect, &mut next, &AtomicUsize::new(0));
        answers
    }
}

/// Has a content script echo on a main loop of its own thread, and does something beside it. `act` is given the scene and how often
/// the echo's main loop turned; it must end the echo by [`run_rounds`](Scene::run_rounds).
///
/// # Errors
///
/// None: the facts are the first.
pub fn beside_an_echo<T>(
    main_loop: MainLoop,
    act: impl FnOnce(&Scene, &AtomicUsize) -> T,
) -> Result<T, port_core::FactError> {
    let (scene, turns) = (Scene::new()?, AtomicUsize::new(0));
    Ok(thread::scope(|scope| {
        let (is_there, there) = mpsc::channel();
        scope.spawn(|| scene.run_echo(main_loop, &turns, is_there));
        there.recv().expect("the content script attaches");
        act(&scene, &turns)
    }))
}

/// Has two threads with this kind of main loop talk, and prints how it went: the `main` of every example.
///
/// # Errors
///
/// None that is to be expected.
pub fn two_threads(main_loop: MainLoop) -> Result<(), Box<dyn std::error::Error>> {
    let answers = beside_an_echo(main_loop, |scene, _| scene.run_rounds(main_loop, 1_000, || {}))?;
    println!("{answers} answers");
    Ok(())
}
