//! The browser process: the main thread, which knows tabs, frames and extensions and
//! tells the core what becomes of them.

mod address_bar;
mod alarms;
mod api;
mod backgrounds;
mod buttons;
mod crash;
mod documents;
mod execution;
mod extensions;
mod loading;
mod namespaces;
mod navigation;
mod navigation_events;
mod open_tab;
mod pages;
mod replay;
mod steps;
mod unload;
mod window;

use crate::activity::{Activity, Busy, TimerSet};
use crate::alarm::Alarm;
use crate::arguments::{Arguments, UserAction};
use crate::clock::Clock;
use crate::log::{Event, Log};
use crate::messages::{
    BackgroundStart, Call, Caller, Envelope, Loaded, Navigation, Request, Requests, Task, ThreadIndex,
};
#[cfg(unix)]
use crate::process::Gateway;
use crate::scenario::CALL_PREFIX;
use crate::script::ScriptThread;
use crate::shared::Shared;
use crate::summary::{Counts, Summary};
use crate::web::{Site, Web};
use execution::Execution;
use extensions::LoadedExtension;
use open_tab::{Entry, OpenTab};
use pages::ShownPage;
use port_core::{ExtensionInstance, FrameId, MessageService, TabId, WindowId};
use port_core_webext::TabDirectory;
use port_core_webext::extension::Extension;
use replay::Replay;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::time::{Duration, Instant};
use steps::Step;
use url::Url;

/// After how long both browsers take a background for idle.
const IDLE: Duration = Duration::from_secs(30);

/// For how long a message without an answer keeps a background of Chromium awake.
const UNANSWERED: Duration = Duration::from_secs(300);

/// The one window there is.
const WINDOW: WindowId = WindowId::new(1);

/// The browser process.
pub(crate) struct Browser {
    shared: Shared,
    /// The core.
    service: MessageService,
    requests: Receiver<Envelope>,
    /// What was asked for while the browser process waited for something else.
    postponed: VecDeque<Envelope>,
    /// What is to be done at a time.
    later: BTreeMap<(Instant, u64), (Later, Option<Hold>)>,
    executions: Vec<Execution>,
    replay: Option<Replay>,
    extensions: Vec<LoadedExtension>,
    threads: Vec<ScriptThread>,
    /// Where scripts run in processes of their own: the thread that these talk to.
    #[cfg(unix)]
    gateway: Option<Gateway>,
    sites: HashMap<Site, ThreadIndex>,
    web: Web,
    tabs: BTreeMap<TabId, OpenTab>,
    /// Pages of extensions outside of the tabs.
    pages: Vec<ShownPage>,
    /// Calls that are answered once a page has run its scripts, by the page's number.
    answers_of_pages: Vec<(u64, Caller, u32)>,
    /// Calls that wait for the first page of a tab.
    calls_of_tabs: Vec<(TabId, Call)>,
    latest_tab: u64,
    latest_frame: u64,
    latest_document: u128,
    latest_task: u64,
    latest_execution: u64,
    latest_later: u64,
    steps: VecDeque<Step>,
    started: Instant,
    time: Duration,
}

