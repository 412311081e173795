//! What the browser tells a page, and what of it the scripts hear.

use crate::batch::Batches;
use crate::control::{Code, ContextKey, DocumentNumber, FromPage, ToPage};
use crate::link::Heard;
use crate::page::Page;
use crate::process::run_script;
use crate::values::{number, optional_text, text, text_of, truth_of};
use crate::webkit;
use crate::world::{Operation, Side, Waiting, World};
use glib::Priority;
use javascriptcore6::{Context, Value};
use port_core::{ConnectKind, ContextId, DisconnectReason};
use port_core_gateway::{ContextNumber, PortNumber, SenderDescription, StubEvent};
use port_core_webext::Opener;
use port_core_webext::extension::Script;
use port_core_webext::extension::manifest::ScriptKind;
use std::rc::Rc;

/// Of how many worlds a turn takes as many messages as it may.
const MOST_WORLDS: usize = 16;

impl Page {
    /// Takes what came, as much as the profile takes in one turn of the main loop. Returns whether the browser is still
    /// there.
    pub(crate) fn turn(self: &Rc<Self>) -> bool {
        // A script's handler may run a main loop of its own, as `alert` does.
        if self.turning.replace(true) {
            return true;
        }
        self.pace.take_turns(|| self.take_what_came(), || self.link.borrow_mut().look());
        self.turning.set(false);
        !self.link.borrow().is_closed()
    }

    /// Takes what came, and sends what scripts called. Returns whether that was all, and all was sent.
    fn take_what_came(self: &Rc<Self>) -> bool {
        let mut is_all = true;
        let most = self.process.upgrade().map_or(1, |process| process.profile.events_per_turn());
        // As many as the profile takes for each world, which has a queue of its own in browsers.
        let (mut messages, mut others) = (0, 0);
        let mut batches = Batches::default();
        loop {
            if batches.longest() == most || others == most || messages == most * MOST_WORLDS {
                self.turn_soon(Priority::DEFAULT);
                is_all = false;
                break;
            }
            let postponed = self.postponed.borrow_mut().pop_front();
            match postponed.or_else(|| self.link.borrow_mut().next()) {
                Some(Heard::Event(StubEvent::Message { context, port, payload, .. })) => {
                    let known = self.ports.borrow().numbers.get(&port).copied();
                    if let (Some(port), Some(world)) = (known, self.holder(context)) {
                        if !world.has_heard.replace(true) {
                            self.tell(&FromPage::Heard { context: world.key });
                        }
                        batches.add(world, port, &payload);
                    }
                    messages += 1;
                }
                Some(other) => {
                    // In their order with everything else that scripts hear.
                    batches.deliver();
                    match other {
                        Heard::Event(event) => self.take(event),
                        Heard::Told(told) => self.hear(told),
                    }
                    others += 1;
                }
                None => break,
            }
        }
        batches.deliver();
        // What scripts called; and to take a connection is to answer it: the opener's messages may wait for that.
        self.flush();
        is_all && self.link.borrow().is_idle()
    }

    fn holder(&self, context: ContextNumber) -> Option<Rc<World>> {
        let key = self.granted.borrow().get(&context).copied()?;
        self.worlds.borrow().get(&key).cloned()
    }

    fn take(self: &Rc<Self>, event: StubEvent) {
        match event {
            StubEvent::Granted { context, label, .. } => self.granted(context, &label),
            StubEvent::Revoked { context, .. } => self.ended(context, None),
            StubEvent::AttachRefused { context, .. } => self.ended(context, None),
            StubEvent::ContextGone { context, reason, ports, .. } => {
                self.ended(context, Some(reason));
                for port in ports {
                    self.drop_number(port);
                }
            }
            StubEvent::Connect { context, port, kind, name, sender, external, .. } => {
                self.connected(context, port, kind, &name, (&sender, external));
            }
            StubEvent::Disconnect { context, port, reason, .. } => {
                if let (Some(port), Some(world)) = (self.drop_number(port), self.holder(context)) {
                    tell_end(&world, port, reason);
                }
            }
            _ => {}
        }
    }

    fn drop_number(&self, port: PortNumber) -> Option<u32> {
        let mut ports = self.ports.borrow_mut();
        let number = ports.numbers.remove(&port)?;
        ports.open.remove(&number);
        Some(number)
    }

    /// The browser grants a context that this page asked for: what its scripts called so far is carried out.
    pub(crate) fn granted(&self, context: ContextNumber, label: &[u8]) {
        let key = label.try_into().map(u32::from_le_bytes).ok();
        let world = key.and_then(|key| self.worlds.borrow().get(&key).cloned());
        let (Some(key), Some(world)) = (key, world) else { return };
        if self.link.borrow_mut().stub().attach(context).is_err() {
            return;
        }
        self.granted.borrow_mut().insert(context, key);
        if let Side::Waiting(waiting) = world.side.replace(Side::Attached(context)) {
            self.catch_up(&world, context, waiting);
        }
    }

