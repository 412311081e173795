//! A renderer process's end of its socket: the core's calls and events, tasks and requests.

use super::frames::{BadFrame, Idle, Incoming, Kind, LONGEST, Outgoing};
use super::words::{Beginning, Down, SentCounts, SentWorld, Up};
use crate::activity::Activity;
use crate::clock::Clock;
use crate::log::Log;
use crate::messages::{Call, Request, Requests, Task, ThreadIndex, WorldDescription};
use crate::scenario::Recorder;
use crate::shared::Shared;
use crate::summary::Counts;
use port_core::{ContextId, ExtensionInstance};
use port_core_gateway::{ContextNumber, LookOut, Stub, StubEvent};
use port_core_webext::extension::{Extension, Files};
use port_core_webext::{Profile, TabDirectory};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many bytes are read at once.
const READ: usize = 64 << 10;

/// So many bytes are sent before a turn of the main loop has ended.
const SOON: usize = 32 << 10;

/// How often the socket is not looked at after a read that found all that there was: in the turn of the main loop that
/// does what came, and in the one that finds nothing more to do and then sleeps in the read.
const TURNS: u8 = 2;

/// A renderer's end of its socket. It belongs to the process's one thread of script; the lock is there because what it
/// is lent to (the log, the way of requests) may be shared between threads.
pub(crate) struct Link {
    inner: Mutex<Inner>,
    tabs: Arc<TabDirectory>,
    beginning: Beginning,
}

struct Inner {
    /// It blocks unless told otherwise.
    socket: UnixStream,
    stub: Stub,
    /// Events that were taken while a grant was looked for.
    events: VecDeque<StubEvent>,
    outgoing: Outgoing,
    incoming: Incoming,
    read: Box<[u8]>,
    /// So many reads are left out, for the last one found all that there was.
    left_out: u8,
    look_out: LookOut,
    said: VecDeque<Down>,
    /// Answers to calls that could not be sent.
    answers: VecDeque<Task>,
    file: Option<Result<String, String>>,
    extensions: BTreeMap<ExtensionInstance, Arc<Extension>>,
    profile: Profile,
    clock: Clock,
    /// All that was read, in bytes.
    received: u64,
    /// What was said last of being idle, and after how many bytes written.
    idle: Option<(Idle, u64)>,
    counts: Option<Receiver<Counts>>,
    /// The browser is gone, or not what it should be.
    is_over: bool,
}

