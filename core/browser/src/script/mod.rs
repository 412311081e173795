//! Threads that run script: one for each site, one for each extension, in this process or each in one of its own. Each
//! has an engine, and an event loop of the core, which is the browser process's where that is another.

mod bell;
mod documents;
mod event_loop;
mod host;
mod idle;
mod line;
mod main_loop;
mod timers;
mod world;
mod world_host;

use crate::messages::{Task, ThreadIndex};
#[cfg(unix)]
use crate::process::{Gateway, Link, ProcessHandle};
use crate::script_error;
use crate::shared::Shared;
use bell::Bell;
#[cfg(unix)]
use event_loop::Remote;
use event_loop::ScriptEventLoop;
use line::Line;
use main_loop::MainLoop;
use port_core::MessageService;
use std::io;
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread::{self, JoinHandle};

/// Enough for QuickJS's own limit and the native frames between its calls, in bytes.
const STACK: usize = 16 << 20;

/// The browser process's handle of a script thread.
pub(crate) struct ScriptThread {
    kind: ThreadKind,
}

/// Where a script thread runs.
enum ThreadKind {
    /// In this process.
    Here { tasks: mpsc::Sender<Task>, bell: Arc<Bell>, thread: JoinHandle<()> },
    /// In a process of its own.
    #[cfg(unix)]
    Process(ProcessHandle),
}

impl ScriptThread {
    /// Starts a thread.
    pub(crate) fn start(
        name: String,
        index: ThreadIndex,
        service: &MessageService,
        shared: Shared,
    ) -> io::Result<Self> {
        let (sender, tasks) = mpsc::channel();
        let bell = Bell::new(&shared.activity);
        let own_bell = Arc::clone(&bell);
        let service = service.clone();
        let thread = thread::Builder::new().name(name).stack_size(STACK).spawn(move || {
            let retire = RetireOnDrop(own_bell);
            let event_loop = service.event_loop(Waker::from(Arc::clone(&retire.0)));
            let line = Line::Thread { tasks, bell: Arc::clone(&retire.0) };
            run(index, shared, ScriptEventLoop::Here(event_loop), &line);
        })?;
        Ok(Self { kind: ThreadKind::Here { tasks: sender, bell, thread } })
    }

    /// Starts a thread in a process of its own.
    #[cfg(unix)]
    pub(crate) fn start_process(
        name: String,
        index: ThreadIndex,
        gateway: &Gateway,
        shared: &Shared,
    ) -> io::Result<Self> {
        Ok(Self { kind: ThreadKind::Process(gateway.start_process(name, index, shared)?) })
    }

    /// Gives the thread something to do.
    pub(crate) fn send(&self, task: Task) {
        match &self.kind {
            ThreadKind::Here { tasks, bell, .. } => {
                // A thread that is gone needs no tasks.
                if tasks.send(task).is_ok() {
                    bell.ring();
                }
            }
            #[cfg(unix)]
            ThreadKind::Process(process) => process.send(task),
        }
    }

    /// Lets the thread end and waits for it; says whether it did so without a panic.
    pub(crate) fn end(self) -> bool {
        match self.kind {
            ThreadKind::Here { tasks, bell, thread } => {
                drop(tasks);
                bell.ring();
                thread.join().is_ok()
            }
            #[cfg(unix)]
            ThreadKind::Process(process) => {
                process.end();
                true
            }
        }
    }
}

/// Runs scripts in this process for the browser's, which is at the other end of the link, until that lets go.
#[cfg(unix)]
pub(crate) fn run_as_process(link: &Arc<Link>, shared: Shared, index: ThreadIndex) -> io::Result<()> {
    let (link, name) = (Arc::clone(link), link.name().to_owned());
    let thread = thread::Builder::new().name(name).stack_size(STACK).spawn(move || {
        run(index, shared, ScriptEventLoop::Elsewhere(Remote::new(Arc::clone(&link))), &Line::Process(link));
    })?;
    thread.join().map_err(|_| io::Error::other("the thread of script panicked"))
}

fn run(index: ThreadIndex, shared: Shared, event_loop: ScriptEventLoop, line: &Line) {
    let log = Arc::clone(&shared.log);
    match MainLoop::new(index, shared, event_loop) {
        Ok(mut main_loop) => main_loop.run(line),
        Err(error) => script_error::report_engine_error(&log, &error),
    }
}

/// Retires the bell when the thread ends, also by a panic.
struct RetireOnDrop(Arc<Bell>);

impl Drop for RetireOnDrop {
    fn drop(&mut self) {
        self.0.retire();
    }
}
