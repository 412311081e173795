//! A world of an extension's scripts in one document: a context of the core, as its page knows it.

use crate::control::{ContextKey, DocumentNumber};
use crate::extensions::Loaded;
use crate::values::owned_text;
use javascriptcore6::{Context, Value, WeakValue};
use port_core::{ConnectKind, DocumentId, FrameId, Listening, TabId};
use port_core_gateway::ContextNumber;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A world. Its scripts run from the start, though the browser has yet to grant the context: what they call until then
/// waits.
pub(crate) struct World {
    pub(crate) key: ContextKey,
    pub(crate) document: DocumentNumber,
    pub(crate) extension: Rc<Loaded>,
    pub(crate) is_page: bool,
    pub(crate) side: RefCell<Side>,
    /// The function of `glue.js` that tasks go to. A reference that counts would keep the document for ever.
    pub(crate) handle: RefCell<Option<WeakValue>>,
    /// Whether a message has come for it.
    pub(crate) has_heard: Cell<bool>,
}

/// How far a context got.
pub(crate) enum Side {
    /// The browser has not said yet whether it may be attached.
    Waiting(Waiting),
    /// It is one of the core's.
    Attached(ContextNumber),
    /// Its page came back from the back/forward cache, and the browser has yet to say that the core knows.
    Held(ContextNumber, Waiting),
    /// It was one, or never became one.
    Gone,
}

/// What scripts called before their context was attached.
#[derive(Default)]
pub(crate) struct Waiting {
    operations: Vec<Operation>,
    bytes: usize,
}

/// A call that waits. Ports go by the numbers that scripts have.
pub(crate) enum Operation {
    Listen(Listening),
    Tab {
        port: u32,
        tab: TabId,
        frame: Option<FrameId>,
        document: Option<DocumentId>,
        kind: ConnectKind,
        name: String,
    },
    Runtime {
        port: u32,
        extension: Option<String>,
        kind: ConnectKind,
        name: String,
    },
    Post {
        port: u32,
        text: Vec<u8>,
    },
    Disconnect {
        port: u32,
    },
}

/// How many calls wait at most, and how many bytes of messages.
const MOST: (usize, usize) = (10_000, 16 << 20);

impl Waiting {
    /// Adds a call. Returns whether there was room.
    pub(crate) fn add(&mut self, operation: Operation) -> bool {
        let bytes = match &operation {
            Operation::Post { text, .. } => text.len(),
            Operation::Tab { name, .. } | Operation::Runtime { name, .. } => name.len(),
            _ => 0,
        };
        let has_room = self.operations.len() < MOST.0 && self.bytes + bytes <= MOST.1;
        if has_room {
            self.bytes += bytes;
            self.operations.push(operation);
        }
        has_room
    }

    /// Returns the calls in their order.
    pub(crate) fn into_operations(self) -> Vec<Operation> {
        self.operations
    }
}

impl World {
    /// Delivers a task: calls the function of its name in `glue.js`.
    pub(crate) fn deliver(&self, name: &str, given: impl FnOnce(&Context) -> Vec<Value>) {
        self.call(|context| {
            let mut values = vec![Value::new_string(context, Some(name))];
            values.extend(given(context));
            values
        });
    }

    /// Delivers messages, joined to one text. It comes alone: every value that is handed to scripts costs about as much
    /// as what they do with it.
    pub(crate) fn deliver_messages(&self, joined: String) {
        self.call(|context| vec![owned_text(context, joined)]);
    }

    fn call(&self, given: impl FnOnce(&Context) -> Vec<Value>) {
        let Some(handle) = self.handle.borrow().as_ref().and_then(WeakValue::value) else { return };
        let Some(context) = handle.context() else { return };
        let _ = handle.function_callv(&given(&context));
        // The glue reports what its scripts throw; nothing is left but a stack that overflowed.
        context.clear_exception();
    }
}
