//! The browser's end of one renderer process.

use super::claims::{Claims, Lie};
use super::frames::{Idle, Incoming, Kind, LONGEST, Outgoing};
use super::gateway::MOST_UNREAD;
use super::poll_bell::Caller;
use super::words::{Beginning, Down, SentWorld, ShownTab, Up, read_event};
use crate::activity::{Backlog, Busy, TimerSet};
use crate::alarm::has_woken;
use crate::log::Event;
use crate::messages::{
    Attachment, Envelope, Navigation, NavigationChange, Request, Task, ThreadIndex, WorldDescription,
};
use crate::shared::Shared;
use crate::summary::Counts;
use port_core::{ExtensionInstance, FrameId, TabId};
use port_core_gateway::Host;
use port_core_webext::{Profile, TabInfo};
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// While so many bytes wait for the renderer to read them, no events are taken for it.
const OUTPUT: usize = 256 << 10;

/// How much is read of one renderer before it is the next one's turn, in bytes.
const TURN: usize = 1 << 20;

/// A renderer process, as the gateway thread has it.
pub(super) struct Renderer {
    pub(super) index: ThreadIndex,
    pub(super) name: String,
    pub(super) child: Child,
    pub(super) socket: UnixStream,
    pub(super) host: Host,
    /// Called by its event loop, once that was armed.
    caller: Arc<Caller>,
    /// Its event loop calls if there is something for it, and nothing else is there to do.
    pub(super) armed: bool,
    pub(super) claims: Claims,
    pub(super) backlog: Arc<Backlog>,
    /// Set once it was told to stop: where its counts go.
    pub(super) counts: Option<Sender<Counts>>,
    pub(super) has_stopped: bool,
    shared: Shared,
    outgoing: Outgoing,
    incoming: Incoming,
    presence: Presence,
    /// What it said last of being idle.
    idle: Option<Idle>,
    /// What it was told of the tabs: their version, and in how many an extension runs something.
    tabs: Option<(u64, usize)>,
}

/// What a renderer does, as far as the browser knows.
enum Presence {
    /// It works, or has something to do.
    Busy(#[allow(dead_code, reason = "held until it is dropped")] Busy),
    /// It waits for the browser, or for a timer too.
    Idle(#[allow(dead_code, reason = "held until it is dropped")] Option<TimerSet>),
}

/// Why a renderer is to be none any more.
pub(super) enum Over {
    /// It closed its end.
    Closed,
    /// It is not honest.
    Lied(String),
    /// The system failed.
    Failed(io::Error),
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("it closed its end"),
            Self::Lied(lie) => write!(f, "it lied, and was killed: {lie}"),
            Self::Failed(error) => write!(f, "it cannot be reached: {error}"),
        }
    }
}

impl From<port_core_gateway::Lie> for Over {
    fn from(lie: port_core_gateway::Lie) -> Self {
        Self::Lied(lie.to_string())
    }
}

impl From<Lie> for Over {
    fn from(lie: Lie) -> Self {
        Self::Lied(lie.to_owned())
    }
}

impl Renderer {
    /// The browser's end of a process that was just started.
    pub(super) fn new(
        index: ThreadIndex,
        name: String,
        (child, socket): (Child, UnixStream),
        (host, caller): (Host, Arc<Caller>),
        backlog: Arc<Backlog>,
        shared: Shared,
    ) -> Self {
        let presence = Presence::Busy(shared.activity.begin());
        let mut renderer = Self {
            index,
            name,
            child,
            socket,
            host,
            caller,
            armed: false,
            claims: Claims::new(shared.recorder.is_some()),
            backlog,
            counts: None,
            has_stopped: false,
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            presence,
            idle: None,
            tabs: None,
            shared,
        };
        let shared = &renderer.shared;
        let beginning = Beginning {
            thread: index.0,
            name: renderer.name.clone(),
            profile: shared.profile.name().to_owned(),
            shown_messages: shared.shown_messages,
            interest: shared.log.interest(),
            time_origin: shared.clock.time_origin(),
            records: shared.recorder.is_some(),
            idle: shared.idle,
            unanswered: shared.unanswered,
            waits_for_idle: shared.waits_for_idle,
            scenario_global: shared
                .scenario_global
                .map(|(name, source)| (name.to_owned(), source.to_owned())),
        };
        renderer.say(&Down::Begin(beginning));
        renderer
    }

