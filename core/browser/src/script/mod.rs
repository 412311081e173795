//! Threads that run script: one for each site, one for each extension. Each owns an
//! [`EventLoop`](port_core::EventLoop) of the core and an engine.

mod bell;
mod documents;
mod host;
mod idle;
mod main_loop;
mod timers;
mod world;
mod world_host;

use crate::messages::{Task, ThreadIndex};
use crate::script_error;
use crate::shared::Shared;
use bell::Bell;
use main_loop::MainLoop;
use std::io;
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread::{self, JoinHandle};

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
