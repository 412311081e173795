//! The functions that the bindings are given: the whole way from script to browser.
//!
//! A call takes and gives numbers and texts, messages as JSON. The bindings check
//! what scripts hand in before they call.

use super::LastWords;
use super::host::{Connection, Host, Target, WorldIdentity};
use super::json;
use super::port_object;
use super::script_error::ScriptError;
use crate::browser::{Call, Caller, NavigationChange, Request};
use crate::extension::manifest::ScriptKind;
use crate::log::Event;
use crate::web::origin_of;
use port_core::{
    ConnectError, ConnectKind, DisconnectReason, ExtensionId, FrameId, Listening, RuntimeTarget, TabId,
    TabTarget,
};
use rquickjs::context::EvalOptions;
use rquickjs::{Array, Ctx, Exception, Function, Object, Proxy, Result, Value};
use std::rc::Rc;
use std::time::Duration;
use url::Url;

/// Makes the object of native functions for a world.
pub(super) fn create<'js>(context: &Ctx<'js>, host: &Rc<Host>, world: &WorldIdentity) -> Result<Object<'js>> {
    let natives = Natives { context: context.clone(), object: Object::new(context.clone())?, host, world };
    natives.add_port_functions()?;
    natives.add_timer_functions()?;
    natives.add_page_functions()?;
    natives.add_document_functions()?;
    natives.add_replay_functions()?;
    Ok(natives.object)
}

struct Natives<'a, 'js> {
    context: Ctx<'js>,
    object: Object<'js>,
    host: &'a Rc<Host>,
    world: &'a WorldIdentity,
}

