//! How the browser describes things to the core: what it hands to the public surface is built here.

use port_core::{
    ConnectError, ContextDescription, ContextId, DocumentId, EventLoop, ExtensionInstance, FrameId, Limits,
    Listening, MessageService, Place, Policies, PortId, RuntimeTarget, TabId,
};

/// Makes a service.
pub fn service(limits: Limits, policies: Policies) -> MessageService {
    MessageService::builder().limits(limits).policies(policies).build()
}

/// Gives the default limits, changed.
pub fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Gives the default policies, changed.
pub fn policies(change: impl FnOnce(&mut Policies)) -> Policies {
    let mut policies = Policies::default();
    change(&mut policies);
    policies
}

/// Names a document by where it is.
pub const fn place(tab: TabId, frame: FrameId, document: DocumentId) -> Place {
    Place::new(tab, frame, document)
}

/// The same frame with another document.
pub const fn with_document(old: Place, document: DocumentId) -> Place {
    place(old.tab, old.frame, document)
}

/// Describes an extension's background.
pub fn describe_background(extension: ExtensionInstance) -> ContextDescription {
    describe_background_at(extension, "ext://greeter/bg.js", "ext://greeter")
}

pub fn describe_background_at(extension: ExtensionInstance, url: &str, origin: &str) -> ContextDescription {
    ContextDescription::background(extension).url(url).origin(origin)
}

/// Describes an extension's content script in a document.
pub fn describe_content_script(extension: ExtensionInstance, place: Place) -> ContextDescription {
    describe_content_script_at(extension, place, "https://example.org/a", "https://example.org")
}

pub fn describe_content_script_at(
    extension: ExtensionInstance,
    place: Place,
    url: &str,
    origin: &str,
) -> ContextDescription {
    ContextDescription::content_script(extension, place).url(url).origin(origin)
}

/// Describes a page of an extension's outside of any tab.
pub fn describe_page(extension: ExtensionInstance) -> ContextDescription {
    describe_page_at(extension, "ext://greeter/page", "ext://greeter")
}

pub fn describe_page_at(extension: ExtensionInstance, url: &str, origin: &str) -> ContextDescription {
    ContextDescription::page(extension).url(url).origin(origin)
}

/// Describes a page of an extension's that a tab shows.
pub fn describe_page_in_tab(extension: ExtensionInstance, place: Place) -> ContextDescription {
    describe_page_in_tab_at(extension, place, "ext://greeter/page", "ext://greeter")
}

pub fn describe_page_in_tab_at(
    extension: ExtensionInstance,
    place: Place,
    url: &str,
    origin: &str,
) -> ContextDescription {
    ContextDescription::page_in_tab(extension, place).url(url).origin(origin)
}

/// Describes a page of the web, which some extensions admit.
pub fn describe_web_page(place: Place, admitted_by: &[&str]) -> ContextDescription {
    let admitted_by = admitted_by.iter().copied();
    describe_web_page_at(place, admitted_by, "https://example.org/a", "https://example.org")
}

pub fn describe_web_page_at<'a>(
    place: Place,
    admitted_by: impl IntoIterator<Item = &'a str>,
    url: &str,
    origin: &str,
) -> ContextDescription {
    ContextDescription::web_page(place, admitted_by).url(url).origin(origin)
}

/// Attaches a context that has a listener for ports.
pub fn listen(event_loop: &mut EventLoop, description: ContextDescription) -> ContextId {
    listen_for(event_loop, description, Listening::PORTS)
}

/// Attaches a context that has listeners.
pub fn listen_for(
    event_loop: &mut EventLoop,
    description: ContextDescription,
    listening: Listening,
) -> ContextId {
    let context = event_loop.attach(description).unwrap();
    event_loop.set_listening(context, listening).unwrap();
    context
}

/// Gives a listener for everything that can be listened for.
pub const fn listening_for_everything() -> Listening {
    Listening::PORTS.one_off(true).external_ports(true).external_one_off(true)
}

/// Connects to the other contexts of one's own extension.
///
/// # Errors
///
/// As the core refuses.
pub fn connect_runtime(
    event_loop: &mut EventLoop,
    opener: ContextId,
    name: &str,
) -> Result<PortId, ConnectError> {
    event_loop.connect_runtime(opener, &RuntimeTarget::own().name(name))
}
