//! The main loop of a script thread. Compare this with the main loop of your browser:
//! what embeds the core is `attach`, `take_events`, `wait` and the bell.

use super::event_loop::{CoreEvent, ScriptEventLoop};
use super::host::Host;
use super::idle::Kept;
use super::line::Line;
use super::world::World;
use crate::log::Event as LogEvent;
use crate::messages::{
    Code, LastWords, Leave, Loaded, OtherWindow, Request, Task, ThreadIndex, Touch, TouchedPage,
    WorldDescription,
};
use crate::quickjs::Engine;
use crate::script_error::report_engine_error;
use crate::shared::Shared;
use port_core::{ConnectKind, ContextId, ContextKind, DisconnectReason, DocumentId, ExtensionInstance};
use port_core_webext::extension::manifest::RunAt;
use port_core_webext::{Profile, ScriptEvent};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TryRecvError;
use std::time::Instant;
use url::Url;

/// How many events are taken before a task that tells of something which came after them.
const EVENTS_BEFORE_TASK: usize = 64;

/// How many timers that are due run before something else gets its turn.
const TIMERS_PER_TURN: usize = 4;

/// A script thread's state. Worlds come before the engine: they have to be dropped first.
pub(super) struct MainLoop {
    worlds: BTreeMap<ContextId, World>,
    loading: VecDeque<Loading>,
    /// Documents that are interactive, until the frames in them are complete.
    waiting: Vec<Loading>,
    host: Rc<Host>,
    engine: Engine,
}

/// A document on its way from moment to moment.
struct Loading {
    worlds: Vec<(WorldDescription, Option<ContextId>)>,
    moments: std::slice::Iter<'static, RunAt>,
    then: Loaded,
    /// Whether a worker threw, which then does not start.
    failed: bool,
}

impl Loading {
    fn is_of(&self, document: DocumentId) -> bool {
        matches!(self.then, Loaded::Document(place) if place.document == document)
    }
}

impl MainLoop {
    pub(super) fn new(
        thread: ThreadIndex,
        shared: Shared,
        event_loop: ScriptEventLoop,
    ) -> Result<Self, String> {
        let stopping = Arc::clone(&shared.stopping);
        // ORDERING: a flag that guards nothing.
        let engine = Engine::new(move || stopping.load(Ordering::Relaxed))?;
        let host = Rc::new(Host::new(thread, shared, event_loop));
        Ok(Self { worlds: BTreeMap::new(), loading: VecDeque::new(), waiting: Vec::new(), host, engine })
    }

    /// Works until it is told to stop.
    pub(super) fn run(&mut self, line: &Line) {
        loop {
            self.drop_detached();
            let task = match line.next_task() {
                Ok(Task::Stop(counts)) => {
                    let _ = counts.send(self.host.counts.take());
                    drop(counts);
                    // The event loop stays until all threads have stopped: those that
                    // have not would count its end.
                    line.wait_for_the_end();
                    return;
                }
                Err(TryRecvError::Disconnected) => return,
                Ok(task) => Some(task),
                Err(TryRecvError::Empty) => None,
            };
            // Before what has come: a timer of zero comes before an answer from elsewhere.
            let mut idle = true;
            for _ in 0..TIMERS_PER_TURN {
                if !self.run_a_timer() {
                    break;
                }
                idle = false;
            }
            // Behind the task but carried out before it: what the browser process told the core
            // before it sent the task has been heard when the task runs.
            let of_a_turn = self.host.shared.profile.events_per_turn();
            let tells = matches!(task, Some(Task::Emit { .. } | Task::Answer { .. } | Task::Echo(_)));
            idle &=
                !self.take_events(None, if tells { of_a_turn.max(EVENTS_BEFORE_TASK) } else { of_a_turn });
            if let Some(task) = task {
                self.carry_out(task);
                idle = false;
            }
            idle &= !self.load_a_step();
            idle &= !self.deliver_a_window_message();
            if idle {
                self.wait(line);
            }
            line.end_turn(|| self.is_idle());
        }
    }

