//! Backgrounds: started with their extension and by what comes for them, stopped when they are idle.

use super::{Browser, Later, LoadedExtension};
use crate::log::Event;
use crate::messages::{Attachment, BackgroundStart, Loaded, Task, ThreadIndex, WorldDescription};
use crate::web::Site;
use port_core::{ContextDescription, ContextKind, DisconnectReason, ExtensionInstance};
use port_core_webext::{Profile, origin_of};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a background may take to run its script.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many events wait for a background at most; more of them are lost.
const MOST_WAITING: usize = 1_000;

/// The background of an extension.
#[derive(Debug, Default)]
pub(super) struct Background {
    state: State,
    /// The number of its latest start.
    starts: u64,
    /// The events that have listeners in it, or had when it was stopped.
    heard: BTreeSet<String>,
    /// Events for it that wait until it runs, each with its details.
    waiting: Vec<(&'static str, String)>,
    /// The version that was reloaded.
    pub(super) previous_version: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// It does not run, or there is none.
    #[default]
    Stopped,
    /// It was told to start, and has not run its script.
    Starting,
    Running,
}

impl Background {
    pub(super) fn runs(&self) -> bool {
        self.state != State::Stopped
    }

    /// Whether this is its latest start, and has come to this state.
    fn is_at(&self, start: u64, state: State) -> bool {
        self.starts == start && self.state == state
    }
}

impl Browser {
    /// Starts the background of an extension, if it has one.
    pub(super) fn start_background(&mut self, index: usize, why: &str) {
        let loaded = &mut self.extensions[index];
        let (extension, instance) = (Arc::clone(&loaded.extension), loaded.instance);
        let Some(page) = extension.background() else { return self.open_sidebar(instance) };
        loaded.background.state = State::Starting;
        loaded.background.starts += 1;
        let start = loaded.background.starts;
        let mut context =
            ContextDescription::background(instance).url(page.url.as_str()).origin(&origin_of(&page.url));
        let is_worker = extension.has_worker();
        if !is_worker {
            context = context.in_document(self.new_document());
        }
        let label = self.label("background", &extension);
        self.log(&label, &Event::Background { change: "starts", why });
        let world = WorldDescription {
            context: Attachment::Described(context),
            kind: ContextKind::Background,
            extension: Arc::clone(&extension),
            instance,
            place: None,
            page: None,
            url: page.url.clone(),
            title: page.title.clone(),
            html: Arc::clone(&page.html),
            elements: Arc::default(),
            container: None,
            inspected_tab: None,
            is_worker,
            stops: extension.manifest().has_background_that_stops(),
            above: Vec::new(),
            is_own_document: true,
            admitted_by: Vec::new(),
            label,
            scripts: page.scripts.clone(),
        };
        let started = BackgroundStart { instance, start };
        self.do_later(PATIENCE, Later::GiveUp(started), None);
        self.send(
            &Site::of(&page.url),
            Task::Load { worlds: vec![world], then: Loaded::Background(started) },
        );
    }

    /// Starts the backgrounds that the core was asked for.
    pub(super) fn start_wanted_backgrounds(&mut self) {
        while let Some(instance) = self.service.next_wanted_background() {
            let wanted = self.extensions.iter().position(|loaded| loaded.instance == instance);
            // One that starts already will be ready for whoever waits.
            if let Some(index) =
                wanted.filter(|&index| self.extensions[index].background.state != State::Starting)
            {
                self.start_background(index, "somebody connects to it");
            }
        }
    }

    /// A background has run its script: it hears of its installation, and of what came meanwhile.
    pub(super) fn background_loaded(&mut self, started: BackgroundStart) {
        let BackgroundStart { instance, start } = started;
        let is_firefox = self.shared.profile == Profile::Firefox;
        let Some(loaded) = self.loaded_mut(instance) else { return };
        if !loaded.background.is_at(start, State::Starting) {
            return;
        }
        loaded.background.state = State::Running;
        let mut events = std::mem::take(&mut loaded.background.waiting);
        if start == 1 {
            let mut details = serde_json::json!({ "reason": "install" });
            if let Some(version) = loaded.background.previous_version.take() {
                details = serde_json::json!({ "reason": "update", "previousVersion": version });
            }
            if is_firefox {
                details["temporary"] = true.into();
            }
            events.insert(0, ("runtime.onInstalled", serde_json::json!([details]).to_string()));
        }
        let site = Site::of(loaded.extension.base());
        let events = events.into_iter().map(|(event, details)| (event.into(), details)).collect();
        self.send(&site, Task::Begin { instance, events });
        if start == 1 {
            self.open_sidebar(instance);
        }
    }

