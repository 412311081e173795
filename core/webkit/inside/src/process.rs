//! A web process: its extensions, its worlds and its pages.

use crate::control::{Package, Start};
use crate::extensions::Loaded;
use crate::page::Page;
use crate::values::small_of;
use crate::webkit::{self, Frame, ScriptWorld};
use glib::{ControlFlow, Priority};
use javascriptcore6::{Context, Value};
use port_core::DocumentId;
use port_core_webext::Profile;
use port_core_webext::extension::manifest::{RunAt, ScriptWorld as Whose};
use port_core_webext::extension::{Script, hash};
use serde_json::json;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

/// The function that the user scripts of `browser` call when a document gets to a moment: 0 is its start, 1 its end, 2
/// is later.
const MOMENT: &str = "__portCoreMoment";

/// All that a web process has. It lives as long as the process.
pub(crate) struct Process {
    pub(crate) profile: Profile,
    pub(crate) pages_own: ScriptWorld,
    /// The world of `document.js`.
    pub(crate) documents: ScriptWorld,
    extensions: RefCell<Vec<Rc<Loaded>>>,
    /// The extensions' worlds, by their names: a process makes each once, however often its extension is loaded.
    worlds: RefCell<HashMap<String, ScriptWorld>>,
    pages: RefCell<HashMap<u64, Rc<Page>>>,
}

impl Process {
    pub(crate) fn new(start: Start) -> Rc<Self> {
        let process = Rc::new(Self {
            profile: start.profile.parse().unwrap_or_default(),
            pages_own: ScriptWorld::pages_own(),
            documents: ScriptWorld::named("port-core-documents"),
            extensions: RefCell::default(),
            worlds: RefCell::default(),
            pages: RefCell::default(),
        });
        let me = Rc::downgrade(&process);
        process
            .documents
            .on_new_window(move |page, frame| with(&me, |process| process.new_window(page, frame)));
        let me = Rc::downgrade(&process);
        process
            .pages_own
            .on_new_window(move |page, frame| with(&me, |process| process.new_own_window(page, frame)));
        process.set_extensions(start.extensions);
        process
    }

    /// Takes over the extensions that are loaded now.
    pub(crate) fn set_extensions(self: &Rc<Self>, packages: Vec<Package>) {
        let known = self.extensions.take();
        let mut extensions = Vec::new();
        for package in packages {
            let kept = known.iter().find(|loaded| loaded.instance == package.instance);
            let loaded =
                kept.cloned().or_else(|| Loaded::new(package, self.profile, |id| self.world_named(id)));
            extensions.extend(loaded);
        }
        *self.extensions.borrow_mut() = extensions;
    }

    fn world_named(self: &Rc<Self>, id: &str) -> ScriptWorld {
        if let Some(world) = self.worlds.borrow().get(id) {
            return world.clone();
        }
        let world = ScriptWorld::named(id);
        let (me, name) = (Rc::downgrade(self), id.to_owned());
        world.on_new_window(move |page, frame| {
            with(&me, |process| process.new_world_window(page, frame, &name))
        });
        self.worlds.borrow_mut().insert(id.to_owned(), world.clone());
        world
    }

    /// Returns an extension.
    pub(crate) fn extension(&self, id: &str) -> Option<Rc<Loaded>> {
        self.extensions.borrow().iter().find(|loaded| loaded.extension.id().as_str() == id).cloned()
    }

    /// A page is new in this process.
    pub(crate) fn new_page(self: &Rc<Self>, object: &webkit::Page) {
        let Ok(page) = Page::new(self, object) else { return };
        self.pages.borrow_mut().insert(object.id(), page);
        let (me, id) = (Rc::downgrade(self), object.id());
        object.on_gone(move || {
            let Some(page) = me.upgrade().and_then(|process| process.pages.borrow_mut().remove(&id)) else {
                return;
            };
            // WebKit says so first, and then has the scripts hear that the page goes.
            glib::source::idle_add_local_full(Priority::HIGH, move || {
                page.flush();
                ControlFlow::Break
            });
        });
    }

    fn page_of(&self, page: &webkit::Page) -> Option<Rc<Page>> {
        self.pages.borrow().get(&page.id()).cloned()
    }

    /// A frame shows a document, whose scripts have yet to run.
    fn new_window(self: &Rc<Self>, page: &webkit::Page, frame: &Frame) {
        let Some(page) = self.page_of(page) else { return };
        page.document_in(self, frame);
        if frame.is_top() {
            // Now the page is about not to be provisional any more; once this turn is over it is not. Before anything
            // else then: what others learn of the page by other ways should not be faster.
            let page = Rc::downgrade(&page);
            glib::source::idle_add_local_full(Priority::HIGH, move || {
                if let Some(page) = page.upgrade() {
                    page.hand_over();
                }
                ControlFlow::Break
            });
        }
    }

