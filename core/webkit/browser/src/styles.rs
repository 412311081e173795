//! `insertCSS` and `removeCSS` of `scripting` and `tabs`, and `tabs.captureVisibleTab`: how pages look.

use crate::api::{Caller, read};
use crate::browser::Browser;
use crate::execution::Answered;
use gio::Cancellable;
use port_core_webext::Profile;
use port_core_webext::extension::Extension;
use port_core_webkit_inside::control::Code;
use serde_json::Value;
use std::rc::Rc;
use webkit6::prelude::*;
use webkit6::{SnapshotOptions, SnapshotRegion};

/// How much CSS one call may insert, in bytes.
const MOST: usize = 4 << 20;

fn css_of(extension: &Extension, details: &Value) -> Result<String, String> {
    let file = |name: &str| {
        let url = extension.base().join(name).map_err(|error| error.to_string())?;
        extension.text_of(&url).map_err(|_| format!("Could not load file: '{name}'."))
    };
    let texts = ["css", "code"].iter().filter_map(|key| details[*key].as_str());
    let one = ["file"].iter().filter_map(|key| details[*key].as_str());
    let many = details["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let files = one.chain(many).map(file).collect::<Result<Vec<_>, _>>()?;
    let css: Vec<String> = texts.map(str::to_owned).chain(files).collect();
    match css.concat() {
        _ if css.is_empty() => Err("Exactly one of 'css' and 'files' must be specified.".to_owned()),
        css if css.len() > MOST => Err(format!("a call may insert {MOST} bytes of CSS")),
        css => Ok(css),
    }
}

impl Browser {
    /// Styles frames of a tab, or takes the same style away again; the answer is sent once all frames have it.
    pub(crate) fn style(
        &self,
        caller: &Caller,
        namespace: &str,
        is_inserted: bool,
        arguments: Vec<Value>,
    ) -> Result<(), String> {
        let mut arguments = arguments.into_iter();
        let (tab, details) = if namespace == "tabs" {
            let tab = self.tab_or_active(read(&mut arguments)?)?;
            (tab, arguments.next().unwrap_or_default())
        } else {
            let details = arguments.next().unwrap_or_default();
            (self.tab(details["target"]["tabId"].as_u64().unwrap_or_default())?, details)
        };
        let target = if namespace == "tabs" { &details } else { &details["target"] };
        let frames = self.frames_for(caller, &tab, target)?;
        let css = css_of(&caller.known.extension, &details)?;
        self.run_in(caller, frames, Answered::Nothing, false, &Code::Style { css, is_inserted })
    }

    /// `tabs.captureVisibleTab`: a picture of what the active tab shows, as PNG whatever is asked for.
    pub(crate) fn capture(self: &Rc<Self>, caller: &Caller, arguments: &[Value]) -> Result<(), String> {
        let window = arguments.first().and_then(Value::as_i64);
        if window.is_some_and(|window| window != 1 && window != -2) {
            return Err(format!("No window with id: {}.", window.unwrap_or_default()));
        }
        let tab = self.tab_or_active(None)?;
        let extension = &caller.known.extension;
        let may_see_all = extension.manifest().host_texts().any(|host| host == "<all_urls>");
        if !may_see_all && !tab.granted.contains(extension.id()) {
            return Err(match self.profile {
                Profile::Chromium => "Either the '<all_urls>' or 'activeTab' permission is required.",
                Profile::Firefox => "Missing activeTab permission",
            }
            .to_owned());
        }
        let view = self.view_of(tab.id).ok_or("the tab is gone")?;
        let (me, caller) = (Rc::downgrade(self), caller.clone());
        let taken = move |texture: Result<gtk4::gdk::Texture, glib::Error>| {
            let Some(browser) = me.upgrade() else { return };
            let outcome = texture.map_err(|error| format!("Failed to capture tab: {error}")).map(|texture| {
                let picture = glib::base64_encode(&texture.save_to_png_bytes());
                Some(Value::from(format!("data:image/png;base64,{picture}")))
            });
            browser.send_answer(&caller, outcome);
        };
        view.snapshot(SnapshotRegion::Visible, SnapshotOptions::NONE, Cancellable::NONE, taken);
        Ok(())
    }
}
