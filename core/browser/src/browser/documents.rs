//! Showing pages in tabs and frames, and telling the core.

use super::open_tab::{Entry, HistoryEntry, LoadState, OpenFrame};
use super::{Browser, LoadedExtension};
use crate::messages::{Attachment, FrameElement, Loaded, Task, WorldDescription};
use crate::web::Page;
use port_core::{ContextDescription, ContextKind, DocumentId, FactError, FrameId, Place, TabId};
use port_core_webext::extension::manifest::ScriptWorld;
use port_core_webext::extension::{ExtensionPage, MatchedFrame, Scripts};
use port_core_webext::{Profile, place_label};
use std::sync::Arc;
use url::Url;

impl Browser {
    /// Shows a page in a tab's top frame.
    pub(super) fn show_in_tab(&mut self, tab: TabId, page: &Page, entry: Entry) {
        let document = self.new_document();
        let is_sandboxed = self.is_sandboxed_page(&page.url);
        let Some(open) = self.tabs.get_mut(&tab) else { return };
        let is_empty = open.frames.is_empty();
        open.frames.clear();
        // Documents that were still loading are gone.
        open.loading.clear();
        open.frames.push(OpenFrame {
            id: FrameId::TOP,
            parent: None,
            element: None,
            document,
            url: page.url.clone(),
            title: page.document_title(),
            html: Arc::clone(&page.html),
            maker: None,
            is_sandboxed,
            elements: elements_of(page),
        });
        let unreachable = open.history.enter(entry, HistoryEntry { url: page.url.clone(), document });
        let shown = if is_empty {
            self.service.frame_attached(tab, FrameId::TOP, None, document)
        } else {
            self.service.frame_navigated(tab, FrameId::TOP, document)
        };
        self.expect_known(shown);
        self.forget_cached(tab, &unreachable);
    }

    /// Loads the page that a tab shows now.
    pub(super) fn load_page(&mut self, tab: TabId, page: &Page) {
        let Some(document) = self.tabs.get(&tab).and_then(|open| open.top()).map(|top| top.document) else {
            return;
        };
        self.load(Place::new(tab, FrameId::TOP, document), page);
        if self.tabs.get(&tab).is_some_and(|open| open.loading.is_empty()) {
            self.tab_complete(tab);
        }
    }

    /// Loads the document of a frame that the core knows, then the frames within.
    pub(super) fn load(&mut self, place: Place, page: &Page) {
        let Some(frame) = self.open_frame(place).cloned() else { return };
        if !self.may_show(place, &frame) {
            return self.refuse_frame(place);
        }
        let worlds: Vec<_> = self
            .extensions
            .iter()
            .filter_map(|loaded| {
                let (kind, shown) = self.scripts_for(loaded, place.tab, &frame)?;
                Some(self.describe_world(loaded, place, &frame, kind, shown))
            })
            .chain(self.pages_own_world(place, &frame))
            .collect();
        let is_empty = worlds.is_empty();
        if !is_empty {
            if let Some(open) = self.tabs.get_mut(&place.tab) {
                open.loading.insert(place.document, LoadState::Running);
            }
            self.send(&frame.site(), Task::Load { worlds, then: Loaded::Document(place) });
        } else {
            self.emit_moment("webNavigation.onDOMContentLoaded", place);
        }
        for (inner, element) in page.frames.iter().zip(0..) {
            self.attach_frame(place, element, inner, None);
        }
        if is_empty {
            self.emit_moment("webNavigation.onCompleted", place);
            self.tell_of_loaded_frame(place);
        }
    }

    /// Puts a frame into a document, in an element, and loads a page in it.
    pub(super) fn attach_frame(&mut self, parent: Place, element: u32, page: &Page, sandbox: Option<&str>) {
        self.latest_frame += 1;
        let id = FrameId::new(self.latest_frame);
        let document = self.new_document();
        let maker = self.maker_of(page, parent);
        let is_sandboxed = sandbox.is_some_and(|sandbox| !sandbox.contains("allow-same-origin"))
            || self.is_sandboxed_page(&page.url);
        let Some(open) = self.tabs.get_mut(&parent.tab) else { return };
        open.frames.push(OpenFrame {
            id,
            parent: Some(parent.frame),
            element: Some(element),
            document,
            url: page.url.clone(),
            title: page.document_title(),
            html: Arc::clone(&page.html),
            maker,
            is_sandboxed,
            elements: elements_of(page),
        });
        let attached = self.service.frame_attached(parent.tab, id, Some(parent.frame), document);
        self.expect_known(attached);
        self.emit_before_navigate(parent.tab, id, &page.url);
        self.emit_committed(parent.tab, id, &page.url);
        self.load(Place::new(parent.tab, id, document), page);
    }

    /// The page that made a frame's document, which has no site of its own.
    pub(super) fn maker_of(&self, page: &Page, parent: Place) -> Option<Url> {
        let maker =
            self.open_frame(parent).map(|frame| frame.maker.clone().unwrap_or_else(|| frame.url.clone()));
        maker.filter(|_| matches!(page.url.scheme(), "about" | "data" | "blob" | "javascript"))
    }

