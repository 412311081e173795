//! From what pages say of their documents to facts for the core, and to grants.
//!
//! Nothing that a page says is believed beyond what its view may show: which tab it is in and what the tab shows is
//! WebKit's word; which scripts run in a document is decided here, from the manifest. A page can lie about frames of its
//! own, and gets then what any page may have that holds such frames.

use crate::gateway::PageKey;
use port_core::{ContextDescription, DocumentId, ExtensionInstance, FrameId, MessageService, Place, TabId};
use port_core_webext::extension::manifest::ScriptWorld;
use port_core_webext::extension::{Extension, MatchedFrame};
use port_core_webext::{Profile, origin_of};
use port_core_webkit_inside::control::{ContextKey, DocumentNumber, FrameNumber, FromPage};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use url::Url;

/// What a view is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// It is a tab.
    Tab(TabId),
    /// It is the hidden page of an extension's background.
    Background(ExtensionInstance),
    /// It is the popup of an extension's button.
    Popup(ExtensionInstance),
    /// It is an offscreen document of an extension.
    Offscreen(ExtensionInstance),
    /// It is the side panel of an extension.
    SidePanel(ExtensionInstance),
}

impl Surface {
    /// The extension whose pages alone it shows; `None` for a tab.
    pub(crate) fn owner(self) -> Option<ExtensionInstance> {
        match self {
            Self::Tab(_) => None,
            Self::Background(owner)
            | Self::Popup(owner)
            | Self::Offscreen(owner)
            | Self::SidePanel(owner) => Some(owner),
        }
    }
}

/// What is to be done about something that a page said.
#[derive(Debug)]
pub(crate) enum Effect {
    /// The page may attach the context.
    Grant(Box<ContextDescription>, ContextKey),
    /// The context is none of the core's.
    Refuse(ContextKey),
    /// A document that was taken for gone is shown again: the page is to ask for its contexts anew.
    Again(DocumentNumber),
    /// The core knows that the page is out of the cache.
    Restored,
    /// The top frame shows another document.
    Navigated,
}

/// What a page said that no honest one says, or not so often.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lie(pub(crate) &'static str);

/// How many frames, documents and contexts a page may have at a time.
const MOST: usize = 10_000;

/// Ids of frames begin after this: as in browsers they are no small numbers, which a script may mistake for places.
const FIRST_FRAME: u64 = 4_096;

#[derive(Debug)]
struct Frame {
    id: FrameId,
    parent: Option<FrameNumber>,
    document: Option<DocumentNumber>,
}

#[derive(Clone, Debug)]
struct Document {
    frame: FrameNumber,
    /// The top document of its page.
    top: DocumentNumber,
    id: DocumentId,
    url: Url,
    maker: Option<Url>,
    is_sandboxed: bool,
    is_kept: bool,
}

#[derive(Debug)]
struct Page {
    surface: Surface,
    frames: BTreeMap<FrameNumber, Frame>,
    documents: HashMap<DocumentNumber, Document>,
    contexts: HashMap<ContextKey, (DocumentNumber, ExtensionInstance)>,
    latest: DocumentNumber,
    /// Where the browser itself asked for a script to be run.
    allowed: HashSet<(DocumentNumber, ExtensionInstance)>,
}

#[derive(Debug, Default)]
struct Tab {
    /// The document that the top frame shows.
    top: Option<(PageKey, DocumentNumber)>,
    /// Whether the core has a top frame of it.
    has_top: bool,
    latest_frame: u64,
}

/// A frame of a tab, as scripts may learn of it.
#[derive(Clone, Debug)]
pub(crate) struct ShownFrame {
    pub(crate) page: PageKey,
    pub(crate) number: DocumentNumber,
    pub(crate) frame: FrameId,
    pub(crate) parent: Option<FrameId>,
    pub(crate) document: DocumentId,
    pub(crate) url: Url,
    pub(crate) maker: Option<Url>,
}

/// An extension that is loaded, and which load of it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) extension: Arc<Extension>,
    pub(crate) instance: ExtensionInstance,
}

/// All pages of the browser, by what they said that was found possible.
#[derive(Debug)]
pub(crate) struct Facts {
    service: MessageService,
    profile: Profile,
    pages: HashMap<PageKey, Page>,
    tabs: HashMap<TabId, Tab>,
    pub(crate) extensions: Vec<Known>,
    latest_document: u128,
}