/// What is so until something happens later.
enum Hold {
    /// It is under way.
    Busy(#[allow(dead_code, reason = "held until it is dropped")] Busy),
    /// A timer is set.
    Timer(#[allow(dead_code, reason = "held until it is dropped")] TimerSet),
}

/// What happens after a while.
#[derive(Debug)]
enum Later {
    /// The documents of a closed tab end.
    TearDown(TabId),
    /// The documents of a discarded tab end.
    Empty(TabId),
    /// An alarm of an extension.
    Alarm(ExtensionInstance, String, u64),
    /// Extensions hear that a tab is about to show another page.
    Announce(TabId, Url),
    /// A tab shows another page.
    Navigate(TabId, Url, Entry),
    /// The page comes that a script navigated to.
    CarryOut(Navigation),
    /// A scenario has waited long enough for documents to load.
    StopWaiting(u32),
    /// A background has taken too long to start.
    GiveUp(BackgroundStart),
    /// The last events of a scenario are in.
    EndReplay,
}

impl Browser {
    /// A browser without extensions and tabs.
    pub(crate) fn new(arguments: &Arguments, log: Arc<Log>) -> Self {
        let (sender, receiver) = mpsc::channel();
        let requests = Requests::new(sender);
        let mut limits = arguments.profile.limits();
        limits.message_bytes = arguments.message_bytes.unwrap_or(limits.message_bytes);
        let service = MessageService::builder().limits(limits).policies(arguments.profile.policies()).build();
        let shared = Shared {
            profile: arguments.profile,
            log,
            shown_messages: arguments.messages,
            activity: Activity::new({
                let requests = requests.clone();
                move || requests.send(Request::Calm, None)
            }),
            requests,
            tabs: Arc::new(TabDirectory::default()),
            idle: arguments.idle.unwrap_or(IDLE),
            unanswered: arguments.unanswered.unwrap_or(UNANSWERED),
            waits_for_idle: arguments.idle.is_some(),
            clock: Clock::start(),
            recorder: None,
            scenario_global: None,
            stopping: Arc::new(AtomicBool::new(false)),
        };
        let alarm = Alarm { requests: shared.requests.clone(), activity: Arc::clone(&shared.activity) };
        service.set_background_waker(Waker::from(Arc::new(alarm)));
        #[cfg(unix)]
        let gateway = arguments.launch.clone().and_then(|launch| {
            let started = Gateway::start(launch, &service, limits, &shared);
            started.map_err(|error| report(&shared.log, &format!("no processes: {error}"))).ok()
        });
        let mut web = Web::default();
        arguments.pages.iter().for_each(|page| web.add(page.clone()));
        let open = Step::Open(arguments.pages.clone());
        let actions = arguments.actions.iter().cloned().map(Step::User);
        Self {
            shared,
            service,
            requests: receiver,
            postponed: VecDeque::new(),
            later: BTreeMap::new(),
            executions: Vec::new(),
            replay: None,
            extensions: Vec::new(),
            threads: Vec::new(),
            #[cfg(unix)]
            gateway,
            sites: HashMap::new(),
            web,
            tabs: BTreeMap::new(),
            pages: Vec::new(),
            answers_of_pages: Vec::new(),
            calls_of_tabs: Vec::new(),
            latest_tab: 0,
            latest_frame: 0,
            latest_document: 0,
            latest_task: 0,
            latest_execution: 0,
            latest_later: 0,
            steps: std::iter::once(open).chain(actions).collect(),
            started: Instant::now(),
            time: arguments.time,
        }
    }

    /// Runs until all is quiet and every step is done, or the time is over.
    pub(crate) fn run(mut self) -> Summary {
        let deadline = self.started + self.time;
        // Who talks without end is not waited for without end.
        let patience = self.time / 4;
        let patience_for_rest = patience.max(self.shared.idle * 2);
        let mut next_step = Instant::now() + patience;
        // The first calm, even if no extension has a background.
        drop(self.shared.activity.begin());
        let stopped = loop {
            let until = if self.steps.is_empty() { deadline } else { deadline.min(next_step) };
            let due = self.later.first_key_value().map_or(until, |(due, _)| due.0.min(until));
            let calm = match self.next_request(due.saturating_duration_since(Instant::now())) {
                Ok(Envelope { request: Request::Calm, .. }) => self.shared.activity.is_calm(),
                Ok(envelope) => {
                    self.carry_out(envelope.request);
                    drop(envelope.busy);
                    false
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Instant::now() >= until,
            };
            self.do_what_is_due();
            let now = Instant::now();
            if now >= deadline {
                break true;
            }
            if self.replay.as_ref().is_some_and(Replay::is_over) {
                break false;
            }
            let rests = matches!(self.steps.front(), Some(Step::User(UserAction::Rest)));
            if rests && now < next_step && !self.all_backgrounds_rest() {
                continue;
            }
            if calm {
                match self.steps.pop_front() {
                    Some(step) => {
                        self.take(step);
                        let rests = matches!(self.steps.front(), Some(Step::User(UserAction::Rest)));
                        next_step = now + if rests { patience_for_rest } else { patience };
                    }
                    None if self.shared.activity.is_quiet() => break false,
                    None => {}
                }
            }
        };
        self.stop(stopped)
    }

    fn next_request(&mut self, timeout: Duration) -> Result<Envelope, RecvTimeoutError> {
        match self.postponed.pop_front() {
            Some(envelope) => Ok(envelope),
            None => self.requests.recv_timeout(timeout),
        }
    }

    /// Has something done after a while; it is under way until then.
    fn after(&mut self, time: Duration, what: Later, busy: Busy) {
        self.do_later(time, what, Some(Hold::Busy(busy)));
    }

    /// The same where a timer is all that it holds, and people may act meanwhile.
    fn after_timer(&mut self, time: Duration, what: Later, timer: TimerSet) {
        self.do_later(time, what, Some(Hold::Timer(timer)));
    }

    fn do_later(&mut self, time: Duration, what: Later, hold: Option<Hold>) {
        // A time beyond what clocks can say never comes.
        let Some(due) = Instant::now().checked_add(time) else { return };
        self.latest_later += 1;
        self.later.insert((due, self.latest_later), (what, hold));
    }

    fn do_what_is_due(&mut self) {
        while let Some(due) = self.later.first_entry().filter(|due| due.key().0 <= Instant::now()) {
            let (what, busy) = due.remove();
            match what {
                Later::TearDown(tab) => self.tear_down(tab),
                Later::Empty(tab) => self.empty_tab(tab),
                Later::Alarm(instance, name, number) => self.alarm_is_due(instance, &name, number),
                Later::Announce(tab, url) => self.emit_tab_navigates(tab, &url),
                Later::Navigate(tab, url, entry) => self.navigate_tab(tab, &url, entry),
                Later::CarryOut(navigation) => self.carry_out_now(navigation),
                Later::StopWaiting(call) => self.stop_waiting(call),
                Later::GiveUp(started) => self.background_failed(started, "it takes too long"),
                Later::EndReplay => self.end_replay(),
            }
            drop(busy);
        }
    }

    fn carry_out(&mut self, request: Request) {
        match request {
            Request::Call(call) if call.method.starts_with(CALL_PREFIX) => self.answer_replay(call),
            Request::Call(call) => self.answer(call),
            Request::Navigation(navigation) => self.carry_out_navigation(navigation),
            Request::Executed { number, outcome } => self.executed(number, outcome),
            // Nobody waits for it any more.
            Request::Done(_) | Request::Asked { .. } => {}
            Request::WindowMessage { place, to, json } => self.send_window_message(place, to, json),
            Request::CloseWindow { page: Some(number), .. } => self.close_pages(|page| page.number == number),
            Request::CloseWindow { place, .. } => {
                if let Some(place) = place.filter(|place| place.frame == FrameId::TOP) {
                    self.close_tab(place.tab);
                }
            }
            Request::OpenWindow(url) => {
                let tab = self.open_tab(&url, true);
                self.begin_navigation(tab, &url, Entry::Push);
            }
            Request::Interactive(place) => self.document_interactive(place),
            Request::Loaded(Loaded::Document(place)) => self.document_loaded(place),
            Request::Loaded(Loaded::Background(started)) => self.background_loaded(started),
            Request::BackgroundWanted => self.start_wanted_backgrounds(),
            Request::BackgroundIdle(started) => self.background_idle(started),
            Request::BackgroundFailed(started) => self.background_failed(started, "its script threw"),
            Request::Heard { instance, event, is_heard } => self.set_heard(instance, event, is_heard),
            Request::Loaded(Loaded::Page(number)) => self.page_loaded(number),
            Request::Calm => {}
            Request::Crashed(thread) => self.process_crashed(thread),
        }
    }

    /// Gives the thread of a site something to do; starts it when there is none.
    fn send(&mut self, site: &Site, task: Task) {
        let thread = match self.sites.get(site) {
            Some(&thread) => thread,
            None => {
                let index = ThreadIndex(self.threads.len());
                match self.start_thread(site.to_string(), index) {
                    Ok(thread) => self.threads.push(thread),
                    Err(error) => {
                        self.log_error(&format!("no thread for {site}: {error}"), None, None, None);
                        return;
                    }
                }
                self.sites.insert(site.clone(), index);
                index
            }
        };
        self.threads[thread.0].send(task);
    }

    fn start_thread(&self, name: String, index: ThreadIndex) -> io::Result<ScriptThread> {
        #[cfg(unix)]
        if let Some(gateway) = &self.gateway {
            return ScriptThread::start_process(name, index, gateway, &self.shared);
        }
        ScriptThread::start(name, index, &self.service, self.shared.clone())
    }

    /// How the log names a context: with more than one extension, by that too.
    fn label(&self, place: &str, extension: &Extension) -> String {
        if self.extensions.len() > 1 {
            format!("{place} [{}]", extension.manifest().name)
        } else {
            place.to_owned()
        }
    }

    /// Stops all threads and sums up.
    fn stop(mut self, stopped: bool) -> Summary {
        /// How long a script may take to end by itself before it counts as endless.
        const GRACE: Duration = Duration::from_secs(1);

        let (sender, counted) = mpsc::channel();
        for thread in &self.threads {
            thread.send(Task::Stop(sender.clone()));
        }
        drop(sender);
        let mut counts = Counts::default();
        loop {
            match counted.recv_timeout(GRACE) {
                Ok(of_thread) => counts.add(&of_thread),
                // ORDERING: a flag that guards nothing.
                Err(RecvTimeoutError::Timeout) => {
                    self.shared.stopping.store(true, Ordering::Relaxed);
                    #[cfg(unix)]
                    self.gateway.iter().for_each(Gateway::interrupt);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let number_of_threads = self.threads.len();
        let ended: Vec<bool> = self.threads.drain(..).map(ScriptThread::end).collect();
        #[cfg(unix)]
        let gateway_ended = self.gateway.take().is_none_or(Gateway::end);
        #[cfg(not(unix))]
        let gateway_ended = true;
        if ended.contains(&false) || !gateway_ended {
            self.log_error("a script thread panicked", None, None, None);
        }
        Summary::new(&counts, number_of_threads, self.started.elapsed(), stopped, self.shared.log.errors())
    }

    fn log(&self, context: &str, event: &Event<'_>) {
        self.shared.log.write(context, event);
    }

    fn log_error(&self, message: &str, file: Option<&str>, line: Option<usize>, column: Option<usize>) {
        self.log("browser", &Event::Error { message, file, line, column, stack: "" });
    }
}

fn report(log: &Log, message: &str) {
    log.write("browser", &Event::Error { message, file: None, line: None, column: None, stack: "" });
}
