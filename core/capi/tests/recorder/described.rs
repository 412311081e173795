//! What is handed to the core, with its parts at hand.

use super::record::{Record, shown};
use port_core_itself as core;
use port_core_itself::{
    ConnectKind, DocumentId, ExtensionId, ExtensionInstance, ExternalConnections, FrameId, Place, TabId,
};

#[derive(Clone)]
pub struct ExtensionDescription {
    pub itself: core::ExtensionDescription,
    id: ExtensionId,
    external: ExternalConnections,
    on_demand: bool,
}

impl ExtensionDescription {
    pub fn new(id: impl Into<ExtensionId>) -> Self {
        let id = id.into();
        let itself = core::ExtensionDescription::new(id.clone());
        Self { itself, id, external: ExternalConnections::Nobody, on_demand: false }
    }

    pub fn external(self, external: ExternalConnections) -> Self {
        Self { itself: self.itself.external(external.clone()), external, ..self }
    }

    pub fn background_on_demand(self) -> Self {
        Self { itself: self.itself.background_on_demand(), on_demand: true, ..self }
    }

    /// Its id, who may connect, those who are listed or `-`, and whether its background is started on demand.
    pub fn shown(&self) -> String {
        let (external, listed) = match &self.external {
            ExternalConnections::Nobody => (0, Vec::new()),
            ExternalConnections::Everyone => (1, Vec::new()),
            ExternalConnections::Extensions(ids) => (2, ids.iter().map(ExtensionId::to_string).collect()),
            other => panic!("{other:?}"),
        };
        let listed = if listed.is_empty() { "-".to_owned() } else { listed.join(",") };
        format!("{} {external} {listed} {}", self.id, u8::from(self.on_demand))
    }
}

impl From<ExtensionId> for ExtensionDescription {
    fn from(id: ExtensionId) -> Self {
        Self::new(id)
    }
}

#[derive(Clone)]
pub struct ContextDescription {
    pub itself: core::ContextDescription,
    kind: u32,
    instance: Option<ExtensionInstance>,
    place: Option<Place>,
    /// With commas between, or `-`.
    admitted_by: String,
    url: String,
    origin: String,
}

impl ContextDescription {
    fn new(
        itself: core::ContextDescription,
        kind: u32,
        instance: Option<ExtensionInstance>,
        place: Option<Place>,
    ) -> Self {
        let admitted_by = "-".to_owned();
        Self { itself, kind, instance, place, admitted_by, url: String::new(), origin: String::new() }
    }

    pub fn content_script(instance: ExtensionInstance, place: Place) -> Self {
        Self::new(core::ContextDescription::content_script(instance, place), 1, Some(instance), Some(place))
    }

    pub fn background(instance: ExtensionInstance) -> Self {
        Self::new(core::ContextDescription::background(instance), 2, Some(instance), None)
    }

    pub fn page(instance: ExtensionInstance) -> Self {
        Self::new(core::ContextDescription::page(instance), 3, Some(instance), None)
    }

    pub fn page_in_tab(instance: ExtensionInstance, place: Place) -> Self {
        Self::new(core::ContextDescription::page_in_tab(instance, place), 4, Some(instance), Some(place))
    }

    pub fn web_page<'a>(place: Place, admitted_by: impl IntoIterator<Item = &'a str>) -> Self {
        let admitted_by: Vec<_> = admitted_by.into_iter().collect();
        let listed = if admitted_by.is_empty() { "-".to_owned() } else { admitted_by.join(",") };
        let itself = core::ContextDescription::web_page(place, admitted_by);
        Self { admitted_by: listed, ..Self::new(itself, 5, None, Some(place)) }
    }

    pub fn url(self, url: &str) -> Self {
        Self { itself: self.itself.url(url), url: url.to_owned(), ..self }
    }

    pub fn origin(self, origin: &str) -> Self {
        Self { itself: self.itself.origin(origin), origin: origin.to_owned(), ..self }
    }

    pub fn shown(&self, record: &Record) -> String {
        let place = self.place.unwrap_or(Place::new(TabId::new(0), FrameId::TOP, DocumentId::new(0)));
        let instance = self.instance.map_or("-".to_owned(), |instance| record.instance(instance).to_string());
        let document = shown(&place.document);
        let Self { kind, admitted_by, url, origin, .. } = self;
        format!("{kind} {instance} {} {} {document} {admitted_by} {url} {origin}", place.tab, place.frame)
    }
}

fn kind_number(kind: ConnectKind) -> u32 {
    if kind == ConnectKind::OneOff { 1 } else { 0 }
}

#[derive(Clone)]
pub struct TabTarget {
    pub itself: core::TabTarget,
    tab: TabId,
    frame: Option<FrameId>,
    document: Option<DocumentId>,
    name: String,
    kind: ConnectKind,
}

impl TabTarget {
    pub fn new(tab: TabId) -> Self {
        let itself = core::TabTarget::new(tab);
        Self { itself, tab, frame: None, document: None, name: String::new(), kind: ConnectKind::Port }
    }

    pub fn name(self, name: &str) -> Self {
        Self { itself: self.itself.name(name), name: name.to_owned(), ..self }
    }

    pub fn frame(self, frame: FrameId) -> Self {
        Self { itself: self.itself.frame(frame), frame: Some(frame), ..self }
    }

    pub fn document(self, document: DocumentId) -> Self {
        Self { itself: self.itself.document(document), document: Some(document), ..self }
    }

    pub fn kind(self, kind: ConnectKind) -> Self {
        Self { itself: self.itself.kind(kind), kind, ..self }
    }

    pub fn shown(&self) -> String {
        let (frame, document) = (shown(&self.frame), self.document.as_ref().map_or("- -".into(), shown));
        format!("{} {} {frame} {document} {}", kind_number(self.kind), self.tab, named(&self.name))
    }
}

#[derive(Clone)]
pub struct RuntimeTarget {
    pub itself: core::RuntimeTarget,
    extension: Option<ExtensionId>,
    name: String,
    kind: ConnectKind,
}

impl RuntimeTarget {
    pub fn own() -> Self {
        let itself = core::RuntimeTarget::own();
        Self { itself, extension: None, name: String::new(), kind: ConnectKind::Port }
    }

    pub fn extension(extension: impl Into<ExtensionId>) -> Self {
        let extension = extension.into();
        Self {
            itself: core::RuntimeTarget::extension(extension.clone()),
            extension: Some(extension),
            ..Self::own()
        }
    }

    pub fn name(self, name: &str) -> Self {
        Self { itself: self.itself.name(name), name: name.to_owned(), ..self }
    }

    pub fn kind(self, kind: ConnectKind) -> Self {
        Self { itself: self.itself.kind(kind), kind, ..self }
    }

    pub fn shown(&self) -> String {
        let extension = self.extension.as_ref().map_or("-", ExtensionId::as_str);
        format!("{} {extension} {}", kind_number(self.kind), named(&self.name))
    }
}

fn named(name: &str) -> &str {
    if name.is_empty() { "-" } else { name }
}