impl<'js> Natives<'_, 'js> {
    /// What a native function keeps. A `Ctx` must not be among it: the context would
    /// keep itself alive.
    fn kept(&self) -> (Rc<Host>, WorldIdentity) {
        (Rc::clone(self.host), self.world.clone())
    }

    fn add<P>(&self, name: &str, function: impl rquickjs::function::IntoJsFunc<'js, P> + 'js) -> Result<()> {
        self.object.set(name, Function::new(self.context.clone(), function)?)
    }

    fn add_port_functions(&self) -> Result<()> {
        let (host, world) = self.kept();
        self.add(
            "connectTab",
            move |context: Ctx<'js>,
                  tab: u64,
                  frame: Option<u64>,
                  document: Option<String>,
                  name: String,
                  is_one_off: bool| {
                let mut target = TabTarget::new(TabId::new(tab)).name(&name);
                if let Some(frame) = frame {
                    target = target.frame(FrameId::new(frame));
                }
                if let Some(document) = &document {
                    target = target.document(host.shared.profile.parse_document(document));
                }
                let shown = || {
                    let frame = frame.map(|frame| format!(" frame {frame} only")).unwrap_or_default();
                    let document = document.as_ref().map(|document| format!(" document {document} only"));
                    format!("tab {tab}{frame}{}", document.unwrap_or_default())
                };
                let target = Target::Tab(target);
                let connection = Connection { kind: kind(is_one_off), name: &name, target, shown: &shown };
                host.connect(&world, &connection).map_err(|error| connect_failed(&context, error))
            },
        )?;

        let (host, world) = self.kept();
        self.add(
            "connectRuntime",
            move |context: Ctx<'js>, extension: Option<String>, name: String, is_one_off: bool| {
                let target = match &extension {
                    None => RuntimeTarget::own(),
                    Some(id) => RuntimeTarget::extension(ExtensionId::new(id)),
                };
                let shown = || match &extension {
                    None => "its extension".to_owned(),
                    Some(id) => format!("extension {id}"),
                };
                let target = Target::Runtime(target.name(&name));
                let connection = Connection { kind: kind(is_one_off), name: &name, target, shown: &shown };
                host.connect(&world, &connection).map_err(|error| connect_failed(&context, error))
            },
        )?;

        let (host, world) = self.kept();
        self.add("postMessage", move |port: u32, json: String| host.post_message(&world, port, json))?;

        // The same for a value that goes as JSON.
        let (host, world) = self.kept();
        self.add("postJson", move |context: Ctx<'js>, port: u32, message: Value<'js>| {
            if message.is_undefined() {
                // As a whole message, it becomes null.
                return host.post_message(&world, port, "null".to_owned());
            }
            match json::stringify(&context, &message) {
                Ok(Some(json)) => host.post_message(&world, port, json),
                Ok(None) => Some("Unserializable"),
                Err(_) => {
                    context.catch();
                    Some("Unserializable")
                }
            }
        })?;

        // The same for one that is a structured clone, if JSON says all of it.
        let (host, world) = self.kept();
        self.add("postTree", move |context: Ctx<'js>, port: u32, message: Value<'js>| {
            match json::stringify_tree(&context, &message) {
                Some(json) => host.post_message(&world, port, format!("{{\"j\":{json}}}")),
                None => Some("NoTree"),
            }
        })?;

        self.add("makePort", |context: Ctx<'js>, functions: Array<'js>, name: Value<'js>| {
            port_object::make(context, &functions, name)
        })?;

        let (host, world) = self.kept();
        self.add("disconnect", move |port: u32| host.disconnect(&world, port))?;

        let (host, world) = self.kept();
        self.add(
            "setListening",
            move |ports: bool, one_off: bool, external_ports: bool, external_one_off: bool| {
                let listening = Listening::none()
                    .ports(ports)
                    .one_off(one_off)
                    .external_ports(external_ports)
                    .external_one_off(external_one_off)
                    .listeners(1);
                // A context that a fact has ended meanwhile listens to nothing anyway.
                let _ = host.event_loop.borrow_mut().set_listening(world.context, listening);
            },
        )?;

        let (host, world) = self.kept();
        self.add("call", move |number: u32, method: String, arguments: String| {
            let caller = Caller {
                thread: host.thread,
                context: world.context,
                instance: world.instance,
                place: world.place,
            };
            let busy = host.shared.activity.begin();
            host.shared.requests.send(Request::Call(Call { caller, number, method, arguments }), Some(busy));
        })
    }

    fn add_timer_functions(&self) -> Result<()> {
        let (host, world) = self.kept();
        self.add("setTimer", move |timer: u32, milliseconds: f64| {
            // Beyond what fits, as good as never.
            let delay = Duration::try_from_secs_f64(milliseconds / 1_000.0).unwrap_or(Duration::MAX);
            host.timers.borrow_mut().set((world.context, timer), delay);
        })?;

        let (host, world) = self.kept();
        self.add("clearTimer", move |timer: u32| host.timers.borrow_mut().clear((world.context, timer)))
    }

    fn add_page_functions(&self) -> Result<()> {
        let (host, world) = self.kept();
        self.add("console", move |level: String, text: String| {
            host.log(&world, &Event::Console { level: &level, text: &text });
        })?;

        let (host, world) = self.kept();
        self.add("reportException", move |thrown: Value<'js>| {
            ScriptError::of(thrown.ctx(), &thrown).report(&host.shared.log, &world.label, &world.extension);
        })?;

        self.add("parseUrl", |url: String, base: Option<String>| parse_url(&url, base.as_deref()))?;

        let (_, world) = self.kept();
        self.add("importScript", move |context: Ctx<'js>, url: String| {
            let background = world.extension.background().map_or(world.extension.base(), |page| &page.url);
            let script = background
                .join(&url)
                .map_err(|error| error.to_string())
                .and_then(|url| world.extension.script(&url, ScriptKind::Classic))
                .map_err(|message| {
                    Exception::throw_message(&context, &format!("importScripts: {message}"))
                })?;
            evaluate(&context, &script.url, &script.text)
        })?;

        let clock = self.host.shared.clock;
        self.add("now", move || clock.now())?;
        self.add("isProxy", |value: Value<'js>| value.is_proxy())?;
        self.add("proxyTarget", |value: Value<'js>| value.as_proxy().map(Proxy::target).transpose())
    }

    /// What a script does to its document and to the frames in it.
    fn add_document_functions(&self) -> Result<()> {
        let (host, world) = self.kept();
        self.add("documentUrl", move || host.with_document(&world, |document| document.url.to_string()))?;

        let (host, world) = self.kept();
        self.add("postWindowMessage", move |json: String| {
            if let Some(place) = world.place {
                host.window_messages.borrow_mut().push_back((place.document, json));
            }
        })?;

        let (host, world) = self.kept();
        self.add("go", move |url: String, replace: bool| {
            if let Ok(url) = Url::parse(&url) {
                host.navigate(&world, NavigationChange::Go { url, replace });
            }
        })?;

        let (host, world) = self.kept();
        self.add("reload", move || host.navigate(&world, NavigationChange::Reload))?;

        let (host, world) = self.kept();
        self.add("traverse", move |delta: i32| host.navigate(&world, NavigationChange::Traverse(delta)))?;

        let (host, world) = self.kept();
        self.add("setDocumentUrl", move |url: String, replace: bool| {
            if let Ok(url) = Url::parse(&url) {
                if let Some(place) = world.place {
                    host.set_document_url(place.document, &url);
                }
                host.navigate(&world, NavigationChange::SameDocument { url, replace });
            }
        })?;

        let (host, world) = self.kept();
        self.add("frameElements", move || {
            let elements = host.with_document(&world, |document| document.elements.clone());
            serde_json::to_string(&elements.unwrap_or_default()).unwrap_or_else(|_| "[]".to_owned())
        })?;

        let (host, world) = self.kept();
        self.add("addFrameElement", move |id: String, src: String| {
            let url = Url::parse(&src).ok()?;
            let element = host.with_document(&world, |document| document.add_element(id, src))?;
            host.navigate(&world, NavigationChange::AttachFrame { element, url });
            Some(element)
        })?;

        let (host, world) = self.kept();
        self.add("navigateFrameElement", move |element: u32, src: String| {
            if let Ok(url) = Url::parse(&src) {
                host.navigate(&world, NavigationChange::NavigateFrame { element, url });
            }
        })?;

        let (host, world) = self.kept();
        self.add("removeFrameElement", move |context: Ctx<'js>, element: u32| {
            host.remove_frame(&context, &world, element);
        })?;

        let (host, _) = self.kept();
        self.add("executed", move |number: f64, json: Option<String>, error: Option<String>| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let number = number as u64;
            let outcome = error.map_or_else(|| Ok(json.unwrap_or_default()), Err);
            let busy = host.shared.activity.begin();
            host.shared.requests.send(Request::Executed { number, outcome }, Some(busy));
        })
    }

    /// What a scenario's own functions need; see trace/.
    fn add_replay_functions(&self) -> Result<()> {
        match self.host.shared.recorder.clone() {
            Some(recorder) => {
                let (host, world) = self.kept();
                self.add("record", move |events: String| {
                    let is_gone = host.detached.borrow().contains(&world.context);
                    if !is_gone && host.last_words.get() != LastWords::Unrecorded {
                        recorder.record(events);
                    }
                })
            }
            None => Ok(()),
        }
    }
}