    /// Whether a frame may show what it is to show: a page of an extension in a page that is none of its own has to be
    /// accessible to the web.
    fn may_show(&self, place: Place, frame: &OpenFrame) -> bool {
        let Some(loaded) = self.extensions.iter().find(|loaded| loaded.extension.owns(&frame.url)) else {
            return true;
        };
        let Some(around) = self.parent_of(place.tab, frame) else { return true };
        loaded.extension.owns(&around.url)
            || loaded
                .extension
                .manifest()
                .is_web_accessible(frame.url.path(), around.maker.as_ref().unwrap_or(&around.url))
    }

    fn parent_of(&self, tab: TabId, frame: &OpenFrame) -> Option<&OpenFrame> {
        self.tabs.get(&tab)?.frames.iter().find(|parent| Some(parent.id) == frame.parent)
    }

    /// The windows above a frame's, the nearest first, as its scripts know them.
    fn windows_above(&self, tab: TabId, frame: &OpenFrame) -> Vec<(String, Option<String>)> {
        let origin = frame.origin();
        let parents = std::iter::successors(self.parent_of(tab, frame), |parent| self.parent_of(tab, parent));
        let show = |parent: &OpenFrame| {
            let is_alike = origin != "null" && parent.origin() == origin;
            (parent.origin(), is_alike.then(|| parent.url.to_string()))
        };
        parents.map(show).collect()
    }

    /// A frame, if it still shows the document.
    pub(super) fn open_frame(&self, place: Place) -> Option<&OpenFrame> {
        self.tabs.get(&place.tab)?.frame(place.frame, place.document)
    }

    /// Runs the content scripts of an extension in the documents that are shown already, as if these had just loaded.
    pub(super) fn inject_into_open_tabs(&mut self, index: usize) {
        let frames: Vec<(TabId, OpenFrame)> = self
            .tabs
            .iter()
            .flat_map(|(tab, open)| open.frames.iter().map(|frame| (*tab, frame.clone())))
            .collect();
        for (tab, frame) in frames {
            let place = Place::new(tab, frame.id, frame.document);
            let loaded = &self.extensions[index];
            if loaded.extension.owns(&frame.url) {
                continue;
            }
            let found = self
                .scripts_for(loaded, tab, &frame)
                .map(|(kind, shown)| self.describe_world(loaded, place, &frame, kind, shown));
            if let Some(world) = found {
                self.send(&frame.site(), Task::Load { worlds: vec![world], then: Loaded::Page(0) });
            }
        }
    }

    /// Whether a page is one of an extension's that its manifest keeps apart from it.
    fn is_sandboxed_page(&self, url: &Url) -> bool {
        let profile = self.shared.profile;
        let is_it = |loaded: &LoadedExtension| {
            loaded.extension.owns(url) && loaded.extension.manifest().is_sandboxed(url.path(), profile)
        };
        self.extensions.iter().any(is_it)
    }

    /// What an extension runs in a document, if anything.
    fn scripts_for(
        &self,
        loaded: &LoadedExtension,
        tab: TabId,
        frame: &OpenFrame,
    ) -> Option<(ContextKind, ExtensionPage)> {
        let LoadedExtension { extension, .. } = loaded;
        if self.is_sandboxed_page(&frame.url) {
            return None;
        }
        if extension.owns(&frame.url) {
            let shown = self.page_of(loaded, &frame.url)?;
            // In Firefox one that is framed by a page of the web is as good as a content script.
            let is_framed = self.parent_of(tab, frame).is_some_and(|around| !extension.owns(&around.url));
            if self.shared.profile == Profile::Chromium || !is_framed {
                return Some((ContextKind::Page, shown));
            }
            return (!frame.is_sandboxed).then_some((ContextKind::ContentScript, shown));
        }
        let profile = self.shared.profile;
        let scripts = loaded.extension.content_scripts_for(matched(frame, profile), ScriptWorld::Isolated)?;
        Some((ContextKind::ContentScript, self.plain_page(frame, scripts)))
    }

    /// A page of an extension; one that cannot be read is reported.
    fn page_of(&self, loaded: &LoadedExtension, url: &Url) -> Option<ExtensionPage> {
        let shown = loaded.extension.page(url);
        shown.map_err(|message| self.log_error(&message, Some(url.as_str()), None, None)).ok()
    }

    /// The world of a document itself, if an extension runs something there, or keeps the page apart from itself.
    fn pages_own_world(&self, place: Place, frame: &OpenFrame) -> Option<WorldDescription> {
        if self.is_sandboxed_page(&frame.url) {
            let loaded = self.extensions.iter().find(|loaded| loaded.extension.owns(&frame.url))?;
            let ExtensionPage { title, scripts, html, .. } = self.page_of(loaded, &frame.url)?;
            let world = self.describe_pages_own(loaded, place, frame, scripts);
            return Some(WorldDescription { title, html, ..world });
        }
        let mut scripts = Scripts::default();
        let mut first = None;
        for loaded in &self.extensions {
            let frame = matched(frame, self.shared.profile);
            if let Some(found) = loaded.extension.content_scripts_for(frame, ScriptWorld::Main) {
                first.get_or_insert(loaded);
                scripts.append(found);
            }
        }
        Some(self.describe_pages_own(first?, place, frame, scripts))
    }

