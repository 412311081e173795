//! What the scripts of one world call, carried out on their thread.

use super::documents::Document;
use super::event_loop::Target;
use super::host::{Connection, Host, WorldIdentity};
use crate::log::Event;
use crate::messages::{Call, Caller, LastWords, NavigationChange, OtherWindow, Request};
use crate::script_error::ScriptError;
use port_core::{ConnectKind, ContextKind, FrameId, Listening, TabId};
use port_core_webext::extension::manifest::ScriptKind;
use port_core_webext::{PageHost, Profile, Refusal, ScriptHost, origin_of};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use url::Url;

/// How much `localStorage` keeps of a site, in bytes.
const MOST_SITE_STORAGE: usize = 5 << 20;

/// The host of one world. What it does, it does as the world's context, whatever it is given.
pub(super) struct WorldHost {
    pub(super) host: Rc<Host>,
    pub(super) world: WorldIdentity,
    pub(super) kind: ContextKind,
    pub(super) listening: Cell<Listening>,
}

impl WorldHost {
    /// The script has run: whoever waits for the background may come.
    pub(super) fn set_ready(&self) {
        self.listen(self.listening.get().ready(true));
    }

    /// The browser process was told that the background is idle. What connects to it from now on is left undecided, which
    /// waits for its next start.
    pub(super) fn listen_no_more(&self) {
        self.listen(self.listening.get());
    }

    fn listen(&self, listening: Listening) {
        self.listening.set(listening);
        let listening = listening.asks(self.host.idle.borrow().is_told(self.world.context));
        self.host.event_loop.borrow_mut().set_listening(self.world.context, listening);
    }

    /// Takes events of a scenario, a JSON array, unless the world is about to be no more.
    pub(super) fn record(&self, events: String) {
        let Some(recorder) = &self.host.shared.recorder else { return };
        let is_gone = self.host.detached.borrow().contains(&self.world.context);
        if !is_gone && self.host.last_words.get() != LastWords::Unrecorded {
            recorder.record(events);
        }
    }
}

/// A kind of channel, as scripts give it.
fn kind(is_one_off: bool) -> ConnectKind {
    if is_one_off { ConnectKind::OneOff } else { ConnectKind::Port }
}

impl ScriptHost for WorldHost {
    fn connect_tab(
        &self,
        tab: u64,
        frame: Option<u64>,
        document: Option<&str>,
        name: &str,
        is_one_off: bool,
    ) -> Result<u32, Refusal> {
        let target = Target::Tab {
            tab: TabId::new(tab),
            frame: frame.map(FrameId::new),
            document: document.map(|document| self.host.shared.profile.parse_document(document)),
        };
        let shown = || {
            let frame = frame.map(|frame| format!(" frame {frame} only")).unwrap_or_default();
            let document = document.map(|document| format!(" document {document} only"));
            format!("tab {tab}{frame}{}", document.unwrap_or_default())
        };
        self.host.connect(&self.world, &Connection { kind: kind(is_one_off), name, target, shown: &shown })
    }

    fn connect_runtime(&self, extension: Option<&str>, name: &str, is_one_off: bool) -> Result<u32, Refusal> {
        let shown = || match extension {
            None => "its extension".to_owned(),
            Some(id) => format!("extension {id}"),
        };
        let target = Target::Runtime(extension);
        self.host.connect(&self.world, &Connection { kind: kind(is_one_off), name, target, shown: &shown })
    }

    fn post_message(&self, port: u32, message: String) -> Result<(), Refusal> {
        self.host.post_message(&self.world, port, message)
    }

    fn disconnect(&self, port: u32) -> Result<(), Refusal> {
        self.host.disconnect(&self.world, port)
    }

    fn set_listening(&self, ports: bool, one_off: bool, external_ports: bool, external_one_off: bool) {
        let listening = Listening::none()
            .ports(ports)
            .one_off(one_off)
            .external_ports(external_ports)
            .external_one_off(external_one_off)
            .listeners(1)
            .ready(self.listening.get().ready);
        self.listen(listening);
    }

    fn set_heard(&self, event: String, is_heard: bool) {
        if self.kind == ContextKind::Background {
            self.host.request(Request::Heard { instance: self.world.instance, event, is_heard });
        }
    }

    fn call(&self, number: u32, method: String, arguments: String) {
        self.host.idle.borrow_mut().note_use(self.world.context);
        let caller = Caller {
            thread: self.host.thread,
            context: self.world.context,
            instance: self.world.instance,
            place: self.world.place,
            page: self.world.page,
        };
        self.host.request(Request::Call(Call { caller, number, method, arguments }));
    }

    fn console(&self, level: &str, text: &str) {
        self.host.log(&self.world, &Event::Console { level, text });
    }

    fn report_exception(&self, message: &str, stack: &str) {
        // ORDERING: a flag that guards nothing.
        if self.host.shared.stopping.load(Ordering::Relaxed) {
            // The engine throws for the script, which may have done nothing wrong.
            let place = stack.lines().next().unwrap_or_default().trim();
            let text = format!("stopped, for the time of the run is over: {place}");
            return self.host.log(&self.world, &Event::Console { level: "warn", text: &text });
        }
        let error = ScriptError { message: message.to_owned(), stack: stack.to_owned() };
        error.report(&self.host.shared.log, &self.world.label, &self.world.extension);
    }
}

impl PageHost for WorldHost {
    fn set_timer(&self, timer: u32, milliseconds: f64) {
        // Beyond what fits, as good as never.
        let delay = Duration::try_from_secs_f64(milliseconds / 1_000.0).unwrap_or(Duration::MAX);
        self.host.timers.borrow_mut().set((self.world.context, timer), delay);
    }