impl Facts {
    pub(crate) fn new(service: MessageService, profile: Profile) -> Self {
        // Documents are told apart from those of another run by their first digits.
        let run = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos());
        Self {
            service,
            profile,
            pages: HashMap::new(),
            tabs: HashMap::new(),
            extensions: Vec::new(),
            latest_document: run << 32,
        }
    }

    fn new_id(&mut self) -> DocumentId {
        self.latest_document += 1;
        DocumentId::new(self.latest_document)
    }

    // What the browser itself knows.

    pub(crate) fn tab_opened(&mut self, tab: TabId) {
        self.tabs.insert(tab, Tab::default());
    }

    /// A tab is closed. That it is, is reported by the caller.
    pub(crate) fn tab_closed(&mut self, tab: TabId) {
        self.tabs.remove(&tab);
    }

    /// The web process of a tab is gone.
    pub(crate) fn tab_crashed(&mut self, tab: TabId) {
        if let Some(known) = self.tabs.get_mut(&tab) {
            known.top = None;
            known.has_top = false;
        }
        let _ = self.service.tab_crashed(tab);
    }

    pub(crate) fn page_added(&mut self, page: PageKey, surface: Surface) {
        let known = Page {
            surface,
            frames: BTreeMap::new(),
            documents: HashMap::new(),
            contexts: HashMap::new(),
            latest: 0,
            allowed: HashSet::new(),
        };
        self.pages.insert(page, known);
    }

    /// A page is no more: what it kept in the back/forward cache is lost.
    pub(crate) fn page_removed(&mut self, page: PageKey) {
        let Some(known) = self.pages.remove(&page) else { return };
        for document in known.documents.values().filter(|document| document.is_kept) {
            let _ = self.service.document_evicted(document.id);
        }
    }

    /// How many pages there are.
    pub(crate) fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// The extension is to run scripts in a document though its manifest does not say so.
    pub(crate) fn allow(&mut self, page: PageKey, document: DocumentNumber, instance: ExtensionInstance) {
        if let Some(known) = self.pages.get_mut(&page) {
            known.allowed.insert((document, instance));
        }
    }

    /// Who a context of a page is, if it is one: for its calls.
    pub(crate) fn holder(&self, page: PageKey, context: ContextKey) -> Option<(Known, Surface)> {
        let known = self.pages.get(&page)?;
        let (_, instance) = known.contexts.get(&context)?;
        let extension = self.extensions.iter().find(|known| known.instance == *instance)?;
        Some((extension.clone(), known.surface))
    }

    /// Whether a context is a page of its extension, not a content script.
    pub(crate) fn is_extension_page(&self, page: PageKey, context: ContextKey) -> bool {
        let known = self.pages.get(&page);
        known.and_then(|known| {
            let (document, instance) = known.contexts.get(&context)?;
            let extension = self.extensions.iter().find(|known| known.instance == *instance)?;
            Some(extension.extension.owns(&known.documents.get(document)?.url))
        }) == Some(true)
    }

    /// The page that a tab shows.
    pub(crate) fn page_in(&self, tab: TabId) -> Option<PageKey> {
        self.tabs.get(&tab)?.top.map(|(page, _)| page)
    }

    /// The frames that a tab shows, the top one first.
    pub(crate) fn frames_of(&self, tab: TabId) -> Vec<ShownFrame> {
        let Some((key, top)) = self.tabs.get(&tab).and_then(|tab| tab.top) else { return Vec::new() };
        let Some(page) = self.pages.get(&key) else { return Vec::new() };
        let shown = page.frames.values().filter_map(|frame| {
            let number = frame.document?;
            let document = page.documents.get(&number).filter(|document| document.top == top)?;
            Some(ShownFrame {
                page: key,
                number,
                frame: frame.id,
                parent: frame.parent.and_then(|parent| Some(page.frames.get(&parent)?.id)),
                document: document.id,
                url: document.url.clone(),
                maker: document.maker.clone(),
            })
        });
        shown.collect()
    }

    /// The documents of an extension's own pages that are shown: where, in which frame, and their ids and URLs.
    pub(crate) fn own_documents(&self, known: &Known) -> Vec<(Surface, FrameId, DocumentId, Url)> {
        let mut found = Vec::new();
        for (key, page) in &self.pages {
            for (number, _) in page.contexts.values().filter(|(_, instance)| *instance == known.instance) {
                let Some(document) = page.documents.get(number).filter(|document| !document.is_kept) else {
                    continue;
                };
                let is_left = match page.surface {
                    Surface::Tab(tab) => {
                        self.tabs.get(&tab).and_then(|tab| tab.top) != Some((*key, document.top))
                    }
                    _ => false,
                };
                if !is_left && known.extension.owns(&document.url) {
                    let frame = page.frames.get(&document.frame).map_or(FrameId::TOP, |frame| frame.id);
                    found.push((page.surface, frame, document.id, document.url.clone()));
                }
            }
        }
        found
    }

    // What a page says.

    /// Whether a document that a page says its top frame shows fits what its view shows, by WebKit's word. If not, the
    /// view may be told a little later.
    pub(crate) fn fits(told: &FromPage, view: Option<&Url>) -> bool {
        let FromPage::Document { frame: 0, url, .. } = told else { return true };
        let (Ok(url), Some(view)) = (Url::parse(url), view) else { return false };
        url.scheme() == view.scheme() && url.host_str() == view.host_str() && url.port() == view.port()
    }

    /// Takes what a page says about its documents.
    pub(crate) fn hear(&mut self, page: PageKey, told: &FromPage) -> Result<Vec<Effect>, Lie> {
        match told {
            FromPage::Document { frame, parent, document, url, maker, is_sandboxed } => {
                let url = Url::parse(url).map_err(|_| Lie("a URL that is none"))?;
                let maker = maker.as_deref().and_then(|maker| Url::parse(maker).ok());
                self.document(page, *frame, *parent, *document, (url, maker, *is_sandboxed))
            }
            FromPage::World { context, document, extension, is_page } => {
                self.world(page, *context, *document, extension, *is_page)
            }
            FromPage::Hidden { document, is_kept } => {
                self.hidden(page, *document, *is_kept);
                Ok(Vec::new())
            }
            FromPage::Shown { document } => Ok(self.shown(page, *document)),
            FromPage::Removed { frame } => {
                self.removed(page, *frame);
                Ok(Vec::new())
            }
            FromPage::Collected { context } => {
                self.collected(page, *context);
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn document(
        &mut self,
        key: PageKey,
        frame: FrameNumber,
        parent: Option<FrameNumber>,
        number: DocumentNumber,
        (url, maker, is_sandboxed): (Url, Option<Url>, bool),
    ) -> Result<Vec<Effect>, Lie> {
        let id = self.new_id();
        let page = self.pages.get_mut(&key).ok_or(Lie("a page that is none"))?;
        if number <= page.latest {
            return Err(Lie("a document's number twice"));
        }
        page.latest = number;
        if (frame == 0) != parent.is_none() || parent.is_some_and(|parent| !page.frames.contains_key(&parent))
        {
            return Err(Lie("a frame in none"));
        }
        if page.frames.len().max(page.documents.len()) >= MOST {
            return Err(Lie("more frames than a page may have"));
        }
        let tab = match page.surface {
            Surface::Tab(tab) => Some((tab, self.tabs.get_mut(&tab).ok_or(Lie("a tab that is closed"))?)),
            _ => None,
        };
        let top = match (&tab, frame) {
            (_, 0) => number,
            (Some((_, tab)), _) => match tab.top {
                Some((shown, top)) if shown == key => top,
                // Another page has taken this one's place meanwhile.
                _ => return Ok(Vec::new()),
            },
            (None, _) => page.frames.get(&0).and_then(|top| top.document).ok_or(Lie("a frame in none"))?,
        };
        let known = page.frames.contains_key(&frame);
        let before = page.frames.get(&frame).and_then(|frame| frame.document);
        if let Some(before) = before
            && page.documents.get(&before).is_some_and(|document| !document.is_kept)
        {
            page.documents
                .retain(|number, document| *number != before && (frame != 0 || document.top != before));
            let documents = &page.documents;
            page.contexts.retain(|_, (document, _)| documents.contains_key(document));
            page.allowed.retain(|(document, _)| documents.contains_key(document));
        }
        let core_frame = match (&tab, frame) {
            (_, 0) => FrameId::TOP,
            _ if known => page.frames[&frame].id,
            (Some((_, tab)), _) => FrameId::new(tab.latest_frame.max(FIRST_FRAME) + 1),
            (None, _) => FrameId::new(frame.into()),
        };
        page.frames.insert(frame, Frame { id: core_frame, parent, document: Some(number) });
        page.documents.insert(number, Document { frame, top, id, url, maker, is_sandboxed, is_kept: false });
        if let Some((tab, shown)) = tab {
            let parent = parent.map(|parent| page.frames[&parent].id);
            if frame == 0 {
                let reported = if shown.has_top {
                    self.service.frame_navigated(tab, FrameId::TOP, id)
                } else {
                    self.service.frame_attached(tab, FrameId::TOP, None, id)
                };
                shown.has_top |= reported.is_ok();
                shown.top = Some((key, number));
                return Ok(vec![Effect::Navigated]);
            }
            shown.latest_frame = shown.latest_frame.max(core_frame.get());
            if self.service.frame_navigated(tab, core_frame, id).is_err() {
                // What the core refuses is a race with a fact: the document gets no context then.
                let _ = self.service.frame_attached(tab, core_frame, parent, id);
            }
        }
        Ok(Vec::new())
    }

    fn world(
        &mut self,
        key: PageKey,
        context: ContextKey,
        number: DocumentNumber,
        id: &str,
        is_page: bool,
    ) -> Result<Vec<Effect>, Lie> {
        let page = self.pages.get_mut(&key).ok_or(Lie("a page that is none"))?;
        // A document or an extension that is gone meanwhile is a race.
        let refused = Ok(vec![Effect::Refuse(context)]);
        let Some(document) = page.documents.get(&number) else { return refused };
        let known = self.extensions.iter().find(|known| known.extension.id().as_str() == id);
        let Some(Known { extension, instance }) = known else { return refused };
        if page.contexts.contains_key(&context) || page.contexts.len() >= MOST {
            return Err(Lie("a context's number twice, or too many"));
        }
        if page.contexts.values().any(|held| *held == (number, *instance)) {
            return Err(Lie("two worlds of an extension in one document"));
        }
        let frame = page.frames.get(&document.frame).map_or(FrameId::TOP, |frame| frame.id);
        let is_own = extension.owns(&document.url);
        let description = match page.surface {
            _ if is_page != is_own => return Err(Lie("a page of an extension that is none")),
            Surface::Background(owner) if is_page && owner == *instance && document.frame == 0 => {
                let background = ContextDescription::background(*instance);
                if extension.has_worker() { background } else { background.in_document(document.id) }
            }
            Surface::Popup(owner) | Surface::Offscreen(owner) | Surface::SidePanel(owner)
                if is_page && owner == *instance =>
            {
                ContextDescription::page(*instance).in_document(document.id)
            }
            Surface::Tab(tab) if is_page => {
                // A page of an extension is in a tab that shows one of it; WebKit lets no other frame it.
                let top = page.documents.get(&document.top);
                if !top.is_some_and(|top| extension.owns(&top.url)) {
                    return Err(Lie("an extension's page in a page of the web"));
                }
                ContextDescription::page_in_tab(*instance, Place::new(tab, frame, document.id))
            }
            Surface::Tab(tab) => {
                let matched = MatchedFrame {
                    url: &document.url,
                    maker: document.maker.as_ref(),
                    is_top: document.frame == 0,
                    is_sandboxed: document.is_sandboxed,
                    profile: self.profile,
                };
                let runs = extension.content_scripts_for(matched, ScriptWorld::Isolated).is_some();
                if !runs && !page.allowed.contains(&(number, *instance)) {
                    return Err(Lie("a content script where the manifest has none"));
                }
                ContextDescription::content_script(*instance, Place::new(tab, frame, document.id))
            }
            _ => return refused,
        };
        let shown = if is_own && matches!(page.surface, Surface::Background(_)) && extension.has_worker() {
            extension.background().map_or_else(|| document.url.clone(), |page| page.url.clone())
        } else {
            document.url.clone()
        };
        let origin = match (document.is_sandboxed, &document.maker) {
            (true, _) => "null".to_owned(),
            (false, Some(maker)) => origin_of(maker),
            (false, None) => origin_of(&document.url),
        };
        page.contexts.insert(context, (number, *instance));
        let description = description.url(shown.as_str()).origin(&origin);
        Ok(vec![Effect::Grant(Box::new(description), context)])
    }

    fn hidden(&mut self, key: PageKey, number: DocumentNumber, is_kept: bool) {
        let Some(page) = self.pages.get_mut(&key) else { return };
        let Some(document) = page.documents.get_mut(&number) else { return };
        if !is_kept || document.frame != 0 || !matches!(page.surface, Surface::Tab(_)) {
            return;
        }
        document.is_kept = true;
        if self.service.document_cached(document.id).is_err() {
            // The new page was faster: this one's contexts have ended. If it is shown again, they are attached anew.
            document.is_kept = false;
        }
        let top = document.is_kept;
        for document in page.documents.values_mut().filter(|document| document.top == number) {
            document.is_kept = top;
        }
    }

    fn shown(&mut self, key: PageKey, number: DocumentNumber) -> Vec<Effect> {
        let Some(page) = self.pages.get_mut(&key) else { return Vec::new() };
        let Surface::Tab(tab) = page.surface else { return Vec::new() };
        let Some(document) = page.documents.get(&number).cloned() else { return Vec::new() };
        if document.frame != 0 {
            return Vec::new();
        }
        for (shown, document) in page.documents.iter_mut().filter(|(_, document)| document.top == number) {
            document.is_kept = false;
            if let Some(frame) = page.frames.get_mut(&document.frame) {
                frame.document = Some(*shown);
            }
        }
        let Some(shown) = self.tabs.get_mut(&tab) else { return Vec::new() };
        shown.top = Some((key, number));
        if document.is_kept && self.service.document_restored(document.id).is_ok() {
            return vec![Effect::Navigated, Effect::Restored];
        }
        self.attach_again(key, tab, number)
    }

    /// A page that the core holds for gone is there again: its documents are new ones to the core.
    fn attach_again(&mut self, key: PageKey, tab: TabId, top: DocumentNumber) -> Vec<Effect> {
        let mut numbers: Vec<_> = self.pages.get(&key).map_or_else(Vec::new, |page| {
            page.documents
                .iter()
                .filter(|(_, it)| it.top == top)
                .map(|(number, it)| (it.frame, *number))
                .collect()
        });
        numbers.sort_unstable();
        let mut effects = vec![Effect::Navigated];
        for (frame, number) in numbers {
            let id = self.new_id();
            let has_top = self.tabs.get(&tab).is_some_and(|tab| tab.has_top);
            let Some(page) = self.pages.get_mut(&key) else { break };
            let place = page.frames.get(&frame).map_or(FrameId::TOP, |frame| frame.id);
            let parent = page.frames.get(&frame).and_then(|frame| frame.parent);
            let parent = parent.and_then(|parent| page.frames.get(&parent)).map(|parent| parent.id);
            let reported = match frame {
                0 if has_top => self.service.frame_navigated(tab, place, id),
                _ => self.service.frame_attached(tab, place, parent, id),
            };
            if let (Ok(()), Some(document)) = (reported, page.documents.get_mut(&number)) {
                document.id = id;
                page.contexts.retain(|_, (document, _)| *document != number);
                effects.push(Effect::Again(number));
            }
        }
        if let Some(tab) = self.tabs.get_mut(&tab) {
            tab.has_top = true;
        }
        effects
    }

    fn removed(&mut self, key: PageKey, frame: FrameNumber) {
        let Some(page) = self.pages.get_mut(&key) else { return };
        if frame == 0 {
            return;
        }
        let Some(known) = page.frames.remove(&frame) else { return };
        let below: Vec<_> =
            page.documents.iter().filter(|(_, it)| it.frame == frame).map(|(it, _)| *it).collect();
        below.iter().for_each(|document| drop(page.documents.remove(document)));
        page.contexts.retain(|_, (document, _)| !below.contains(document));
        if let Surface::Tab(tab) = page.surface
            && self.tabs.get(&tab).and_then(|tab| tab.top).is_some_and(|(shown, _)| shown == key)
        {
            let _ = self.service.frame_removed(tab, known.id);
        }
    }

    fn collected(&mut self, key: PageKey, context: ContextKey) {
        let Some(page) = self.pages.get_mut(&key) else { return };
        let Some((number, _)) = page.contexts.remove(&context) else { return };
        // What was kept and is garbage was thrown out of the cache.
        if page.documents.get(&number).is_some_and(|document| document.is_kept)
            && let Some(document) = page.documents.remove(&number)
        {
            let _ = self.service.document_evicted(document.id);
        }
    }
}

#[cfg(test)]
mod tests;