    /// Waits until there is something to do.
    fn wait(&mut self, line: &Line) {
        let due = self.host.timers.borrow().next_due();
        let mut event = None;
        let bell = match line {
            Line::Thread { bell, .. } => bell,
            #[cfg(unix)]
            Line::Process(link) => {
                if !link.has_work() && !self.tell_of_an_idle_background() {
                    let (timer, look) = self.until(due);
                    link.wait(timer, look);
                }
                return;
            }
        };
        // Looks without `next_event` as long as something may come at once: to be told of it
        // later, the core has to interrupt the threads that run.
        let is_something = bell.look_out(due, || {
            event = self.host.event_loop.borrow_mut().next_event_unarmed();
            event.is_some()
        });
        if !is_something {
            event = self.host.event_loop.borrow_mut().next_event();
        }
        if event.is_some() {
            self.take_events(event, self.host.shared.profile.events_per_turn());
        } else if !is_something && !self.tell_of_an_idle_background() {
            // `next_event` said that there is nothing: whatever comes after that rings the bell.
            let (timer, look) = self.until(due);
            bell.sleep(timer, look);
        }
    }

    /// Says that the loop would wait now if nothing came, and whether for a timer too; `None` if there is something to do,
    /// or due.
    fn is_idle(&self) -> Option<bool> {
        let is_empty = self.loading.is_empty()
            && self.host.window_messages.borrow().is_empty()
            && self.host.detached.borrow().is_empty();
        let (timer, look) = self.until(self.host.timers.borrow().next_due());
        let due = timer.into_iter().chain(look).min();
        (is_empty && due.is_none_or(|due| due > Instant::now())).then_some(timer.is_some())
    }

    /// Until when the thread may sleep: for a timer, and to look at what keeps no run from ending.
    fn until(&self, timer: Option<Instant>) -> (Option<Instant>, Option<Instant>) {
        let Shared { idle, waits_for_idle, .. } = self.host.shared;
        let look = self.host.idle.borrow().next_due(idle);
        if waits_for_idle { (timer.into_iter().chain(look).min(), None) } else { (timer, look) }
    }

    /// Tells the browser process of a background that was idle for long enough; says whether there was one.
    fn tell_of_an_idle_background(&self) -> bool {
        let Shared { idle, unanswered, profile, .. } = self.host.shared;
        let due = self.host.idle.borrow_mut().take_due(idle);
        let Some((context, started)) = due else { return false };
        let Some(world) = self.worlds.get(&context) else { return true };
        match profile {
            // Messages without an answer keep it awake, its own and those that it was sent (measured), each for five
            // minutes at most (Chromium's tests).
            Profile::Chromium => {
                let requests = self.host.event_loop.borrow_mut().one_offs(context);
                let kept = self.host.idle.borrow_mut().keep_awake(context, &requests, idle, unanswered);
                if let Some(Kept { requests, is_explained }) = kept {
                    if !is_explained {
                        let why = format!("messages without an answer: {requests}");
                        let event = LogEvent::Background { change: "stays awake", why: &why };
                        self.host.log(world.identity(), &event);
                    }
                    return true;
                }
            }
            Profile::Firefox => {
                world.deliver(&ScriptEvent::Emit { event: "runtime.onSuspend", details: "[]" });
                self.checkpoint();
            }
        }
        // Nobody decides about what connects to it from now on, so that waits for the next start.
        world.listen_no_more();
        self.host.request(Request::BackgroundIdle(started));
        true
    }

    /// Drops the worlds of frames that were removed by scripts of this thread.
    fn drop_detached(&mut self) {
        let detached = self.host.detached.take();
        for context in detached {
            self.drop_world(context);
        }
    }