    /// Carries out what waited.
    fn catch_up(&self, world: &World, context: ContextNumber, waiting: Waiting) {
        for operation in waiting.into_operations() {
            let opened = match &operation {
                Operation::Tab { port, .. } | Operation::Runtime { port, .. } => Some(*port),
                _ => None,
            };
            if self.perform(context, operation).is_err()
                && let Some(port) = opened
            {
                self.forget_port(port);
                world.deliver("refused", |js| vec![number(js, port)]);
            }
        }
        self.flush_soon();
    }

    /// A document came back from the back/forward cache: until the core knows, it would refuse what its scripts call.
    pub(crate) fn hold(&self, document: DocumentNumber) {
        for world in self.worlds.borrow().values().filter(|world| world.document == document) {
            let side = &mut *world.side.borrow_mut();
            if let Side::Attached(context) = side {
                *side = Side::Held(*context, Waiting::default());
            }
        }
    }

    /// The core knows.
    fn release(&self) {
        let worlds: Vec<_> = self.worlds.borrow().values().cloned().collect();
        for world in worlds {
            let side = world.side.replace(Side::Gone);
            match side {
                Side::Held(context, waiting) => {
                    world.side.replace(Side::Attached(context));
                    self.catch_up(&world, context, waiting);
                }
                other => drop(world.side.replace(other)),
            }
        }
    }

    /// A context is one of the core's no more.
    fn ended(&self, context: ContextNumber, reason: Option<DisconnectReason>) {
        let Some(world) = self.holder(context) else { return };
        self.granted.borrow_mut().remove(&context);
        // One that is held, or was attached anew, has another by now, or will.
        let is_this = matches!(&*world.side.borrow(), Side::Attached(attached) if *attached == context);
        if is_this {
            world.side.replace(Side::Gone);
        }
        if reason == Some(DisconnectReason::ExtensionUnloaded) {
            world.deliver("invalidated", |_| Vec::new());
        }
    }

    fn connected(
        self: &Rc<Self>,
        context: ContextNumber,
        port: PortNumber,
        kind: ConnectKind,
        name: &str,
        (sender, is_external): (&SenderDescription, bool),
    ) {
        let (Some(world), Some(process)) = (self.holder(context), self.process.upgrade()) else { return };
        let known = self.new_port(world.key);
        {
            let mut ports = self.ports.borrow_mut();
            ports.open.insert(known, (world.key, Some(port)));
            ports.numbers.insert(port, known);
        }
        let opener = Opener {
            extension: sender.extension.as_ref(),
            kind: sender.kind,
            url: &sender.url,
            origin: &sender.origin,
            tab: sender.tab,
            frame: sender.frame,
            document: sender.document,
            lifecycle: sender.lifecycle,
            context: sender.context.map(ContextId::from_bits),
        };
        let shown =
            opener.show(process.profile, &self.tabs, &world.extension.extension, world.is_page).to_string();
        world.deliver("connect", |js| {
            vec![
                number(js, known),
                Value::new_boolean(js, kind == ConnectKind::OneOff),
                text(js, name),
                text(js, &shown),
                Value::new_boolean(js, is_external),
            ]
        });
    }

    /// Hears what is told beside messages.
    pub(crate) fn hear(self: &Rc<Self>, told: ToPage) {
        match told {
            ToPage::Extensions(packages) => {
                if let Some(process) = self.process.upgrade() {
                    process.set_extensions(packages);
                }
            }
            ToPage::Registered { extension, scripts } => {
                let loaded = self.process.upgrade().and_then(|process| process.extension(&extension));
                loaded.iter().for_each(|loaded| loaded.extension.set_registered(&scripts));
            }
            ToPage::Tabs(tabs) => self.set_tabs(tabs),
            ToPage::Answer { context, number: call, outcome } => {
                let world = self.worlds.borrow().get(&context).cloned();
                if let Some(world) = world {
                    world.deliver("answer", |js| {
                        let (result, error) = (outcome.as_deref().ok(), outcome.as_ref().err());
                        vec![
                            number(js, call),
                            optional_text(js, result),
                            optional_text(js, error.map(String::as_str)),
                        ]
                    });
                }
            }
            ToPage::Emit { extension, event, details, everywhere } => {
                let worlds: Vec<_> = self.worlds.borrow().values().cloned().collect();
                for world in worlds {
                    let is_told = world.is_page || everywhere;
                    if is_told && world.extension.extension.id().as_str() == extension {
                        world.deliver("emit", |js| vec![text(js, &event), text(js, &details)]);
                    }
                }
            }
            ToPage::Execute { number, document, extension, in_pages_world, code } => {
                if let Err(error) = self.execute(number, document, &extension, in_pages_world, &code) {
                    self.tell(&FromPage::Executed { number, outcome: Err(error) });
                }
            }
            ToPage::Flush { number } => {
                self.tell(&FromPage::Flushed { number });
                // Messages first.
                self.flush();
            }
            ToPage::Restored => self.release(),
            ToPage::Again { document } => self.attach_again(document),
            ToPage::Refused { context } => self.refused(context),
        }
    }

