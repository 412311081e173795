//! The pages of extensions, by their own scheme.

use crate::browser::Browser;
use crate::facts::Surface;
use port_core_webext::extension::manifest::{RunAt, ScriptKind};
use std::rc::Rc;
use url::Url;
use webkit6::prelude::*;
use webkit6::soup::{MessageHeaders, MessageHeadersType};
use webkit6::{URISchemeRequest, URISchemeResponse};

/// What extensions' pages may run, where the manifest says nothing else.
const POLICY: &str = "script-src 'self'; object-src 'self'";

impl Browser {
    /// Has WebKit ask this program for what extensions' URLs name. Pages of the web can neither frame nor fetch any.
    pub(crate) fn register_scheme(self: &Rc<Self>) {
        let scheme = self.profile.extension_scheme();
        if let Some(security) = self.context.security_manager() {
            security.register_uri_scheme_as_secure(scheme);
            security.register_uri_scheme_as_display_isolated(scheme);
            security.register_uri_scheme_as_cors_enabled(scheme);
        }
        let me = Rc::downgrade(self);
        self.context.register_uri_scheme(scheme, move |request| {
            let served = me.upgrade().ok_or_else(|| "the browser ends".to_owned());
            match served.and_then(|browser| browser.serve(request)) {
                Ok((kind, bytes)) => {
                    let length = i64::try_from(bytes.len()).unwrap_or(-1);
                    let stream = gio::MemoryInputStream::from_bytes(&glib::Bytes::from_owned(bytes));
                    let response = URISchemeResponse::new(&stream, length);
                    response.set_content_type(kind);
                    let headers = MessageHeaders::new(MessageHeadersType::Response);
                    headers.append("Content-Security-Policy", POLICY);
                    response.set_http_headers(headers);
                    request.finish_with_response(&response);
                }
                Err(why) => {
                    let mut error = glib::Error::new(gio::IOErrorEnum::NotFound, &why);
                    request.finish_error(&mut error);
                }
            }
        });
    }

    /// Finds what a URL of an extension names, for a view that may have it.
    fn serve(&self, request: &URISchemeRequest) -> Result<(&'static str, Vec<u8>), String> {
        let url = request.uri().ok_or("no URL")?;
        let url = Url::parse(&url).map_err(|error| error.to_string())?;
        let view = request.web_view().ok_or("no view asks")?;
        let surface = {
            let views = self.views.borrow();
            views.values().find(|known| known.web == view).map(|known| known.surface)
        };
        let extensions = self.extensions.borrow();
        let loaded =
            extensions.iter().find(|loaded| loaded.extension.owns(&url)).ok_or("no such extension")?;
        let shown = view.uri().and_then(|shown| Url::parse(&shown).ok());
        let is_allowed = match surface {
            // A tab that goes to a page of an extension shows its URL before WebKit asks for it.
            Some(Surface::Tab(_)) => shown.is_some_and(|shown| loaded.extension.owns(&shown)),
            Some(surface) => surface.owner() == Some(loaded.instance),
            None => false,
        };
        if !is_allowed {
            return Err("it is another extension's, or none's".to_owned());
        }
        let is_background = matches!(surface, Some(Surface::Background(_)));
        let generated = loaded.extension.background().filter(|page| is_background && page.html.is_empty());
        if let Some(page) = generated
            && (url.path() == page.url.path() || url.query() == Some("worker"))
            && url.path().ends_with(".html")
        {
            let mut html = String::from("<!doctype html><meta charset=\"utf-8\"><title>background</title>");
            for script in page.scripts.at(RunAt::End) {
                let kind = if script.kind == ScriptKind::Module { " type=\"module\"" } else { "" };
                html.push_str(&format!("<script{kind} src=\"{}\"></script>", script.url));
            }
            return Ok(("text/html", html.into_bytes()));
        }
        let bytes = loaded.folder.bytes(url.path())?;
        Ok((kind_of(url.path()), bytes))
    }
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" | "htm" => "text/html",
        "js" | "mjs" => "text/javascript",
        "css" => "text/css",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}