impl Link {
    /// Makes the renderer's end of a socket, and waits for the browser's first word; `None` if there is none.
    pub(crate) fn begin(socket: OwnedFd) -> io::Result<Option<Arc<Self>>> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(false)?;
        let mut inner = Inner {
            socket,
            stub: Stub::new(),
            events: VecDeque::new(),
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            read: vec![0; READ].into(),
            left_out: 0,
            look_out: LookOut::default(),
            said: VecDeque::new(),
            answers: VecDeque::new(),
            file: None,
            extensions: BTreeMap::new(),
            profile: Profile::default(),
            clock: Clock::start(),
            received: 0,
            idle: None,
            counts: None,
            is_over: false,
        };
        let tabs = Arc::default();
        let beginning = loop {
            if let Some(Down::Begin(beginning)) = inner.said.pop_front() {
                break beginning;
            }
            if inner.is_over {
                return Ok(None);
            }
            inner.exchange(&tabs);
        };
        inner.profile = beginning.profile.parse().unwrap_or_default();
        inner.clock = Clock::since(beginning.time_origin);
        Ok(Some(Arc::new(Self { inner: Mutex::new(inner), tabs, beginning })))
    }

    /// The site that this process is for.
    pub(crate) fn name(&self) -> &str {
        &self.beginning.name
    }

    /// What this process has for what the threads of one process share, and the number that the browser gave it.
    pub(crate) fn shared(self: &Arc<Self>) -> (Shared, ThreadIndex) {
        let Beginning {
            thread,
            shown_messages,
            interest,
            records,
            idle,
            unanswered,
            waits_for_idle,
            ref scenario_global,
            ..
        } = self.beginning;
        let pass_on = |link: &Arc<Self>| Arc::clone(link);
        let (log, requests, recorder) = (pass_on(self), pass_on(self), pass_on(self));
        // Once a process.
        let leak = |text: &String| -> &'static str { text.clone().leak() };
        let inner = self.inner();
        let shared = Shared {
            profile: inner.profile,
            log: Arc::new(Log::to_elsewhere(interest, move |context, event| {
                let event = serde_json::to_value(event).expect("plain data");
                log.send(&Up::Log { context: context.to_owned(), event });
            })),
            shown_messages,
            // What is under way here is told to the browser in another way.
            activity: Activity::new(|| {}),
            requests: Requests::elsewhere(move |request| requests.request(request)),
            tabs: Arc::clone(&self.tabs),
            idle,
            unanswered,
            waits_for_idle,
            clock: inner.clock,
            recorder: records
                .then(|| Arc::new(Recorder::to_elsewhere(move |events| recorder.send(&Up::Record(events))))),
            scenario_global: scenario_global.as_ref().map(|(name, source)| (leak(name), leak(source))),
            stopping: Arc::default(),
        };
        (shared, ThreadIndex(thread))
    }

    // The core's calls and events.

    /// Makes a call of the core.
    pub(crate) fn stub<R>(&self, call: impl FnOnce(&mut Stub) -> R) -> R {
        let mut inner = self.inner();
        let result = call(&mut inner.stub);
        if inner.stub.output().len() >= SOON {
            inner.flush();
        }
        result
    }

    /// Attaches a context that was granted; says whether it was.
    pub(crate) fn attach(&self, number: u64) -> bool {
        let mut inner = self.inner();
        let context = ContextNumber::from_bits(number);
        // The grant came before what spoke of it, but events are taken one by one.
        loop {
            if inner.stub.attach(context).is_ok() {
                return true;
            }
            match inner.next_of_stub() {
                Some(event) => inner.events.push_back(event),
                None => return false,
            }
        }
    }

    /// Takes the next event of the core that has come.
    pub(crate) fn next_event(&self) -> Option<StubEvent> {
        let mut inner = self.inner();
        inner.events.pop_front().or_else(|| inner.next_of_stub())
    }

    /// A context is no more.
    pub(crate) fn forget(&self, context: ContextId) {
        self.send(&Up::Over(context.to_bits()));
    }

    // Tasks and requests.

    /// Takes the next task that has come.
    pub(crate) fn next_task(self: &Arc<Self>) -> Result<Task, TryRecvError> {
        loop {
            let mut inner = self.inner();
            if let Some(answer) = inner.answers.pop_front() {
                return Ok(answer);
            }
            if inner.said.is_empty() {
                inner.receive(&self.tabs);
            }
            let Some(said) = inner.said.pop_front() else {
                return Err(if inner.is_over { TryRecvError::Disconnected } else { TryRecvError::Empty });
            };
            drop(inner);
            match said {
                Down::Task(task) => return Ok(task),
                Down::Load { worlds, then } => {
                    let worlds = worlds.into_iter().filter_map(|world| self.world(world)).collect();
                    return Ok(Task::Load { worlds, then });
                }
                Down::Execute { world, code, number } => {
                    if let Some(world) = self.world(*world) {
                        return Ok(Task::Execute { world: Box::new(world), code, number });
                    }
                }
                Down::Extension { instance, identity, folder } => {
                    self.load_extension(instance, identity, folder);
                }
                Down::Stop => {
                    let (sender, counts) = mpsc::channel();
                    self.inner().counts = Some(counts);
                    return Ok(Task::Stop(sender));
                }
                // Handled as they come.
                Down::Begin(_) | Down::Tabs(_) | Down::File(_) => {}
            }
        }
    }

    fn world(self: &Arc<Self>, sent: SentWorld) -> Option<WorldDescription> {
        let extension = self.inner().extensions.get(&sent.instance).cloned()?;
        let link = Arc::clone(self);
        Some(sent.into_description(extension, move |number| link.send(&Up::Over(number))))
    }

    fn load_extension(self: &Arc<Self>, instance: ExtensionInstance, identity: String, folder: String) {
        let profile = self.inner().profile;
        let files = AskedFiles { link: Arc::clone(self), instance, identity, folder };
        // It was loaded in the browser, so it can be here.
        if let Ok(extension) = Extension::load(Arc::new(files), profile) {
            self.inner().extensions.insert(instance, Arc::new(extension));
        }
    }

    /// Sends a request.
    fn request(&self, request: Request) {
        match request {
            Request::Call(Call { caller, number, method, arguments }) => {
                let context = caller.context;
                let call = Up::Call { context: context.to_bits(), number, method, arguments };
                if !self.try_send(&call) {
                    let outcome = Err("the arguments are too long for this browser".to_owned());
                    self.inner().answers.push_back(Task::Answer { context, call: number, outcome });
                }
            }
            request => self.send(&Up::Request(request)),
        }
    }

    /// Sends a word, behind the calls that were made before. One that is too long for the browser is lost.
    fn send(&self, word: &Up) {
        self.try_send(word);
    }

    /// Sends a word, behind the calls that were made before. Says whether it is short enough.
    fn try_send(&self, word: &Up) -> bool {
        let bytes = serde_json::to_vec(word).expect("plain data");
        let mut inner = self.inner();
        let is_short = bytes.len() <= LONGEST;
        if is_short {
            inner.write(&bytes);
        }
        is_short
    }

    /// Sends what a turn of the main loop came to. If there is something, and the loop says that it has nothing to do but
    /// to wait (`idle`: whether for a timer too), the browser is told so at the same time.
    pub(crate) fn end_turn(&self, idle: impl FnOnce() -> Option<bool>) {
        let mut inner = self.inner();
        inner.drain_stub();
        if inner.outgoing.waiting().is_empty() {
            return;
        }
        if !inner.has_work()
            && let Some(timer) = idle()
        {
            inner.tell_idle(timer);
        }
        inner.flush();
    }

    /// Whether something was read that is yet to be done.
    pub(crate) fn has_work(&self) -> bool {
        self.inner().has_work()
    }

    /// Waits until something has come, or a timer is due; says so to the browser if it has nothing else to do.
    /// At the time to `look`, it returns, and the browser is not told that this is to come.
    pub(crate) fn wait(&self, timer: Option<Instant>, look: Option<Instant>) {
        let mut inner = self.inner();
        inner.tell_idle(timer.is_some());
        inner.flush();
        let until = timer.into_iter().chain(look).min();
        if inner.look_out(until, &self.tabs) {
            return;
        }
        inner.trim();
        let began = Instant::now();
        inner.sleep(until, &self.tabs);
        inner.look_out.slept(began.elapsed());
    }

    /// Tells what was counted, then waits until the browser lets go.
    pub(crate) fn wait_for_the_end(&self) {
        let mut inner = self.inner();
        let counts = inner.counts.take().and_then(|counts| counts.try_recv().ok());
        if let Some(counts) = counts {
            let counted = Up::Counted(SentCounts::new(&counts, &inner.clock));
            inner.say(&counted);
        }
        while !inner.is_over {
            inner.exchange(&self.tabs);
            inner.said.clear();
        }
    }

    fn read_file(&self, instance: ExtensionInstance, parts: &[&str]) -> Result<String, String> {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        self.send(&Up::ReadFile { instance, parts });
        let mut inner = self.inner();
        loop {
            if let Some(file) = inner.file.take() {
                return file;
            }
            if inner.is_over {
                return Err("the browser is gone".to_owned());
            }
            inner.exchange(&self.tabs);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next_of_stub(&mut self) -> Option<StubEvent> {
        match self.stub.next_event() {
            Ok(event) => event,
            Err(_) => {
                self.is_over = true;
                None
            }
        }
    }

    fn has_work(&mut self) -> bool {
        if self.events.is_empty() {
            let next = self.next_of_stub();
            self.events.extend(next);
        }
        !self.events.is_empty() || !self.said.is_empty() || !self.answers.is_empty() || self.is_over
    }

    /// Puts the core's calls where they are sent from.
    fn drain_stub(&mut self) {
        self.outgoing.core(self.stub.output());
        self.stub.sent(self.stub.output().len());
    }

    fn write(&mut self, message: &[u8]) {
        self.drain_stub();
        self.outgoing.frame(Kind::Message, message);
    }

    fn say(&mut self, word: &Up) {
        self.write(&serde_json::to_vec(word).expect("plain data"));
    }

    fn tell_idle(&mut self, timer: bool) {
        self.drain_stub();
        let idle = Idle { received: self.received, timer };
        if self.idle == Some((idle, self.outgoing.total())) {
            return;
        }
        self.outgoing.frame(Kind::Idle, &idle.to_bytes());
        self.idle = Some((idle, self.outgoing.total()));
    }

    /// Sends what waits, and waits until something has come.
    fn exchange(&mut self, tabs: &TabDirectory) {
        self.flush();
        self.sleep(None, tabs);
    }

    fn flush(&mut self) {
        self.drain_stub();
        // A closed end is no signal. Elsewhere the Rust runtime ignores it.
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::DONTWAIT;
        while !self.outgoing.waiting().is_empty() {
            match retry_on_intr(|| send(&self.socket, self.outgoing.waiting(), flags)) {
                Ok(count) => self.outgoing.sent(count),
                Err(error) => {
                    self.is_over |= error != Errno::AGAIN;
                    return;
                }
            }
        }
    }

    /// Looks for a moment whether something comes, if that is likely, and reads it; returns whether it has, or it is `until`
    /// then.
    fn look_out(&mut self, until: Option<Instant>, tabs: &TabDirectory) -> bool {
        // Who cannot send waits for the socket to take more.
        if self.is_over || !self.outgoing.waiting().is_empty() || !self.stub.wants_input() {
            return false;
        }
        let mut look_out = std::mem::take(&mut self.look_out);
        let has_come = look_out.look(|| {
            self.is_over
                || until.is_some_and(|until| until <= Instant::now())
                || self.read(RecvFlags::DONTWAIT, tabs)
        });
        self.look_out = look_out;
        has_come
    }

    /// Reads what has come. After a read that found all that there was, the next times do nothing: so does not every
    /// turn of the main loop call the system to hear that there is no more. It calls this again and again, or sleeps.
    fn receive(&mut self, tabs: &TabDirectory) {
        if self.left_out > 0 {
            self.left_out -= 1;
            return;
        }
        // What scripts do not take stays in the socket, and the browser's end holds back what comes after.
        while !self.is_over
            && self.left_out == 0
            && self.stub.wants_input()
            && self.read(RecvFlags::DONTWAIT, tabs)
        {}
    }

    /// Reads once; says whether there was anything.
    fn read(&mut self, flags: RecvFlags, tabs: &TabDirectory) -> bool {
        let count = match retry_on_intr(|| recv(&self.socket, &mut *self.read, flags)) {
            Ok((count, _)) => count,
            Err(error) => {
                self.is_over |= error != Errno::AGAIN;
                return false;
            }
        };
        self.received += count as u64;
        self.left_out = if count < self.read.len() { TURNS } else { 0 };
        self.incoming.push(&self.read[..count]);
        self.is_over |= count == 0 || self.take_frames(tabs).is_err();
        true
    }

    /// Waits until something has come, for as long as it may, and reads that.
    fn sleep(&mut self, until: Option<Instant>, tabs: &TabDirectory) {
        if self.is_over {
            return;
        }
        self.left_out = 0;
        if until.is_none() && self.outgoing.waiting().is_empty() {
            // It sleeps in the read.
            self.read(RecvFlags::empty(), tabs);
        } else {
            self.poll(until);
        }
        if self.left_out == 0 {
            self.receive(tabs);
        }
    }

    fn take_frames(&mut self, tabs: &TabDirectory) -> Result<(), BadFrame> {
        while let Some((kind, range)) = self.incoming.next(usize::MAX)? {
            let bytes = self.incoming.bytes(range);
            match kind {
                Kind::Core => self.stub.receive(bytes),
                Kind::Idle => return Err(BadFrame),
                Kind::Message => match serde_json::from_slice(bytes).map_err(|_| BadFrame)? {
                    Down::Tabs(shown) => tabs.change(|tabs| {
                        *tabs = shown
                            .into_iter()
                            .map(Into::into)
                            .map(|tab: port_core_webext::TabInfo| (tab.id, tab))
                            .collect();
                    }),
                    Down::File(file) => self.file = Some(file),
                    said => self.said.push_back(said),
                },
            }
        }
        Ok(())
    }

    fn poll(&self, timer: Option<Instant>) {
        let mut flags = PollFlags::IN;
        flags.set(PollFlags::OUT, !self.outgoing.waiting().is_empty());
        let rest = timer.map(|due| due.saturating_duration_since(Instant::now()));
        // A time that the system cannot express is no limit.
        let rest = rest.and_then(|rest| Timespec::try_from(rest).ok());
        // Whatever comes of it, the socket is looked at next.
        let _ = poll(&mut [PollFd::new(&self.socket, flags)], rest.as_ref());
    }

    fn trim(&mut self) {
        self.stub.trim();
        self.incoming.trim();
        self.outgoing.trim();
    }
}

/// The files of an extension, which the browser reads.
struct AskedFiles {
    link: Arc<Link>,
    instance: ExtensionInstance,
    identity: String,
    folder: String,
}

impl Files for AskedFiles {
    fn read(&self, parts: &[&str]) -> Result<String, String> {
        self.link.read_file(self.instance, parts)
    }

    fn display(&self, file: &str) -> String {
        format!("{}{file}", self.folder)
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

impl fmt::Debug for AskedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskedFiles").field("identity", &self.identity).finish_non_exhaustive()
    }
}