    fn drop_world(&mut self, context: ContextId) {
        self.host.forget(context);
        if let Some(world) = self.worlds.remove(&context) {
            self.engine.forget(world.realm());
        }
    }

    /// Takes events, the first of which may be found already, each a task of its own; says whether there were any.
    fn take_events(&mut self, mut found: Option<CoreEvent>, most: usize) -> bool {
        let delivered = self.host.counts.borrow().deliveries;
        let mut taken = 0;
        while taken < most {
            // A statement of its own: the event loop must be free while script runs.
            let event = found.take().or_else(|| self.host.event_loop.borrow_mut().next_event_unarmed());
            let Some(event) = event else { break };
            taken += 1;
            self.dispatch(event);
            self.checkpoint();
        }
        let mut counts = self.host.counts.borrow_mut();
        if counts.deliveries > delivered {
            counts.last_delivery = Some(Instant::now());
        }
        taken > 0
    }

    fn dispatch(&mut self, event: CoreEvent) {
        if let CoreEvent::ContextGone { context, reason } = event {
            return self.context_is_gone(context, reason);
        }
        let Some(context) = event.context() else { return };
        let Some(world) = self.worlds.get(&context) else { return };
        let mut idle = self.host.idle.borrow_mut();
        // It hears nothing more: Firefox has told its script so.
        if idle.is_told(context) {
            return;
        }
        idle.note_use(context);
        if let CoreEvent::Connect { port, kind: ConnectKind::OneOff, .. } = event {
            idle.note_request(context, port);
        }
        drop(idle);
        match event {
            CoreEvent::Connect { port, kind, name, opener, .. } => world.connect(port, kind, &name, &opener),
            CoreEvent::Message { port, payload, .. } => match str::from_utf8(&payload) {
                Ok(json) => world.message(port, json),
                Err(error) => self.host.log(
                    world.identity(),
                    &LogEvent::Console {
                        level: "warn",
                        text: &format!("a message that is no JSON came: {error}"),
                    },
                ),
            },
            CoreEvent::Disconnect { port, reason, .. } => world.disconnect(port, reason),
            CoreEvent::ContextGone { .. } | CoreEvent::Other => {}
        }
    }

    /// The core knows a context no more. A content script of Chromium whose extension is gone lives on with its document.
    fn context_is_gone(&mut self, context: ContextId, reason: DisconnectReason) {
        let lives_on =
            reason == DisconnectReason::ExtensionUnloaded && self.host.shared.profile == Profile::Chromium;
        match self.worlds.get_mut(&context).filter(|world| lives_on && !world.is_extension_page()) {
            Some(world) => {
                world.orphan();
                self.checkpoint();
            }
            None => self.drop_world(context),
        }
    }

    /// Drops the worlds of a document that the core knows no more.
    fn drop_orphans(&mut self, document: DocumentId) {
        for context in self.host.documents.borrow().worlds(document) {
            if self.worlds.get(&context).is_some_and(World::is_orphan) {
                self.host.detached.borrow_mut().push(context);
            }
        }
    }