    /// The browser has no place for a context: what its scripts call fails from now on.
    pub(crate) fn refused(&self, context: ContextKey) {
        let world = self.worlds.borrow().get(&context).cloned();
        let waits = world.filter(|world| matches!(*world.side.borrow(), Side::Waiting(_)));
        waits.into_iter().for_each(|world| drop(world.side.replace(Side::Gone)));
    }

    /// Asks anew for the contexts of a document that the browser took for gone.
    fn attach_again(&self, document: DocumentNumber) {
        let worlds: Vec<_> =
            self.worlds.borrow().values().filter(|world| world.document == document).cloned().collect();
        for world in worlds {
            let waiting = match world.side.replace(Side::Gone) {
                Side::Held(_, waiting) | Side::Waiting(waiting) => waiting,
                _ => Waiting::default(),
            };
            world.side.replace(Side::Waiting(waiting));
            let extension = world.extension.extension.id().as_str().to_owned();
            self.tell(&FromPage::World { context: world.key, document, extension, is_page: world.is_page });
        }
    }

    fn execute(
        self: &Rc<Self>,
        execution: u32,
        document: DocumentNumber,
        extension: &str,
        in_pages_world: bool,
        code: &Code,
    ) -> Result<(), String> {
        let process = self.process.upgrade().ok_or("the process ends")?;
        let frame = self.documents.borrow().get(document).and_then(|shown| shown.handle.upgrade());
        let frame = frame.ok_or("the document is gone")?;
        let loaded = process.extension(extension).ok_or("the extension is not loaded")?;
        if let Code::Style { css, is_inserted } = code {
            let context = frame.context_in(&process.documents);
            let style = context.evaluate(include_str!("style.js")).ok_or("the document runs no scripts")?;
            let _ = style.function_callv(&[text(&context, css), Value::new_boolean(&context, *is_inserted)]);
            context.clear_exception();
            self.tell(&FromPage::Executed { number: execution, outcome: Ok(None) });
            return Ok(());
        }
        let context = if in_pages_world {
            frame.context_in(&process.pages_own)
        } else {
            if self.world_in(document, extension).is_none() {
                let world = self.make_world(&frame, document, &loaded, false);
                self.hold_until_granted(&*world.ok_or("the document runs no scripts")?);
            }
            frame.context_in(&loaded.world)
        };
        let page = Rc::downgrade(self);
        let answer = move |_: &Context, arguments: &[Value]| {
            let json = arguments.get(1).filter(|value| !value.is_undefined()).map(|_| text_of(arguments, 1));
            let succeeded = truth_of(arguments, 0);
            let outcome = if succeeded { Ok(json) } else { Err(json.unwrap_or_default()) };
            if let Some(page) = page.upgrade() {
                page.tell(&FromPage::Executed { number: execution, outcome });
            }
            Ok(None)
        };
        let answer = webkit::function(&context, Box::new(answer));
        let mut failed = None;
        let mut run =
            |script: &Script| run_script(&context, script, &mut |error| failed = Some(error.to_owned()));
        let classic =
            |url: &str, text: &str| Script { url: url.into(), text: text.into(), kind: ScriptKind::Classic };
        let mut given = vec![answer];
        match code {
            Code::Function(function, arguments) => {
                let function = run(&classic("<executed function>", &format!("({function})")));
                given.extend(function);
                given.push(text(&context, arguments));
            }
            Code::Scripts(scripts) => {
                let mut value = None;
                for (url, text) in scripts {
                    value = run(&classic(url, text));
                }
                given.push(value.unwrap_or_else(|| Value::new_undefined(&context)));
            }
            Code::Style { .. } => {}
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let execute = context.evaluate(include_str!("execute.js")).ok_or("the document runs no scripts")?;
        let _ = execute.function_callv(&given);
        Ok(())
    }
}

fn tell_end(world: &World, port: u32, reason: DisconnectReason) {
    world.deliver("disconnect", |js| vec![number(js, port), text(js, &format!("{reason:?}"))]);
}
