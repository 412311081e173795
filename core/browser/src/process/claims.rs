//! What a renderer may speak for: the worlds, documents, pages and tasks that it was given. What it says of others is a
//! lie.

use super::words::Up;
use crate::messages::WorldDescription;
use crate::messages::{Call, Caller, Loaded, Navigation, NavigationChange, Request, Task, ThreadIndex};
use crate::scenario::CALL_PREFIX;
use port_core::{ContextId, ContextKind, ExtensionInstance, Place};
use port_core_webext::extension::Extension;
use port_core_webext::origin_of;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use url::Url;

/// What no honest renderer says, in words.
pub(super) type Lie = &'static str;

/// How many events backgrounds may listen to, and how long their names may be, in bytes.
const MOST_HEARD: usize = 1_000;
const LONGEST_NAME: usize = 200;

/// What one renderer was given.
#[derive(Default)]
pub(super) struct Claims {
    /// Contexts that are granted or attached, by their numbers.
    worlds: BTreeMap<u64, World>,
    /// The greatest number of a context that was given.
    latest: u64,
    /// Documents that it was ever told to load, with the URLs that they have.
    documents: HashMap<Place, Url>,
    pages: HashSet<u64>,
    /// Tasks that it is to answer.
    tasks: HashSet<u64>,
    executions: HashSet<u64>,
    /// The extensions whose backgrounds it was ever given.
    backgrounds: HashSet<ExtensionInstance>,
    /// The events that it said these listen to.
    heard: HashSet<(ExtensionInstance, String)>,
    /// Whether a scenario is replayed, which has calls that extensions have not.
    is_replay: bool,
    extensions: HashMap<ExtensionInstance, Arc<Extension>>,
}

struct World {
    instance: ExtensionInstance,
    kind: ContextKind,
    place: Option<Place>,
    page: Option<u64>,
    admitted_by: Vec<ExtensionInstance>,
}

impl Claims {
    /// Nothing is given yet. Only while a scenario is replayed are its own calls admitted.
    pub(super) fn new(is_replay: bool) -> Self {
        Self { is_replay, ..Self::default() }
    }

    /// The renderer is given a world under a number. Says whether its extension is new to it.
    pub(super) fn give(&mut self, number: u64, world: &WorldDescription) -> bool {
        self.latest = self.latest.max(number);
        if let Some(place) = world.place {
            self.documents.entry(place).or_insert_with(|| world.url.clone());
        }
        self.pages.extend(world.page);
        if world.kind == ContextKind::Background {
            self.backgrounds.insert(world.instance);
        }
        let WorldDescription { instance, kind, place, page, .. } = *world;
        let admitted_by = world.admitted_by.clone();
        self.worlds.insert(number, World { instance, kind, place, page, admitted_by });
        self.extensions.insert(instance, Arc::clone(&world.extension)).is_none()
    }

    /// The renderer is given a task.
    pub(super) fn give_task(&mut self, task: &Task) {
        match task {
            Task::BeforeUnload { number, .. }
            | Task::Unload { number, .. }
            | Task::Touch { number, .. }
            | Task::Echo(number) => {
                self.tasks.insert(*number);
            }
            Task::Execute { number, .. } => {
                self.executions.insert(*number);
            }
            _ => {}
        }
    }

    /// A context is over. Says whether there ever was one of this number.
    pub(super) fn end(&mut self, number: u64) -> Result<(), Lie> {
        self.worlds.remove(&number);
        if number == 0 || number > self.latest { Err("a context that it was not given") } else { Ok(()) }
    }

    /// An extension that it was given.
    pub(super) fn extension(&self, instance: ExtensionInstance) -> Option<&Arc<Extension>> {
        self.extensions.get(&instance)
    }

    /// Whether it runs pages of an extension, not content scripts alone.
    pub(super) fn runs_pages_of(&self, instance: ExtensionInstance) -> bool {
        let mut worlds = self.worlds.values();
        let is_page = |kind: ContextKind| matches!(kind, ContextKind::Background | ContextKind::Page);
        worlds.any(|world| world.instance == instance && is_page(world.kind))
    }

    /// The tabs that it shows something in, and the extensions whose scripts it runs there, or that pages there may
    /// connect to.
    pub(super) fn tabs(&self) -> impl Iterator<Item = (port_core::TabId, ExtensionInstance)> {
        self.worlds.values().flat_map(|world| {
            let instances = std::iter::once(&world.instance).chain(&world.admitted_by);
            instances.filter_map(|instance| Some((world.place?.tab, *instance)))
        })
    }

    /// The extensions that it runs something of.
    pub(super) fn extensions(&self) -> impl Iterator<Item = (ExtensionInstance, &Arc<Extension>)> {
        self.extensions.iter().map(|(instance, extension)| (*instance, extension))
    }