    fn carry_out(&mut self, task: Task) {
        match task {
            Task::Load { worlds, then } => {
                let worlds = worlds.into_iter().map(|world| (world, None)).collect();
                self.loading.push_back(Loading { worlds, moments: RunAt::ALL.iter(), then, failed: false });
            }
            Task::Complete(document) => {
                let waiting = self.waiting.iter().position(|loading| loading.is_of(document));
                self.loading.extend(waiting.map(|waiting| self.waiting.remove(waiting)));
            }
            Task::Answer { context, call, outcome } => {
                if let Some(world) = self.worlds.get(&context) {
                    self.host.idle.borrow_mut().note_use(context);
                    world.answer(call, &outcome);
                }
            }
            Task::Touch { page, touch, number } => {
                let is_so = self.touch(page, &touch);
                self.host.request(Request::Asked { number, is_so });
            }
            Task::ClosePage(number) => self.close_page(number),
            Task::Emit { instance, event, details, everywhere } => {
                let hears =
                    |world: &&World| world.is_extension_page() || (everywhere && !world.is_pages_own());
                let of_it = |world: &&World| {
                    let identity = world.identity();
                    let ends = self.host.idle.borrow().is_told(identity.context);
                    world.hears() && !ends && identity.instance == instance
                };
                for world in self.worlds.values().filter(hears).filter(of_it) {
                    self.host.idle.borrow_mut().note_use(world.identity().context);
                    world.deliver(&ScriptEvent::Emit { event: &event, details: &details });
                }
            }
            Task::Begin { instance, events } => self.begin(instance, &events),
            Task::Execute { world, code, number } => self.execute(&world, &code, number),
            Task::BeforeUnload { documents, number } => {
                self.host.keeps_from_cache.set(false);
                for document in documents {
                    self.each_world_of(document, |world| world.deliver(&ScriptEvent::BeforeUnload));
                }
                let is_so = !self.host.keeps_from_cache.get();
                self.host.request(Request::Asked { number, is_so });
            }
            Task::Unload { documents, leave, number } => {
                self.unload(&documents, leave);
                self.host.request(Request::Done(number));
            }
            Task::Echo(number) => self.host.request(Request::Done(number)),
            Task::FrameLoaded { document, element } => {
                self.each_world_of(document, |world| world.deliver(&ScriptEvent::FrameLoaded(element)));
            }
            Task::FrameFailed { document, element } => {
                self.each_world_of(document, |world| world.deliver(&ScriptEvent::FrameFailed(element)));
            }
            Task::WindowMessage { document, json, origin, from } => {
                let from = from.map(|from| match from {
                    OtherWindow::Parent => "parent".to_owned(),
                    OtherWindow::Top => "top".to_owned(),
                    OtherWindow::Element(element) => element.to_string(),
                });
                let (message, origin, from) = (json.as_str(), origin.as_str(), from.as_deref());
                self.each_world_of(document, |world| {
                    world.deliver(&ScriptEvent::FrameMessage { message, origin, from });
                });
            }
            Task::Restore { documents } => self.restore(&documents),
            Task::Traversed { document, url, delta } => {
                if let Ok(url) = Url::parse(&url) {
                    self.host.set_document_url(document, &url, None);
                }
                self.each_world_of(document, |world| world.deliver(&ScriptEvent::Traversed(delta)));
            }
            // Handled where tasks are taken.
            Task::Stop(_) => {}
        }
        self.checkpoint();
    }