    /// The world of the page's own scripts: that of an extension's page has the API.
    fn new_own_window(self: &Rc<Self>, page: &webkit::Page, frame: &Frame) {
        let own = frame.url();
        let extensions = self.extensions.borrow().clone();
        let owner = extensions.iter().find(|loaded| own.starts_with(loaded.extension.base().as_str()));
        let (Some(owner), Some(page)) = (owner, self.page_of(page)) else { return };
        if let Some(document) = page.document_in(self, frame)
            && let Some(world) = page.make_world(frame, document, owner, true)
        {
            page.hold_until_granted(&world);
        }
    }

    /// The world of an extension's content scripts: if some are to run, it gets the function that runs them.
    fn new_world_window(self: &Rc<Self>, page: &webkit::Page, frame: &Frame, id: &str) {
        let (Some(extension), Some(page)) = (self.extension(id), self.page_of(page)) else { return };
        let Some(document) = page.document_in(self, frame) else { return };
        let matched = page.documents.borrow().get(document).map(|shown| Rc::clone(&shown.matched));
        let Some(matched) = matched else { return };
        let scripts = |whose| extension.scripts_for(&matched, whose, self.profile);
        let (isolated, main) = (scripts(Whose::Isolated), scripts(Whose::Main));
        if isolated.is_none() && main.is_none() {
            return;
        }
        let context = frame.context_in(&extension.world);
        let (page, process, frame) = (Rc::downgrade(&page), Rc::downgrade(self), frame.downgrade());
        let run = move |context: &Context, arguments: &[Value]| {
            let moment =
                usize::try_from(small_of(arguments, 0)).ok().and_then(|moment| RunAt::ALL.get(moment));
            if let (Some(page), Some(process), Some(frame), Some(&moment)) =
                (page.upgrade(), process.upgrade(), frame.upgrade(), moment)
            {
                let is_first = page.world_in(document, extension.extension.id().as_str()).is_none();
                if is_first && moment == RunAt::Start && isolated.is_some() {
                    page.make_world(&frame, document, &extension, false);
                }
                if let Some(world) = page.world_in(document, extension.extension.id().as_str()) {
                    let scripts = isolated.iter().flat_map(|scripts| scripts.at(moment));
                    let mut scripts = scripts.peekable();
                    if scripts.peek().is_some() {
                        page.hold_until_granted(&world);
                    }
                    for script in scripts {
                        run_script(context, script, &mut |error| page.report(&world, error));
                    }
                    // Before what the scripts fetch, by which others may learn that they run.
                    page.flush();
                }
                let pages_own = frame.context_in(&process.pages_own);
                let scripts = main.iter().flat_map(|scripts| scripts.at(moment));
                for script in scripts {
                    run_script(&pages_own, script, &mut |_| {});
                }
            }
            Ok(None)
        };
        context.set_value(MOMENT, &webkit::function(&context, Box::new(run)));
    }

    /// The world as its scripts' side is told of it: see `host.d.ts` of port-core-webext.
    pub(crate) fn describe(&self, loaded: &Loaded, is_page: bool, is_background: bool) -> String {
        let extension = &loaded.extension;
        let manifest: serde_json::Value = serde_json::from_str(extension.manifest_text()).unwrap_or_default();
        let id = extension.id().as_str();
        json!({
            "kind": match (is_page, is_background) {
                (false, _) => "content-script",
                (true, true) => "background",
                (true, false) => "page",
            },
            "profile": self.profile.name(),
            "inspectedTab": null,
            "offers": ["notifications", "tabs.captureVisibleTab"],
            "extension": {
                "id": id,
                "instance": Profile::Firefox.show_document(DocumentId::new(hash(id))),
                "base": extension.base().as_str(),
                "manifest": manifest,
                "permissions": extension.permissions(),
                "absentNamespaces": extension.absent_namespaces(),
                "messages": extension.messages(),
            },
        })
        .to_string()
    }
}

fn with(process: &Weak<Process>, call: impl FnOnce(&Rc<Process>)) {
    if let Some(process) = process.upgrade() {
        call(&process);
    }
}

/// Runs a script, and reports what it throws.
pub(crate) fn run_script(context: &Context, script: &Script, report: &mut dyn FnMut(&str)) -> Option<Value> {
    let value = context.evaluate_with_source_uri(&script.text, &script.url, 1);
    if let Some(thrown) = context.exception() {
        report(&thrown.report().unwrap_or_default());
        context.clear_exception();
        return None;
    }
    value
}