    /// What a call is, with who made it as the browser knows it; `None` if that context is over.
    pub(super) fn call(&self, thread: ThreadIndex, call: Up) -> Result<Option<Request>, Lie> {
        let Up::Call { context, number, method, arguments } = call else { return Ok(None) };
        let Some(world) = self.worlds.get(&context) else {
            let was = context != 0 && context <= self.latest;
            return if was { Ok(None) } else { Err("a call of a context that it was not given") };
        };
        // Which calls a page may make is its bindings' to say, as in a browser of one process; content scripts have few.
        let is_scenarios = method.starts_with(CALL_PREFIX);
        if is_scenarios && !self.is_replay {
            return Err("a call of a scenario, where none is replayed");
        }
        let may = is_scenarios || method.starts_with("storage.") || method == "runtime.getPlatformInfo";
        if world.kind == ContextKind::WebPage || (world.kind == ContextKind::ContentScript && !may) {
            return Err("a call that content scripts cannot make");
        }
        let caller = Caller {
            thread,
            context: ContextId::from_bits(context),
            instance: world.instance,
            place: world.place,
            page: world.page,
        };
        Ok(Some(Request::Call(Call { caller, number, method, arguments })))
    }

    /// Checks what a request speaks of.
    pub(super) fn check(&mut self, request: &Request) -> Result<(), Lie> {
        let is_fine = match request {
            Request::Interactive(place) | Request::WindowMessage { place, .. } => self.shows(place),
            Request::Loaded(Loaded::Document(place)) => self.shows(place),
            Request::Loaded(Loaded::Background(started))
            | Request::BackgroundIdle(started)
            | Request::BackgroundFailed(started) => self.backgrounds.contains(&started.instance),
            Request::Heard { instance, event, is_heard } => {
                let event = (*instance, event.clone());
                if !is_heard {
                    self.heard.remove(&event);
                } else if self.heard.len() < MOST_HEARD && event.1.len() < LONGEST_NAME {
                    self.heard.insert(event);
                } else {
                    return Err("more events than there are");
                }
                self.backgrounds.contains(instance)
            }
            Request::Loaded(Loaded::Page(number)) => *number == 0 || self.pages.contains(number),
            Request::Navigation(Navigation { place, change }) => {
                let Some(url) = self.documents.get_mut(place) else {
                    return Err("a document that it was not given");
                };
                match change {
                    NavigationChange::SameDocument { url: new, .. } if origin_of(new) != origin_of(url) => {
                        return Err("a document that changed its origin");
                    }
                    NavigationChange::SameDocument { url: new, .. } => url.clone_from(new),
                    _ => {}
                }
                true
            }
            Request::Asked { number, .. } | Request::Done(number) => self.tasks.remove(number),
            Request::Executed { number, .. } => self.executions.remove(number),
            Request::CloseWindow { page, place } => {
                page.is_none_or(|page| self.pages.contains(&page))
                    && place.as_ref().is_none_or(|place| self.shows(place))
            }
            Request::OpenWindow(_) => true,
            Request::Call(_) | Request::Calm | Request::BackgroundWanted | Request::Crashed(_) => false,
        };
        if is_fine { Ok(()) } else { Err("something that it was not given") }
    }

    fn shows(&self, place: &Place) -> bool {
        self.documents.contains_key(place)
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;
    use crate::messages::{Loaded, OtherWindow, Request, Task, ThreadIndex};
    use crate::process::words::Up;
    use port_core::{DocumentId, FrameId, Place, TabId};

    #[test]
    fn what_was_not_given_is_a_lie_and_what_was_answered_is_over() {
        let mut claims = Claims::default();
        claims.give_task(&Task::Echo(7));
        assert_eq!(claims.check(&Request::Done(7)), Ok(()));
        let place = Place::new(TabId::new(1), FrameId::TOP, DocumentId::new(2));
        for request in [
            Request::Done(7),
            Request::Done(8),
            Request::Executed { number: 1, outcome: Ok(String::new()) },
            Request::Interactive(place),
            Request::Loaded(Loaded::Document(place)),
            Request::Loaded(Loaded::Page(3)),
            Request::WindowMessage { place, to: OtherWindow::Top, json: "1".to_owned() },
            Request::CloseWindow { page: Some(1), place: None },
            Request::Calm,
            Request::Crashed(ThreadIndex(0)),
        ] {
            assert!(claims.check(&request).is_err(), "{request:?}");
        }
        assert!(claims.end(1).is_err());
        let call = Up::Call { context: 1, number: 1, method: "storage.get".into(), arguments: "[]".into() };
        assert!(claims.call(ThreadIndex(0), call).is_err());
    }
}