    /// A background is told of events from now on.
    fn begin(&mut self, instance: ExtensionInstance, events: &[(Cow<'static, str>, String)]) {
        let is_it = |world: &&mut World| world.identity().instance == instance && !world.hears();
        if let Some(world) = self.worlds.values_mut().find(is_it) {
            world.begin_to_hear();
            let context = world.identity().context;
            for (event, details) in events {
                if let Some(world) = self.worlds.get(&context) {
                    self.host.idle.borrow_mut().note_use(context);
                    world.deliver(&ScriptEvent::Emit { event, details });
                    self.checkpoint();
                }
            }
        }
    }

    /// A person does something in a page; says whether it has what this is done to. Each world has a tree of its own:
    /// those of one page all hear of it.
    fn touch(&self, page: TouchedPage, touch: &Touch) -> bool {
        let is_in = |world: &&World| match page {
            TouchedPage::Outside(number) => world.identity().page == Some(number),
            TouchedPage::Document(document) => {
                world.identity().place.is_some_and(|place| place.document == document)
            }
        };
        self.host.presses.set(0);
        for world in self.worlds.values().filter(is_in) {
            world.deliver(&match touch {
                Touch::Press(selector) => ScriptEvent::Press(selector),
                Touch::Type(text) => ScriptEvent::Type(text),
            });
            self.checkpoint();
        }
        self.host.presses.get() > 0
    }

    /// A page outside of the tabs closes: its scripts hear so, and its ports end.
    fn close_page(&mut self, number: u64) {
        self.loading.retain(|loading| loading.worlds.iter().all(|(world, _)| world.page != Some(number)));
        let found = self.worlds.iter().find(|(_, world)| world.identity().page == Some(number));
        let Some((&context, world)) = found else { return };
        world.deliver(&ScriptEvent::BeforeUnload);
        self.checkpoint();
        world.hide(Leave::Closed);
        self.checkpoint();
        self.host.event_loop.borrow_mut().detach(context);
        self.drop_world(context);
    }

    /// The world that a description is of, if it has been made: a page has one of its own for all extensions.
    fn known_world(&self, description: &WorldDescription) -> Option<ContextId> {
        let document = description.place?.document;
        let is_pages_own = description.kind == ContextKind::WebPage;
        let is_it = |world: &World| {
            let identity = world.identity();
            identity.place.is_some_and(|known| known.document == document)
                && world.is_pages_own() == is_pages_own
                && !world.is_orphan()
                && (is_pages_own || identity.instance == description.instance)
        };
        self.worlds.iter().find(|(_, world)| is_it(world)).map(|(context, _)| *context)
    }

    /// Runs something in the world of an extension in a document.
    fn execute(&mut self, description: &WorldDescription, code: &Code, number: u64) {
        let known = self.known_world(description);
        let context = known.or_else(|| {
            let created = self.create_world(description)?;
            if let Some(world) = self.worlds.get(&created) {
                world.reach(RunAt::End);
                world.reach(RunAt::Idle);
            }
            Some(created)
        });
        match context.and_then(|context| self.worlds.get(&context)) {
            Some(world) => world.execute(code, number),
            None => {
                let outcome = Err("The frame was removed.".to_owned());
                self.host.request(Request::Executed { number, outcome });
            }
        }
    }

    /// Has the scripts of documents hear that these go away.
    fn unload(&mut self, documents: &[(DocumentId, LastWords)], leave: Leave) {
        let stays = |loading: &Loading| !documents.iter().any(|(document, _)| loading.is_of(*document));
        self.loading.retain(stays);
        self.waiting.retain(stays);
        for &(document, last_words) in documents {
            self.each_world_of(document, |world| {
                self.host.last_words.set(last_words);
                world.hide(leave);
                self.host.last_words.take();
            });
            if leave != Leave::Cached {
                self.drop_orphans(document);
            }
            if leave == Leave::Cached {
                for context in self.host.documents.borrow().worlds(document) {
                    self.host.timers.borrow_mut().freeze(context);
                }
            }
        }
    }

    /// Documents come back from the back/forward cache.
    fn restore(&mut self, documents: &[DocumentId]) {
        for &document in documents {
            for context in self.host.documents.borrow().worlds(document) {
                self.host.timers.borrow_mut().thaw(context);
            }
            self.each_world_of(document, |world| world.deliver(&ScriptEvent::Restored));
        }
    }

    /// Does something in each world of a document, each a task of its own.
    fn each_world_of(&self, document: DocumentId, task: impl Fn(&World)) {
        let worlds = self.host.documents.borrow().worlds(document);
        for world in worlds.iter().filter_map(|context| self.worlds.get(context)) {
            task(world);
            self.checkpoint();
        }
    }

    /// Takes the document that was asked for first to its next moment; says whether
    /// there was one. Before the last, the document waits for the frames in it.
    fn load_a_step(&mut self) -> bool {
        let Some(mut loading) = self.loading.pop_front() else { return false };
        match loading.moments.next() {
            Some(&moment) => {
                for (description, context) in &mut loading.worlds {
                    if context.is_none() && !description.scripts.at(moment).is_empty() {
                        // A script that was injected may have been first.
                        *context = self.known_world(description).or_else(|| self.create_world(description));
                    }
                    loading.failed |= !self.reach(*context, description, moment) && description.is_worker;
                }
                match loading.then {
                    Loaded::Document(place) if moment == RunAt::End => {
                        self.waiting.push(loading);
                        self.host.request(Request::Interactive(place));
                    }
                    _ => self.loading.push_front(loading),
                }
            }
            None => self.loaded(&loading),
        }
        true
    }

    /// All scripts have run.
    fn loaded(&self, loading: &Loading) {
        let request = match loading.then {
            Loaded::Background(started) => {
                let context = loading.worlds.first().and_then(|(_, context)| *context);
                match context.and_then(|context| self.worlds.get(&context)).filter(|_| !loading.failed) {
                    Some(world) => {
                        world.set_ready();
                        if loading.worlds.iter().any(|(description, _)| description.stops) {
                            self.host.idle.borrow_mut().add(world.identity().context, started);
                        }
                        Request::Loaded(loading.then)
                    }
                    None => Request::BackgroundFailed(started),
                }
            }
            then => Request::Loaded(then),
        };
        self.host.request(request);
    }

    /// Makes a world and tells the core; `None` when its document is gone already.
    fn create_world(&mut self, description: &WorldDescription) -> Option<ContextId> {
        let context = self.host.event_loop.borrow_mut().attach(&description.context)?;
        if let Some(place) = description.place {
            self.host.documents.borrow_mut().enter(place.document, context, description);
        }
        match World::new(&self.engine, &self.host, context, description) {
            Ok(world) => {
                self.worlds.insert(context, world);
                Some(context)
            }
            Err(error) => {
                self.host.forget(context);
                // ORDERING: a flag that guards nothing.
                if !self.host.shared.stopping.load(Ordering::Relaxed) {
                    report_engine_error(&self.host.shared.log, &error);
                }
                None
            }
        }
    }

    /// Runs a world's scripts of a moment; says whether none threw.
    fn reach(&self, context: Option<ContextId>, description: &WorldDescription, moment: RunAt) -> bool {
        let Some(world) = context.and_then(|context| self.worlds.get(&context)) else { return true };
        let mut is_well = true;
        // The scripts of an extension's page are part of it, and run before it is parsed to its end.
        let is_page = world.is_extension_page() || description.is_own_document;
        if !is_page {
            world.reach(moment);
            self.checkpoint();
        }
        for script in description.scripts.at(moment) {
            is_well &= world.run(script);
            self.checkpoint();
            is_well &= !world.realm().has_module_thrown();
        }
        if is_page {
            world.reach(moment);
            self.checkpoint();
        }
        is_well
    }

    /// Delivers a message of a window to itself, to every world in it; says whether there was one.
    fn deliver_a_window_message(&mut self) -> bool {
        let message = self.host.window_messages.borrow_mut().pop_front();
        let Some((document, json)) = message else { return false };
        self.each_world_of(document, |world| world.deliver(&ScriptEvent::WindowMessage(&json)));
        true
    }

    /// Runs a timer that is due; says whether there was one.
    fn run_a_timer(&mut self) -> bool {
        if self.host.timers.borrow().is_empty() {
            return false;
        }
        let due = self.host.timers.borrow_mut().take_due(Instant::now());
        let Some((context, timer)) = due else { return false };
        if let Some(world) = self.worlds.get(&context) {
            world.deliver(&ScriptEvent::Timer(timer));
            self.checkpoint();
        }
        true
    }

    /// The microtask checkpoint.
    fn checkpoint(&self) {
        self.engine.checkpoint(|realm, error, rejected| {
            let world = self.worlds.values().find(|world| world.is(realm));
            let untaken = world
                .filter(|world| !rejected.is_some_and(|rejected| world.realm().tell_of_rejection(rejected)));
            if let Some(world) = untaken {
                world.report(error);
            }
        });
    }
}
