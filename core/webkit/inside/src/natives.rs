//! The functions that an extension's scripts call, through `glue.js`.

use crate::control::FromPage;
use crate::page::Page;
use crate::values::{given, integer_of, number, small_of, text, text_of, truth_of};
use crate::webkit;
use crate::world::{Operation, World};
use javascriptcore6::{Context, Value};
use port_core::{ConnectKind, FrameId, Listening, TabId};
use port_core_webext::Refusal;
use std::rc::{Rc, Weak};

/// What one world's function holds. It is dropped with the world's garbage: that tells that the document is no more.
struct Natives {
    page: Weak<Page>,
    world: Rc<World>,
}

impl Drop for Natives {
    fn drop(&mut self) {
        if let Some(page) = self.page.upgrade() {
            page.collected(self.world.key);
        }
    }
}

/// Makes the native function of a world.
pub(crate) fn function(context: &Context, page: &Rc<Page>, world: &Rc<World>) -> Value {
    let natives = Natives { page: Rc::downgrade(page), world: Rc::clone(world) };
    webkit::function(context, Box::new(move |context, arguments| natives.call(context, arguments)))
}

fn kind(is_one_off: bool) -> ConnectKind {
    if is_one_off { ConnectKind::OneOff } else { ConnectKind::Port }
}

impl Natives {
    /// The first argument says what is called; `glue.js` has the numbers. One that comes alone is a message.
    fn call(&self, context: &Context, arguments: &[Value]) -> Result<Option<Value>, String> {
        let page = self.page.upgrade().ok_or("the page is gone")?;
        if let [message] = arguments {
            let refused = self.post(&page, message)?;
            return Ok(refused.map(|refused| text(context, refused.as_str())));
        }
        let called = small_of(arguments, 0);
        let arguments = arguments.get(1..).unwrap_or_default();
        match called {
            0 => {
                let document = given(arguments, 2).map(|_| page.document_named(&text_of(arguments, 2)));
                let port = page.new_port(self.world.key);
                let operation = Operation::Tab {
                    port,
                    tab: TabId::new(integer_of(arguments, 0)),
                    frame: given(arguments, 1).map(|_| FrameId::new(integer_of(arguments, 1))),
                    document,
                    kind: kind(truth_of(arguments, 4)),
                    name: text_of(arguments, 3),
                };
                self.open(&page, context, port, operation)
            }
            1 => {
                let port = page.new_port(self.world.key);
                let operation = Operation::Runtime {
                    port,
                    extension: given(arguments, 0).map(|_| text_of(arguments, 0)),
                    kind: kind(truth_of(arguments, 2)),
                    name: text_of(arguments, 1),
                };
                self.open(&page, context, port, operation)
            }
            2 => {
                let was_open = page.disconnect(&self.world, small_of(arguments, 0));
                Ok((!was_open).then(|| text(context, "Disconnected")))
            }
            3 => {
                let heard = |index| truth_of(arguments, index);
                let listening = Listening::none().ports(heard(0)).one_off(heard(1)).external_ports(heard(2));
                let listening = listening.external_one_off(heard(3)).listeners(1);
                let _ = page.carry_out(&self.world, Operation::Listen(listening));
                Ok(None)
            }
            4 => {
                let (method, arguments_text) = (text_of(arguments, 1), text_of(arguments, 2));
                let number = small_of(arguments, 0);
                let context_key = self.world.key;
                let call = FromPage::Call { context: context_key, number, method, arguments: arguments_text };
                if !page.tell(&call) {
                    page.answer_too_long(context_key, number);
                }
                Ok(None)
            }
            5 => {
                let (level, text) = (text_of(arguments, 0), text_of(arguments, 1));
                page.tell(&FromPage::Console { context: self.world.key, level, text });
                Ok(None)
            }
            6 if self.world.is_page => page.import(&self.world, context, &text_of(arguments, 0)).map(Some),
            _ => Err("no such function".to_owned()),
        }
    }

    /// Posts a message that came with its port: as `5 {}`.
    fn post(&self, page: &Page, message: &Value) -> Result<Option<Refusal>, String> {
        let bytes = message.to_string_as_bytes().ok_or("no message")?;
        let space = bytes.iter().position(|byte| *byte == b' ').ok_or("no message")?;
        let port = str::from_utf8(&bytes[..space]).ok().and_then(|port| port.parse().ok());
        Ok(page.post(&self.world, port.unwrap_or(0), &bytes[space + 1..]).err())
    }

    fn open(
        &self,
        page: &Rc<Page>,
        context: &Context,
        port: u32,
        operation: Operation,
    ) -> Result<Option<Value>, String> {
        match page.carry_out(&self.world, operation) {
            Ok(()) => Ok(Some(number(context, port))),
            Err(refusal) => {
                page.forget_port(port);
                Err(refusal.to_string())
            }
        }
    }
}