    // To the renderer.

    /// Gives it something to do, behind what the core has for it.
    pub(super) fn give(&mut self, task: Task, tabs: &Tabs<'_>) -> Result<(), Over> {
        self.armed = false;
        self.turn(tabs)?;
        self.claims.give_task(&task);
        match task {
            Task::Load { worlds, then } => {
                let worlds = worlds.into_iter().map(|world| self.grant(world)).collect();
                // What may be shown of tabs hangs on what it runs.
                self.tabs = None;
                self.tell_tabs(tabs);
                self.say(&Down::Load { worlds, then });
            }
            Task::Execute { world, code, number } => {
                let world = Box::new(self.grant(*world));
                self.tabs = None;
                self.tell_tabs(tabs);
                self.say(&Down::Execute { world, code, number });
            }
            Task::Stop(counts) => {
                self.counts = Some(counts);
                self.say(&Down::Stop);
            }
            task => self.say(&Down::Task(task)),
        }
        Ok(())
    }

    /// Grants it a world.
    fn grant(&mut self, world: WorldDescription) -> SentWorld {
        let Attachment::Described(context) = &world.context else {
            unreachable!("the browser describes contexts")
        };
        let number = self.host.grant(context.clone(), b"").to_bits();
        if self.claims.give(number, &world) {
            let files = world.extension.files();
            let (identity, folder) = (files.identity(), files.display(""));
            self.say(&Down::Extension { instance: world.instance, identity, folder });
        }
        SentWorld::new(number, world)
    }

    /// Says something, behind what the core has said.
    fn say(&mut self, word: &Down) {
        self.drain_host();
        self.say_first(word);
    }

    /// Says something in front of what the core has yet to say.
    fn say_first(&mut self, word: &Down) {
        self.be_busy();
        self.outgoing.frame(Kind::Message, &serde_json::to_vec(word).expect("plain data"));
    }

    fn drain_host(&mut self) {
        if !self.host.output().is_empty() {
            self.be_busy();
            self.outgoing.core(self.host.output());
            self.host.sent(self.host.output().len());
        }
    }

    fn has_room(&self) -> bool {
        self.outgoing.waiting().len() < OUTPUT
    }

    /// Gives the core's end its turn; says whether it did anything.
    pub(super) fn turn(&mut self, tabs: &Tabs<'_>) -> Result<bool, Over> {
        let mut did = self.take_frames(false, tabs)?;
        while self.has_room() && self.host.turn()? {
            did = true;
            self.tell_tabs(tabs);
            self.drain_host();
        }
        self.drain_host();
        Ok(did)
    }

    /// Whether it may have something to do: its event loop called, or something was done with it since it was armed.
    pub(super) fn may_have_something(&mut self) -> bool {
        let may = self.caller.take() || !self.armed || self.wants_retry();
        self.armed &= !may;
        may
    }

    /// Arms the event loop; says whether the thread may sleep.
    pub(super) fn arm(&mut self) -> bool {
        if self.armed {
            return true;
        }
        self.armed = !self.has_room() || self.host.arm();
        self.drain_host();
        if self.armed {
            self.outgoing.trim();
            self.incoming.trim();
        }
        self.armed
    }

    /// Tells it what tabs there are, if that changed.
    fn tell_tabs(&mut self, tabs: &Tabs<'_>) {
        let version = (self.shared.tabs.version(), tabs.runs_in.len());
        if self.tabs != Some(version) {
            self.tabs = Some(version);
            let shown = tabs.shown_to(&self.claims, &self.shared);
            // The core speaks of these tabs.
            self.say_first(&Down::Tabs(shown));
        }
    }

