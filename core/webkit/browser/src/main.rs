//! A small native browser on WebKitGTK whose extensions talk over Port core.
//!
//! - `facts`: from what pages say to facts for the core, and grants.
//! - `gateway`: the thread that carries messages. `connected`: a page there. `bell`: what it sleeps on. `backlog`: what pages
//!   said and the GTK thread has yet to hear.
//! - `browser`: what the browser has. `extensions`, `views`, `pages`: its parts. `closing`: the end of a tab.
//! - `api`, `early`, `execution`, `buttons`, `menus`, `alarms`, `beside`, `styles`, `namespaces`: what scripts ask for.
//!   `flushing`: what is to come after their calls. `scheme`: the pages of extensions.
//! - `window`, `tab_page`, `inspector`: what a person sees. `person`: what one does whom a script plays.
//!   `census`: what a test counts.

mod alarms;
mod api;
mod arguments;
mod backlog;
mod bell;
mod beside;
mod browser;
mod buttons;
mod census;
mod closing;
mod connected;
mod early;
mod execution;
mod extensions;
mod facts;
mod flushing;
mod folder;
mod gateway;
mod inspector;
mod menus;
mod namespaces;
mod pages;
mod person;
mod scheme;
mod styles;
mod tab_page;
mod views;
mod window;

use gtk4::prelude::*;

fn main() -> glib::ExitCode {
    let arguments = match arguments::Arguments::read(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return glib::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            return glib::ExitCode::FAILURE;
        }
    };
    let application = gtk4::Application::builder()
        .application_id("org.port_core.WebKitBrowser")
        .flags(gio::ApplicationFlags::NON_UNIQUE)
        .build();
    application.connect_activate(move |application| {
        if let Err(error) = browser::Browser::start(application, arguments.clone()) {
            eprintln!("{error}");
            application.quit();
        }
    });
    application.run_with_args::<&str>(&[])
}
