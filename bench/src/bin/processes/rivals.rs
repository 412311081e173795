//! What is measured from within this process: `ipc-channel` to another process, and the core between two threads.

use super::children::command;
use super::roles::{IpcEnds, KINDS, SHORT};
use ipc_channel::ipc::IpcOneShotServer;
use port_core::{
    ContextDescription, Event, EventLoop, ExtensionId, Listening, MessageService, PortId, RuntimeTarget,
};
use std::process::Child;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// `ipc-channel`, with an echoing process.
pub(crate) struct Ipc {
    child: Child,
    ends: IpcEnds,
}

impl Ipc {
    pub(crate) fn start() -> Self {
        let (server, name) = IpcOneShotServer::<IpcEnds>::new().expect("a server");
        let child = command("ipc-echo").arg(name).spawn().expect("this program starts again");
        let (_, ends) = server.accept().expect("the process connects");
        Self { child, ends }
    }

    /// Seconds of so many round trips.
    pub(crate) fn round(&self, count: usize) -> f64 {
        let began = Instant::now();
        for _ in 0..count {
            self.ends.0.send(&[KINDS.0; SHORT]).expect("the process is there");
            self.ends.1.recv().expect("the process is there");
        }
        began.elapsed().as_secs_f64()
    }

    /// Seconds of so many messages one way, each a send.
    pub(crate) fn each(&self, count: usize) -> f64 {
        let began = Instant::now();
        (1..count).for_each(|_| self.ends.0.send(&[KINDS.1; SHORT]).expect("the process is there"));
        self.ends.0.send(&[KINDS.0; SHORT]).expect("the process is there");
        self.ends.1.recv().expect("the process is there");
        began.elapsed().as_secs_f64()
    }
}

impl Drop for Ipc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Wakes a thread that parks.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The core, between this thread and one that echoes.
pub(crate) struct InProcess {
    event_loop: EventLoop,
    port: PortId,
    echo: Option<JoinHandle<()>>,
}

/// Nothing takes so long but what is broken.
const PATIENCE: Duration = Duration::from_secs(60);

fn next(event_loop: &mut EventLoop) -> Event {
    let began = Instant::now();
    loop {
        if let Some(event) = event_loop.next_event() {
            return event;
        }
        assert!(began.elapsed() < PATIENCE, "the other thread is gone");
        thread::park_timeout(PATIENCE);
    }
}

fn event_loop(service: &MessageService) -> EventLoop {
    service.event_loop(Waker::from(Arc::new(Unpark(thread::current()))))
}

impl InProcess {
    pub(crate) fn start() -> Self {
        let service = MessageService::default();
        let extension = service.extension_loaded(ExtensionId::new("in-process")).expect("new");
        let (ready, listens) = std::sync::mpsc::channel();
        let other = service.clone();
        let echo = thread::spawn(move || {
            let mut event_loop = event_loop(&other);
            let context = event_loop.attach(ContextDescription::background(extension)).expect("loaded");
            event_loop.set_listening(context, Listening::PORTS).expect("attached");
            ready.send(()).expect("waited for");
            loop {
                match next(&mut event_loop) {
                    Event::Message { port, payload, .. } if payload[0] == KINDS.0 => {
                        drop(event_loop.post_message(port, &*payload));
                    }
                    Event::Disconnect { .. } => return,
                    _ => {}
                }
            }
        });
        listens.recv().expect("the thread listens");
        let mut event_loop = event_loop(&service);
        let context = event_loop.attach(ContextDescription::page(extension)).expect("loaded");
        let port = event_loop.connect_runtime(context, &RuntimeTarget::own()).expect("a port");
        Self { event_loop, port, echo: Some(echo) }
    }

    /// Seconds of so many round trips.
    pub(crate) fn round(&mut self, count: usize) -> f64 {
        let began = Instant::now();
        for _ in 0..count {
            self.post(KINDS.0);
            self.hear();
        }
        began.elapsed().as_secs_f64()
    }

    /// Seconds of so many messages one way.
    pub(crate) fn one_way(&mut self, count: usize) -> f64 {
        let began = Instant::now();
        (1..count).for_each(|_| self.post(KINDS.1));
        self.post(KINDS.0);
        self.hear();
        began.elapsed().as_secs_f64()
    }

    fn post(&mut self, kind: u8) {
        self.event_loop.post_message(self.port, &[kind; SHORT]).expect("far from full");
    }

    fn hear(&mut self) {
        while !matches!(next(&mut self.event_loop), Event::Message { .. }) {}
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.event_loop.disconnect(self.port);
        drop(self.echo.take().map(JoinHandle::join));
    }
}