    /// Sends as much as the socket takes; says whether that made room to go on with what came.
    pub(super) fn send(&mut self) -> Result<bool, Over> {
        let had_room = self.has_room();
        while !self.outgoing.waiting().is_empty() {
            match (&self.socket).write(self.outgoing.waiting()) {
                Ok(count) => self.outgoing.sent(count),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => break,
                    // What it had sent is read to its end.
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                        self.outgoing.sent(self.outgoing.waiting().len());
                    }
                    _ => return Err(Over::Failed(error)),
                },
            }
        }
        if self.outgoing.waiting().len() > MOST_UNREAD {
            return Err(Over::Lied("it leaves more unread than may wait for it".to_owned()));
        }
        Ok(!had_room && self.has_room())
    }

    pub(super) fn wants_output(&self) -> bool {
        !self.outgoing.waiting().is_empty()
    }

    // From the renderer.

    pub(super) fn wants_input(&self) -> bool {
        self.has_room() && self.backlog.has_room()
    }

    pub(super) fn wants_retry(&self) -> bool {
        let is_behind = self.host.snapshot().held_calls > 0 && !self.has_room();
        is_behind || self.host.wants_retry()
    }

    /// Reads what came, up to a bound; says whether that was all.
    pub(super) fn read(&mut self, buffer: &mut [u8], hung_up: bool, tabs: &Tabs<'_>) -> Result<bool, Over> {
        let mut read = 0;
        while read < TURN && (hung_up || self.wants_input()) {
            match (&self.socket).read(buffer) {
                Ok(0) => return Err(Over::Closed),
                Ok(count) => {
                    read += count;
                    self.be_busy();
                    self.idle = None;
                    self.incoming.push(&buffer[..count]);
                    self.take_frames(false, tabs)?;
                    if count < buffer.len() && !hung_up {
                        return Ok(true);
                    }
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => return Ok(true),
                    io::ErrorKind::ConnectionReset => return Err(Over::Closed),
                    _ => return Err(Over::Failed(error)),
                },
            }
        }
        Ok(false)
    }

    /// Does what came, unless too much waits for the renderer to read it: answers are longer than questions. After its
    /// end all is done, and nothing answered. Says whether there was anything.
    fn take_frames(&mut self, is_over: bool, tabs: &Tabs<'_>) -> Result<bool, Over> {
        let mut did = false;
        while (is_over || self.has_room())
            && let Some((kind, range)) =
                self.incoming.next(LONGEST).map_err(|bad| Over::Lied(bad.to_string()))?
        {
            did = true;
            self.be_busy();
            let length = range.len();
            let bytes = self.incoming.bytes(range);
            match kind {
                Kind::Core => {
                    self.host.receive(bytes)?;
                    // It took events too.
                    self.tell_tabs(tabs);
                    self.drain_host();
                    if has_woken() {
                        self.shared.log.write(&self.name, &Event::Wake { target: "an extension" });
                    }
                }
                Kind::Message => {
                    let word = serde_json::from_slice(bytes)
                        .map_err(|error| Over::Lied(format!("what it says is no word: {error}")))?;
                    if !(is_over && matches!(word, Up::ReadFile { .. })) {
                        self.hear(word, length)?;
                    }
                }
                Kind::Idle => {
                    let idle = Idle::read(bytes).ok_or(Over::from("that it is idle, in other words"))?;
                    self.idle = Some(idle);
                }
            }
        }
        Ok(did)
    }

    fn hear(&mut self, word: Up, bytes: usize) -> Result<(), Over> {
        self.idle = None;
        match word {
            call @ Up::Call { .. } => {
                if let Some(request) = self.claims.call(self.index, call)? {
                    self.pass_on(request, bytes);
                }
            }
            Up::Request(request) => {
                self.claims.check(&request)?;
                self.note(&request);
                self.pass_on(request, bytes);
            }
            Up::Log { context, event } => {
                let event =
                    read_event(&event).ok_or(Over::from("a line that no script writes to the log"))?;
                self.shared.log.write(&context, &event);
            }
            Up::Record(events) => {
                let Some(recorder) = &self.shared.recorder else {
                    return Err("events of a scenario, where none is replayed".into());
                };
                recorder.record(events);
            }
            Up::Over(number) => {
                self.claims.end(number)?;
                self.host.revoke(port_core_gateway::ContextNumber::from_bits(number));
            }
            Up::ReadFile { instance, parts } => {
                let file = self.read_file(instance, &parts)?;
                self.say(&Down::File(file));
            }
            Up::Counted(counts) => {
                let Some(sender) = self.counts.take() else {
                    return Err("counts that nobody asked for".into());
                };
                self.has_stopped = true;
                drop(sender.send(counts.into_counts(&self.shared.clock)));
            }
        }
        Ok(())
    }

    fn pass_on(&self, request: Request, bytes: usize) {
        let busy = Some(self.shared.activity.begin());
        // What the browser has to remember takes memory too.
        let waiting = Some(self.backlog.add(bytes + 256));
        self.shared.requests.send_envelope(Envelope { request, busy, waiting });
    }

    /// Whoever connects from here on finds a tab's new URL, or title, as scripts of one process do.
    fn note(&self, request: &Request) {
        let Request::Navigation(Navigation { place, change }) = request else { return };
        if place.frame != FrameId::TOP {
            return;
        }
        let change_tab = |change: &dyn Fn(&mut TabInfo)| {
            self.shared.tabs.change(|tabs| tabs.get_mut(&place.tab).map(change));
        };
        match change {
            NavigationChange::SameDocument { url, .. } => change_tab(&|tab| tab.url = url.clone()),
            NavigationChange::Title(title) if self.shared.profile == Profile::Chromium => {
                change_tab(&|tab| tab.title.clone_from(title));
            }
            _ => {}
        }
    }

    fn read_file(
        &self,
        instance: ExtensionInstance,
        parts: &[String],
    ) -> Result<Result<String, String>, Over> {
        let extension = self.claims.extension(instance).ok_or(Over::from("a file of another extension"))?;
        let is_name =
            |part: &String| !matches!(part.as_str(), "" | "." | "..") && !part.contains(['/', '\\', '\0']);
        if !parts.iter().all(is_name) {
            return Err("a file outside of the extension's folder".into());
        }
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        Ok(extension.files().read(&parts))
    }

    // What is under way.

    fn be_busy(&mut self) {
        if let Presence::Idle(timer) = &mut self.presence {
            let timer = timer.take();
            // Never neither of both.
            self.presence = Presence::Busy(self.shared.activity.begin());
            drop(timer);
        }
    }

    /// Takes it for idle if it said so and nothing is on its way to it.
    pub(super) fn settle(&mut self) {
        let Some(Idle { received, timer }) = self.idle else { return };
        let snapshot = self.host.snapshot();
        let is_settled = received == self.outgoing.total()
            && snapshot.held_calls == 0
            && snapshot.output_bytes == 0
            && snapshot.input_bytes == 0;
        if is_settled && matches!(self.presence, Presence::Busy(_)) {
            let timer = timer.then(|| self.shared.activity.begin_timer());
            self.presence = Presence::Idle(timer);
        }
    }

    /// Does what is left to do when its process has ended.
    pub(super) fn finish(&mut self, tabs: &Tabs<'_>) -> Result<(), Over> {
        self.take_frames(true, tabs)?;
        Ok(self.host.finish()?)
    }
}

/// The tabs, and who runs in them.
pub(super) struct Tabs<'a> {
    /// In which tabs extensions run something, in whichever process.
    pub(super) runs_in: &'a HashSet<(TabId, ExtensionInstance)>,
}

impl Tabs<'_> {
    /// The tabs that a renderer may know of: those that it shows something in, and those in which the extensions whose
    /// pages it runs have scripts, or may have.
    fn shown_to(&self, claims: &Claims, shared: &Shared) -> Vec<ShownTab> {
        let own: HashSet<TabId> = claims.tabs().map(|(tab, _)| tab).collect();
        let may = |tab: &TabInfo| {
            own.contains(&tab.id)
                || claims.extensions().any(|(instance, extension)| {
                    extension.owns(&tab.url)
                        || claims.runs_pages_of(instance)
                            && (tab.shows_page_to(extension) || self.runs_in.contains(&(tab.id, instance)))
                })
        };
        shared.tabs.all().into_iter().filter(may).map(ShownTab::from).collect()
    }
}