    /// A background could not run its script, or takes too long to.
    pub(super) fn background_failed(&mut self, started: BackgroundStart, why: &str) {
        let BackgroundStart { instance, start } = started;
        let Some(loaded) = self.loaded_mut(instance) else { return };
        if !loaded.background.is_at(start, State::Starting) {
            return;
        }
        loaded.background.state = State::Stopped;
        loaded.background.waiting.clear();
        let given_up = self.service.give_up_background(instance, DisconnectReason::BackgroundNotStarted);
        self.expect_known(given_up);
        let stopped = self.service.stop_background(instance);
        self.expect_known(stopped);
        self.log_background(instance, "fails to start", why);
    }

    /// A background has been idle for long enough.
    pub(super) fn background_idle(&mut self, started: BackgroundStart) {
        let BackgroundStart { instance, start } = started;
        let idle = self.shared.idle.as_secs_f64();
        let Some(loaded) = self.loaded_mut(instance) else { return };
        if !loaded.background.is_at(start, State::Running) {
            return;
        }
        loaded.background.state = State::Stopped;
        let stopped = self.service.stop_background(instance);
        self.expect_known(stopped);
        self.log_background(instance, "stops", &format!("nothing came for it for {idle} s"));
        self.tell_of_rest();
    }

    /// The process of a thread is no more, and the backgrounds that ran in it: what comes for them starts them again.
    pub(super) fn backgrounds_crashed(&mut self, thread: ThreadIndex) {
        let is_there =
            |loaded: &&LoadedExtension| self.sites.get(&Site::of(loaded.extension.base())) == Some(&thread);
        let gone: Vec<_> = self
            .extensions
            .iter()
            .filter(is_there)
            .map(|loaded| (loaded.instance, loaded.background.starts, loaded.background.state))
            .collect();
        for (instance, start, state) in gone {
            match state {
                State::Stopped => {}
                State::Starting => {
                    self.background_failed(BackgroundStart { instance, start }, "its process crashed");
                }
                State::Running => {
                    if let Some(loaded) = self.loaded_mut(instance) {
                        loaded.background.state = State::Stopped;
                    }
                    self.log_background(instance, "stops", "its process crashed");
                }
            }
        }
    }

    fn log_background(&self, instance: ExtensionInstance, change: &str, why: &str) {
        if let Some(loaded) = self.extensions.iter().find(|loaded| loaded.instance == instance) {
            self.log(&self.label("background", &loaded.extension), &Event::Background { change, why });
        }
    }

    /// Notes that an event has listeners in a background, or has none any more.
    pub(super) fn set_heard(&mut self, instance: ExtensionInstance, event: String, is_heard: bool) {
        let Some(loaded) = self.loaded_mut(instance) else { return };
        if is_heard {
            loaded.background.heard.insert(event);
        } else {
            loaded.background.heard.remove(&event);
        }
    }

    /// Keeps an event for a background that does not run, and starts it if it listens to that.
    pub(super) fn keep_for_background(
        &mut self,
        instance: ExtensionInstance,
        event: &'static str,
        details: &str,
    ) {
        let Some(index) = self.extensions.iter().position(|loaded| loaded.instance == instance) else {
            return;
        };
        let background = &mut self.extensions[index].background;
        if background.state == State::Running || !background.heard.contains(event) {
            return;
        }
        if background.waiting.len() < MOST_WAITING {
            background.waiting.push((event, details.to_owned()));
        }
        if background.state == State::Stopped {
            self.start_background(index, &format!("it listens to {event}"));
        }
    }

    /// Whether no background runs that is stopped when it is idle.
    pub(super) fn all_backgrounds_rest(&self) -> bool {
        self.extensions.iter().all(|loaded| {
            !loaded.background.runs() || !loaded.extension.manifest().has_background_that_stops()
        })
    }
}
