//! Port core: the messaging that a native browser embeds so that WebExtensions
//! ports work between its threads.

mod bell;
mod context;
mod error;
mod event;
mod event_loop;
mod event_loop_shared;
mod ids;
mod index;
mod lane;
mod limits;
mod message;
#[cfg(port_core_model)]
pub mod model;
mod name;
mod payload;
mod peer;
mod policy;
mod port;
mod reason;
mod record;
mod sender;
mod service;
mod slab;
mod snapshot;
mod sync;
mod wake;

pub use error::{AttachError, ConnectError, ContextError, FactError, PostError};
pub use event::Event;
pub use event_loop::{EventLoop, TabTarget};
pub use ids::{
    ContextId, DocumentId, EventLoopId, ExtensionId, ExtensionInstance, FrameId, PortId, TabId, WindowId,
};
pub use limits::Limits;
pub use message::{Message, MessageFormat};
pub use name::PortName;
pub use payload::{INLINE_BYTES, Payload};
pub use policy::{BackForwardCache, Policies, ReceiverDisconnects, ReceiverLost};
pub use reason::DisconnectReason;
pub use sender::{ContextDescription, ContextKind, DocumentLifecycle, Place, Sender};
pub use service::MessageService;
pub use snapshot::{
    ContextSnapshot, EventLoopSnapshot, ExtensionSnapshot, FrameSnapshot, LaneSnapshot, PortEnd,
    PortSnapshot, PortStatus, Queued, ServiceSnapshot, TabSnapshot,
};
