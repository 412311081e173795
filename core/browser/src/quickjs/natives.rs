//! The native functions of a world: each a method of its host, see `host.d.ts`.

use super::realm::{Registered, evaluate};
use super::{json, port_object};
use crate::script_error::ScriptError;
use port_core_webext::{PageHost, Refusal, ScriptHost, parse_url};
use rquickjs::function::IntoJsFunc;
use rquickjs::{Array, Ctx, Exception, Function, Object, Proxy, Result, Value};
use std::rc::Rc;

/// Makes the object of native functions for a world.
pub(super) fn create<'js, H>(context: &Ctx<'js>, host: &Rc<H>, registered: &Registered) -> Result<Object<'js>>
where
    H: ScriptHost + PageHost + 'static,
{
    let natives = Natives { context: context.clone(), object: Object::new(context.clone())? };
    natives.add_port_functions(host)?;
    natives.add_values()?;
    natives.add_page_functions(host)?;
    natives.add_document_functions(host, registered)?;
    Ok(natives.object)
}

struct Natives<'js> {
    context: Ctx<'js>,
    object: Object<'js>,
}

/// What the script's side is told: undefined, or why not.
fn told(result: std::result::Result<(), Refusal>) -> Option<String> {
    result.err().map(|refusal| refusal.as_str().to_owned())
}

impl<'js> Natives<'js> {
    /// Adds a function. What it keeps must not hold a `Ctx`: the context would keep itself alive.
    fn add<P>(&self, name: &str, function: impl IntoJsFunc<'js, P> + 'js) -> Result<()> {
        self.object.set(name, Function::new(self.context.clone(), function)?)
    }