    /// The world of a document itself, for an extension that runs something there.
    pub(super) fn describe_pages_own(
        &self,
        loaded: &LoadedExtension,
        place: Place,
        frame: &OpenFrame,
        scripts: Scripts,
    ) -> WorldDescription {
        let page = self.plain_page(frame, scripts);
        let world = self.describe_world(loaded, place, frame, ContextKind::WebPage, page);
        let profile = self.shared.profile;
        let admits = |loaded: &&LoadedExtension| loaded.extension.manifest().admits_page(&frame.url, profile);
        let admitting = || self.extensions.iter().filter(admits);
        let context =
            ContextDescription::web_page(place, admitting().map(|loaded| loaded.extension.id().clone()))
                .url(frame.url.as_str());
        WorldDescription {
            context: Attachment::Described(context.origin(&frame.origin())),
            admitted_by: admitting().map(|loaded| loaded.instance).collect(),
            label: format!("{} (page)", place_label(place.tab, place.frame)),
            ..world
        }
    }

    /// A document as an extension that does not own it sees it.
    pub(super) fn plain_page(&self, frame: &OpenFrame, scripts: Scripts) -> ExtensionPage {
        ExtensionPage {
            url: frame.url.clone(),
            title: frame.title.clone(),
            scripts,
            html: Arc::clone(&frame.html),
        }
    }

    /// An extension's world in a document.
    pub(super) fn describe_world(
        &self,
        loaded: &LoadedExtension,
        place: Place,
        frame: &OpenFrame,
        kind: ContextKind,
        shown: ExtensionPage,
    ) -> WorldDescription {
        let LoadedExtension { extension, instance, .. } = loaded;
        let (url, origin) = (frame.url.as_str(), frame.origin());
        let is_own_document = extension.owns(&frame.url);
        // A page of the extension that a sandbox keeps apart is none to other pages, though it has their API.
        let context = match kind {
            ContextKind::Page if !frame.is_sandboxed => {
                ContextDescription::page_in_tab(*instance, place).url(url).origin(&origin)
            }
            _ => ContextDescription::content_script(*instance, place).url(url).origin(&origin),
        };
        WorldDescription {
            context: Attachment::Described(context),
            kind,
            extension: Arc::clone(extension),
            instance: *instance,
            place: Some(place),
            page: None,
            url: shown.url,
            title: shown.title,
            html: shown.html,
            elements: Arc::clone(&frame.elements),
            container: self.container_of(place.tab, frame),
            inspected_tab: self.active_tab().filter(|_| extension.is_devtools_page(&frame.url)),
            is_worker: false,
            stops: false,
            above: self.windows_above(place.tab, frame),
            is_own_document,
            admitted_by: Vec::new(),
            label: self.label(&place_label(place.tab, place.frame), extension),
            scripts: shown.scripts,
        }
    }

    pub(super) fn container_of(&self, tab: TabId, frame: &OpenFrame) -> Option<(DocumentId, u32)> {
        let frames = &self.tabs.get(&tab)?.frames;
        let parent = frames.iter().find(|parent| Some(parent.id) == frame.parent)?;
        Some((parent.document, frame.element?))
    }

    /// The page at a URL.
    pub(super) fn fetch(&self, url: &Url) -> Page {
        self.web.fetch(url)
    }

    /// An id that tells nothing of the ids before it.
    pub(super) fn new_document(&mut self) -> DocumentId {
        /// Any odd number: multiplication by it gives each product once.
        const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        self.latest_document += 1;
        DocumentId::new(self.latest_document.wrapping_mul(SPREAD))
    }

    /// A fact that the core refuses means that this browser lost track of its tabs.
    pub(super) fn expect_known(&self, fact: Result<(), FactError>) {
        if let Err(error) = fact {
            self.log_error(&format!("the core does not know: {error}"), None, None, None);
        }
    }
}

/// A frame as content scripts are matched against it.
fn matched(frame: &OpenFrame, profile: Profile) -> MatchedFrame<'_> {
    MatchedFrame {
        url: &frame.url,
        maker: frame.maker.as_ref(),
        is_top: frame.id == FrameId::TOP,
        is_sandboxed: frame.is_sandboxed,
        profile,
    }
}

/// The frame elements of a page, numbered in document order.
pub(super) fn elements_of(page: &Page) -> Arc<[FrameElement]> {
    let element = |(inner, number): (&Page, u32)| FrameElement {
        number,
        id: inner.element_id.clone(),
        src: inner.url.to_string(),
        sandbox: None,
    };
    page.frames.iter().zip(0..).map(element).collect()
}