/// Runs a classic script in the global scope.
pub(super) fn evaluate(context: &Ctx<'_>, url: &str, text: &str) -> Result<()> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(url.to_owned());
    context.eval_with_options::<Value<'_>, _>(text, options).map(drop)
}

/// A kind of channel, as the bindings give it.
fn kind(is_one_off: bool) -> ConnectKind {
    if is_one_off { ConnectKind::OneOff } else { ConnectKind::Port }
}

/// How the bindings name the reason of a port's end: as the core does.
pub(super) fn reason_name(reason: DisconnectReason) -> String {
    format!("{reason:?}")
}

fn connect_failed(context: &Ctx<'_>, error: ConnectError) -> rquickjs::Error {
    let text = match error {
        ConnectError::Gone | ConnectError::UnknownContext => "Extension context invalidated.".to_owned(),
        error => error.to_string(),
    };
    Exception::throw_message(context, &text)
}

/// The parts of a URL as JSON, named as in the `URL` interface.
pub(crate) fn parse_url(url: &str, base: Option<&str>) -> Option<String> {
    let base = match base {
        Some(base) => Some(Url::parse(base).ok()?),
        None => None,
    };
    let url = Url::options().base_url(base.as_ref()).parse(url).ok()?;
    let hostname = url.host_str().unwrap_or("");
    let port = url.port().map(|port| port.to_string()).unwrap_or_default();
    let host = if port.is_empty() { hostname.to_owned() } else { format!("{hostname}:{port}") };
    let prefixed = |prefix: char, part: Option<&str>| match part {
        None | Some("") => String::new(),
        Some(part) => format!("{prefix}{part}"),
    };
    let parts = serde_json::json!({
        "href": url.as_str(),
        "origin": origin_of(&url),
        "protocol": format!("{}:", url.scheme()),
        "username": url.username(),
        "password": url.password().unwrap_or(""),
        "host": host,
        "hostname": hostname,
        "port": port,
        "pathname": url.path(),
        "search": prefixed('?', url.query()),
        "hash": prefixed('#', url.fragment()),
    });
    Some(parts.to_string())
}

#[cfg(test)]
mod tests {
    use super::parse_url;

    #[test]
    fn a_url_is_taken_apart() {
        let parts = parse_url("../b?q=1#f", Some("https://a.example:8080/x/y")).expect("a URL");
        let parts: serde_json::Value = serde_json::from_str(&parts).expect("JSON");
        for (name, value) in [
            ("href", "https://a.example:8080/b?q=1#f"),
            ("host", "a.example:8080"),
            ("pathname", "/b"),
            ("search", "?q=1"),
            ("hash", "#f"),
            ("origin", "https://a.example:8080"),
        ] {
            assert_eq!(parts[name], value, "{name}");
        }
        assert_eq!(parse_url("nonsense", None), None);
    }
}