    fn add_port_functions<H: ScriptHost + 'static>(&self, given: &Rc<H>) -> Result<()> {
        let host = Rc::clone(given);
        self.add(
            "connectTab",
            move |context: Ctx<'js>,
                  tab: u64,
                  frame: Option<u64>,
                  document: Option<String>,
                  name: String,
                  is_one_off: bool| {
                host.connect_tab(tab, frame, document.as_deref(), &name, is_one_off)
                    .map_err(|refusal| connect_failed(&context, &refusal))
            },
        )?;
        let host = Rc::clone(given);
        self.add(
            "connectRuntime",
            move |context: Ctx<'js>, extension: Option<String>, name: String, is_one_off: bool| {
                host.connect_runtime(extension.as_deref(), &name, is_one_off)
                    .map_err(|refusal| connect_failed(&context, &refusal))
            },
        )?;
        let host = Rc::clone(given);
        self.add("postMessage", move |port: u32, json: String| told(host.post_message(port, json)))?;

        // The same for a value that goes as JSON.
        let host = Rc::clone(given);
        self.add("postJson", move |context: Ctx<'js>, port: u32, message: Value<'js>| {
            if message.is_undefined() {
                // As a whole message, it becomes null.
                return told(host.post_message(port, "null".to_owned()));
            }
            match json::stringify(&context, &message) {
                Ok(Some(json)) => told(host.post_message(port, json)),
                Ok(None) => told(Err(Refusal::Unserializable)),
                Err(_) => {
                    context.catch();
                    told(Err(Refusal::Unserializable))
                }
            }
        })?;

        // The same for one that is a structured clone, if JSON says all of it.
        let host = Rc::clone(given);
        self.add("postTree", move |context: Ctx<'js>, port: u32, message: Value<'js>| {
            match json::stringify_tree(&context, &message) {
                Some(json) => told(host.post_message(port, format!("{{\"j\":{json}}}"))),
                None => Some("NoTree".to_owned()),
            }
        })?;

        let host = Rc::clone(given);
        self.add("disconnect", move |port: u32| told(host.disconnect(port)))?;
        let host = Rc::clone(given);
        self.add(
            "setListening",
            move |ports: bool, one_off: bool, external_ports: bool, external_one_off: bool| {
                host.set_listening(ports, one_off, external_ports, external_one_off);
            },
        )?;
        let host = Rc::clone(given);
        self.add("setHeard", move |event: String, is_heard: bool| host.set_heard(event, is_heard))?;
        let host = Rc::clone(given);
        self.add("call", move |number: u32, method: String, arguments: String| {
            host.call(number, method, arguments);
        })?;
        let host = Rc::clone(given);
        self.add("console", move |level: String, text: String| host.console(&level, &text))?;
        let host = Rc::clone(given);
        self.add("reportException", move |thrown: Value<'js>| {
            let ScriptError { message, stack } = ScriptError::of(thrown.ctx(), &thrown);
            host.report_exception(&message, &stack);
        })
    }

    /// What only an engine can say of its values, or can say faster.
    fn add_values(&self) -> Result<()> {
        self.add("makePort", |context: Ctx<'js>, functions: Array<'js>, name: Value<'js>| {
            port_object::make(context, &functions, name)
        })?;
        self.add("isProxy", |value: Value<'js>| value.is_proxy())?;
        self.add("proxyTarget", |value: Value<'js>| value.as_proxy().map(Proxy::target).transpose())
    }

    fn add_page_functions<H: PageHost + 'static>(&self, given: &Rc<H>) -> Result<()> {
        let host = Rc::clone(given);
        self.add("setTimer", move |timer: u32, milliseconds: f64| host.set_timer(timer, milliseconds))?;
        let host = Rc::clone(given);
        self.add("clearTimer", move |timer: u32| host.clear_timer(timer))?;
        self.add("parseUrl", |url: String, base: Option<String>| parse_url(&url, base.as_deref()))?;
        let host = Rc::clone(given);
        self.add("importScript", move |context: Ctx<'js>, url: String| {
            let (url, text) = host.import_script(&url).map_err(|message| {
                Exception::throw_message(&context, &format!("importScripts: {message}"))
            })?;
            evaluate::<Value<'js>>(&context, &url, &text).map(drop)
        })?;
        self.add("evaluate", |context: Ctx<'js>, url: String, text: String| {
            evaluate::<Value<'js>>(&context, &url, &text)
        })?;
        let host = Rc::clone(given);
        self.add("now", move || host.now())?;
        let host = Rc::clone(given);
        self.add("executed", move |number: f64, json: Option<String>, error: Option<String>| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let number = number as u64;
            host.executed(number, error.map_or_else(|| Ok(json.unwrap_or_default()), Err));
        })
    }

    /// What a script does to its document and to the frames in it.
    fn add_document_functions<H: PageHost + 'static>(
        &self,
        given: &Rc<H>,
        registered: &Registered,
    ) -> Result<()> {
        let host = Rc::clone(given);
        self.add("documentUrl", move || host.document_url())?;
        let host = Rc::clone(given);
        self.add("setDocumentUrl", move |url: String, replace: bool| host.set_document_url(&url, replace))?;
        let host = Rc::clone(given);
        self.add("postWindowMessage", move |json: String| host.post_window_message(json))?;
        let host = Rc::clone(given);
        self.add("pressed", move || host.pressed())?;
        let host = Rc::clone(given);
        self.add("keepFromCache", move || host.keep_from_cache())?;
        let host = Rc::clone(given);
        self.add("setTitle", move |title: String| host.set_title(title))?;
        let host = Rc::clone(given);
        self.add("siteStorage", move |area: String, what: String, key: String, value: String| {
            host.site_storage(&area, &what, &key, value)
        })?;
        let host = Rc::clone(given);
        self.add("readFile", move |context: Ctx<'js>, url: String| {
            host.read_file(&url).map_err(|message| Exception::throw_message(&context, &message))
        })?;
        let host = Rc::clone(given);
        self.add("closeWindow", move || host.close_window())?;
        let host = Rc::clone(given);
        self.add("openWindow", move |url: String| host.open_window(&url))?;
        let host = Rc::clone(given);
        self.add("go", move |url: String, replace: bool| host.go(&url, replace))?;
        let host = Rc::clone(given);
        self.add("reload", move || host.reload())?;
        let host = Rc::clone(given);
        self.add("traverse", move |delta: i32| host.traverse(delta))?;
        let host = Rc::clone(given);
        self.add("frameElements", move || host.frame_elements())?;
        let host = Rc::clone(given);
        self.add("addFrameElement", move |id: String, src: String, sandbox: Option<String>| {
            host.add_frame_element(id, src, sandbox)
        })?;
        let host = Rc::clone(given);
        self.add("postFrameMessage", move |element: Option<u32>, is_top: bool, json: String| {
            host.post_frame_message(element, is_top, json);
        })?;
        let host = Rc::clone(given);
        self.add("navigateFrameElement", move |element: u32, src: String| {
            host.navigate_frame_element(element, &src);
        })?;
        let (host, others) = (Rc::clone(given), Rc::clone(registered));
        self.add("backgroundWindow", move |context: Ctx<'js>| {
            let number = host.background_window();
            let global = number.and_then(|number| Some(others.borrow().get(&number)?.global.clone()));
            global.map(|global| global.restore(&context)).transpose()
        })?;
        let (host, others) = (Rc::clone(given), Rc::clone(registered));
        self.add("removeFrameElement", move |context: Ctx<'js>, element: u32| {
            host.remove_frame_element(element, &mut |world| {
                let reachable = others.borrow_mut().remove(&world);
                if let Some(leave) = reachable.and_then(|reachable| reachable.leave.restore(&context).ok()) {
                    // It reports what its listeners throw by itself.
                    let _ = leave.call::<_, ()>(("Removed",));
                }
            });
        })
    }
}

fn connect_failed(context: &Ctx<'_>, refusal: &Refusal) -> rquickjs::Error {
    let text = match refusal {
        Refusal::Gone => "Extension context invalidated.",
        refusal => refusal.as_str(),
    };
    Exception::throw_message(context, text)
}