    fn clear_timer(&self, timer: u32) {
        self.host.timers.borrow_mut().clear((self.world.context, timer));
    }

    fn now(&self) -> f64 {
        self.host.shared.clock.now()
    }

    fn import_script(&self, url: &str) -> Result<(String, String), String> {
        let extension = &self.world.extension;
        let base = extension.background().map_or(extension.base(), |page| &page.url);
        let url = base.join(url).map_err(|error| error.to_string())?;
        let script = extension.script(&url, ScriptKind::Classic)?;
        Ok((script.url.to_string(), script.text.to_string()))
    }

    fn document_url(&self) -> Option<String> {
        self.host.with_document(&self.world, |document| document.url.to_string())
    }

    fn set_document_url(&self, url: &str, replace: bool) {
        if let Ok(url) = Url::parse(url) {
            if let Some(place) = self.world.place {
                let top_of = Some(place.tab).filter(|_| place.frame == FrameId::TOP);
                self.host.set_document_url(place.document, &url, top_of);
            }
            self.host.navigate(&self.world, NavigationChange::SameDocument { url, replace });
        }
    }

    fn post_window_message(&self, message: String) {
        if let Some(place) = self.world.place {
            self.host.window_messages.borrow_mut().push_back((place.document, message));
        }
    }

    fn set_title(&self, title: String) {
        let place = self.world.place.filter(|place| place.frame == FrameId::TOP);
        // In Firefox the tab has it a moment later (measured).
        if let Some(place) = place.filter(|_| self.host.shared.profile == Profile::Chromium) {
            self.host.shared.tabs.change(|tabs| {
                if let Some(info) = tabs.get_mut(&place.tab) {
                    info.title.clone_from(&title);
                }
            });
        }
        self.host.navigate(&self.world, NavigationChange::Title(title));
    }

    fn background_window(&self) -> Option<u64> {
        self.host.backgrounds.borrow().get(&self.world.instance).map(|(_, number)| *number)
    }

    fn site_storage(&self, area: &str, what: &str, key: &str, value: String) -> Option<String> {
        let origin = match self.world.place.and(self.document_url()) {
            Some(url) => Url::parse(&url).map_or(url, |url| origin_of(&url)),
            None => self.world.extension.base().to_string(),
        };
        let mut areas = self.host.site_storage.borrow_mut();
        let items = areas.entry((area.to_owned(), origin)).or_default();
        match what {
            "get" => return items.get(key).cloned(),
            "keys" => return serde_json::to_string(&items.keys().collect::<Vec<_>>()).ok(),
            "set" => {
                // As much as browsers take of a site.
                let bytes: usize = items.iter().map(|(key, value)| key.len() + value.len()).sum();
                if bytes + key.len() + value.len() <= MOST_SITE_STORAGE {
                    items.insert(key.to_owned(), value);
                }
            }
            "remove" => drop(items.remove(key)),
            _ => items.clear(),
        }
        None
    }

    fn read_file(&self, url: &str) -> Result<String, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        self.world.extension.text_of(&url)
    }

    fn close_window(&self) {
        self.host.request(Request::CloseWindow { page: self.world.page, place: self.world.place });
    }

    fn open_window(&self, url: &str) {
        if let Ok(url) = Url::parse(url) {
            self.host.request(Request::OpenWindow(url));
        }
    }

    fn post_frame_message(&self, element: Option<u32>, is_top: bool, message: String) {
        let to = match element {
            Some(element) => OtherWindow::Element(element),
            None if is_top => OtherWindow::Top,
            None => OtherWindow::Parent,
        };
        if let Some(place) = self.world.place {
            self.host.request(Request::WindowMessage { place, to, json: message });
        }
    }

    fn go(&self, url: &str, replace: bool) {
        if let Ok(url) = Url::parse(url) {
            self.host.navigate(&self.world, NavigationChange::Go { url, replace });
        }
    }

    fn reload(&self) {
        self.host.navigate(&self.world, NavigationChange::Reload);
    }

    fn traverse(&self, delta: i32) {
        self.host.navigate(&self.world, NavigationChange::Traverse(delta));
    }

    fn frame_elements(&self) -> String {
        let elements = self.host.with_document(&self.world, |document| document.elements.clone());
        serde_json::to_string(&elements.unwrap_or_default()).unwrap_or_else(|_| "[]".to_owned())
    }

    fn add_frame_element(&self, id: String, src: String, sandbox: Option<String>) -> Option<u32> {
        let url = Url::parse(&src).ok()?;
        let add = |document: &mut Document| document.add_element(id, src, sandbox.clone());
        let element = self.host.with_document(&self.world, add)?;
        self.host.navigate(&self.world, NavigationChange::AttachFrame { element, url, sandbox });
        Some(element)
    }

    fn navigate_frame_element(&self, element: u32, src: &str) {
        if let Ok(url) = Url::parse(src) {
            self.host.navigate(&self.world, NavigationChange::NavigateFrame { element, url });
        }
    }

    fn remove_frame_element(&self, element: u32, leave: &mut dyn FnMut(u64)) {
        self.host.remove_frame(&self.world, element, leave);
    }

    fn pressed(&self) {
        self.host.presses.set(self.host.presses.get() + 1);
    }

    fn keep_from_cache(&self) {
        self.host.keeps_from_cache.set(true);
    }

    fn executed(&self, number: u64, outcome: Result<String, String>) {
        let mut executions = self.host.executions.borrow_mut();
        if executions.get(&number) == Some(&self.world.context) {
            executions.remove(&number);
            self.host.request(Request::Executed { number, outcome });
        }
    }
}
