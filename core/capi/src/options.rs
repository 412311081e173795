//! Limits and policies. In each field 0 asks for the default, so a struct of zeros after its size is all defaults.

use crate::sized::{Sized32, read};
use crate::status::{PC_UNKNOWN_VALUE, pc_status};
use port_core::{
    BackForwardCache, ConnectListeners, DiscardedTab, DocumentTarget, FanOutOrder, Limits, OpeningPort,
    Policies, ReceiverDisconnects, ReceiverLost, SenderFields,
};

/// Bounds on what a service holds. 0 asks for the default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_limits {
    /// `sizeof(pc_limits)`.
    pub size: u32,
    /// How many ports one context may hold, opened or accepted from its own extension. Default 16,384.
    pub ports_per_context: u32,
    /// How many ports that other extensions opened one context may hold besides; 65,535 at most. Default 8,192.
    pub external_ports_per_context: u32,
    /// The longest name of a port, in bytes. Default 64 KiB.
    pub name_bytes: u32,
    /// How many bytes the names of one context's ports may have in all; those of up to 23 bytes do not count. Default 4 MiB.
    pub names_per_context: u32,
    /// How many connections one event loop may have sent to another without their answers. Default 65,536.
    pub unanswered_connects: u32,
    /// How many bytes a context's URL and origin may have together: shorten longer ones before `pc_attach()`. Default 16 KiB.
    pub description_bytes: u32,
    /// 0.
    pub reserved: u32,
    /// The largest message, in bytes. Default 64 MiB, as in Chromium.
    pub message_bytes: u64,
    /// How many messages one side of a port may have under way to a receiver that has not taken them. Default: any.
    pub window_messages: u64,
    /// How many bytes one side of a port may have under way. Default: any.
    pub window_bytes: u64,
    /// How many messages, connects and answers one direction between two event loops may hold. Default 1,048,576.
    pub lane_records: u64,
    /// How many bytes one direction between two event loops may hold. Default 128 MiB.
    pub lane_bytes: u64,
    /// How many bytes everything that the service holds for scripts may take together, beyond a little for each event
    /// loop and lane. Default 192 MiB.
    pub service_bytes: u64,
    /// How many bytes each extension may hold besides while those of the service are used up. Default 8 MiB.
    pub extension_bytes: u64,
}

// SAFETY: it is `repr(C)`, and all numbers.
unsafe impl Sized32 for pc_limits {}

impl pc_limits {
    fn limits(&self) -> Result<Limits, pc_status> {
        let given = |number: u64| if number == 0 { None } else { Some(number) };
        let mut limits = Limits::default();
        if let Some(bytes) = given(self.message_bytes) {
            limits.message_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        if let Some(messages) = given(self.window_messages) {
            limits.window_messages = Some(u32::try_from(messages).map_err(|_| PC_UNKNOWN_VALUE)?);
        }
        limits.window_bytes = given(self.window_bytes);
        for (limit, own) in [
            (&mut limits.lane_records, self.lane_records),
            (&mut limits.lane_bytes, self.lane_bytes),
            (&mut limits.service_bytes, self.service_bytes),
            (&mut limits.extension_bytes, self.extension_bytes),
        ] {
            *limit = given(own).unwrap_or(*limit);
        }
        for (limit, given) in [
            (&mut limits.ports_per_context, self.ports_per_context),
            (&mut limits.name_bytes, self.name_bytes),
            (&mut limits.names_per_context, self.names_per_context),
            (&mut limits.unanswered_connects, self.unanswered_connects),
            (&mut limits.description_bytes, self.description_bytes),
        ] {
            if given != 0 {
                *limit = given;
            }
        }
        if self.external_ports_per_context != 0 {
            limits.external_ports_per_context =
                u16::try_from(self.external_ports_per_context).map_err(|_| PC_UNKNOWN_VALUE)?;
        }
        Ok(limits)
    }
}

/// For `receiver_disconnects`: when one of several receivers disconnects, the port ends for everyone (default, Firefox).
pub const PC_DISCONNECT_ENDS_FOR_ALL: u32 = 1;
/// For `receiver_disconnects`: it ends for the opener; the other receivers are not told (Chromium).
pub const PC_DISCONNECT_ENDS_FOR_OPENER: u32 = 2;
/// For `receiver_disconnects`: that receiver alone leaves (WebKit).
pub const PC_DISCONNECT_LEAVES_OTHERS: u32 = 3;

/// For `receiver_lost`: when one of several receivers goes away, the others stay (default, Chromium, WebKit).
pub const PC_LOST_LEAVES_OTHERS: u32 = 1;
/// For `receiver_lost`: the port ends for everyone (Firefox).
pub const PC_LOST_ENDS_FOR_ALL: u32 = 2;

/// For `back_forward_cache`: ports of a page that goes into the cache end (default, Chromium).
pub const PC_CACHE_ENDS_PORTS: u32 = 1;
/// For `back_forward_cache`: they stay, and lose what is sent meanwhile (Firefox).
pub const PC_CACHE_LOSES_MESSAGES: u32 = 2;
/// For `back_forward_cache`: they stay, and what is sent waits: `cache_messages` and `cache_bytes` for a port at most.
pub const PC_CACHE_QUEUES_MESSAGES: u32 = 3;

/// For `document_target`: a document and a frame must fit (default, Chromium).
pub const PC_DOCUMENT_AND_FRAME_MUST_FIT: u32 = 1;
/// For `document_target`: the document decides (Firefox).
pub const PC_DOCUMENT_DECIDES: u32 = 2;

/// For `opening_port`: posts follow the connection at once (default, Chromium).
pub const PC_POSTS_FOLLOW: u32 = 1;
/// For `opening_port`: posts wait until every receiver has answered (Firefox).
pub const PC_POSTS_WAIT: u32 = 2;

/// For `fan_out_order`: frames are reached in the order of the document (default, Firefox).
pub const PC_ORDER_OF_DOCUMENT: u32 = 1;
/// For `fan_out_order`: in another order (Chromium).
pub const PC_ORDER_ARBITRARY: u32 = 2;

/// For `connect_listeners`: several listeners of a context share one port (default, Chromium, Firefox).
pub const PC_LISTENERS_SHARE_ONE_PORT: u32 = 1;
/// For `connect_listeners`: each gets a port of its own (WebKit).
pub const PC_LISTENERS_HAVE_A_PORT_EACH: u32 = 2;

/// For `discarded_tab`: a tab that is discarded keeps its id (default, Firefox).
pub const PC_DISCARDED_KEEPS_ID: u32 = 1;
/// For `discarded_tab`: it takes a new one (Chromium).
pub const PC_DISCARDED_TAKES_NEW_ID: u32 = 2;

/// For `sender_lifecycle` and `sender_context`: a sender shows it (default).
pub const PC_SHOWN: u32 = 1;
/// For `sender_lifecycle` and `sender_context`: a sender does not.
pub const PC_HIDDEN: u32 = 2;

/// What a service does where browsers differ. 0 asks for the default.
/// `pc_policies_of_chromium()` and `pc_policies_of_firefox()` fill it in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_policies {
    /// `sizeof(pc_policies)`.
    pub size: u32,
    /// What happens when one of several receivers of a port disconnects: `PC_DISCONNECT_…`.
    pub receiver_disconnects: u32,
    /// What happens when one of several receivers goes away: `PC_LOST_…`.
    pub receiver_lost: u32,
    /// What happens to the ports of a page that goes into the back/forward cache: `PC_CACHE_…`.
    pub back_forward_cache: u32,
    /// How many bytes may wait for a port, for `PC_CACHE_QUEUES_MESSAGES` alone.
    pub cache_bytes: u64,
    /// How many messages may wait for a port, for `PC_CACHE_QUEUES_MESSAGES` alone.
    pub cache_messages: u32,
    /// What a connect reaches that names a document and a frame: `PC_DOCUMENT_…`.
    pub document_target: u32,
    /// What becomes of posts before the receivers have answered: `PC_POSTS_…`.
    pub opening_port: u32,
    /// In which order frames are reached: `PC_ORDER_…`.
    pub fan_out_order: u32,
    /// How many ports a context with several listeners gets: `PC_LISTENERS_…`.
    pub connect_listeners: u32,
    /// What becomes of the id of a tab that is discarded: `PC_DISCARDED_…`.
    pub discarded_tab: u32,
    /// Whether a sender shows its document's lifecycle: `PC_SHOWN` or `PC_HIDDEN`.
    pub sender_lifecycle: u32,
    /// Whether a sender shows its context: `PC_SHOWN` or `PC_HIDDEN`.
    pub sender_context: u32,
}

// SAFETY: it is `repr(C)`, and all numbers.
unsafe impl Sized32 for pc_policies {}

/// The choices of a policy by number, from 1 on.
const RECEIVER_DISCONNECTS: [ReceiverDisconnects; 3] =
    [ReceiverDisconnects::EndsForAll, ReceiverDisconnects::EndsForOpener, ReceiverDisconnects::LeavesOthers];
const RECEIVER_LOST: [ReceiverLost; 2] = [ReceiverLost::LeavesOthers, ReceiverLost::EndsForAll];
const DOCUMENT_TARGET: [DocumentTarget; 2] = [DocumentTarget::BothMustFit, DocumentTarget::DocumentDecides];
const OPENING_PORT: [OpeningPort; 2] = [OpeningPort::PostsFollow, OpeningPort::PostsWait];
const FAN_OUT_ORDER: [FanOutOrder; 2] = [FanOutOrder::Document, FanOutOrder::Arbitrary];
const CONNECT_LISTENERS: [ConnectListeners; 2] =
    [ConnectListeners::ShareOnePort, ConnectListeners::PortForEach];
const DISCARDED_TAB: [DiscardedTab; 2] = [DiscardedTab::KeepsId, DiscardedTab::TakesNewId];
const SHOWN: [bool; 2] = [true, false];

/// Sets a policy to the choice with this number; 0 leaves it.
fn choose<T: Copy>(policy: &mut T, choices: &[T], number: u32) -> Result<(), pc_status> {
    if let Some(before) = number.checked_sub(1) {
        *policy = *choices.get(before as usize).ok_or(PC_UNKNOWN_VALUE)?;
    }
    Ok(())
}

/// Returns the number of a choice.
fn number<T: PartialEq>(policy: &T, choices: &[T]) -> u32 {
    let position = choices.iter().position(|choice| choice == policy);
    position.map_or(0, |position| u32::try_from(position + 1).unwrap_or(0))
}

impl pc_policies {
    fn policies(&self) -> Result<Policies, pc_status> {
        let mut policies = Policies::default();
        choose(&mut policies.receiver_disconnects, &RECEIVER_DISCONNECTS, self.receiver_disconnects)?;
        choose(&mut policies.receiver_lost, &RECEIVER_LOST, self.receiver_lost)?;
        let caches = [
            BackForwardCache::Ends,
            BackForwardCache::LosesMessages,
            BackForwardCache::queues_messages(self.cache_messages, self.cache_bytes),
        ];
        choose(&mut policies.back_forward_cache, &caches, self.back_forward_cache)?;
        choose(&mut policies.document_target, &DOCUMENT_TARGET, self.document_target)?;
        choose(&mut policies.opening_port, &OPENING_PORT, self.opening_port)?;
        choose(&mut policies.fan_out_order, &FAN_OUT_ORDER, self.fan_out_order)?;
        choose(&mut policies.connect_listeners, &CONNECT_LISTENERS, self.connect_listeners)?;
        choose(&mut policies.discarded_tab, &DISCARDED_TAB, self.discarded_tab)?;
        let SenderFields { mut lifecycle, mut context, .. } = policies.sender;
        choose(&mut lifecycle, &SHOWN, self.sender_lifecycle)?;
        choose(&mut context, &SHOWN, self.sender_context)?;
        Ok(policies.sender(SenderFields::NONE.lifecycle(lifecycle).context(context)))
    }

    fn of(policies: &Policies, size: u32) -> Self {
        let (back_forward_cache, cache_messages, cache_bytes) = match policies.back_forward_cache {
            BackForwardCache::LosesMessages => (PC_CACHE_LOSES_MESSAGES, 0, 0),
            BackForwardCache::QueuesMessages { messages, bytes, .. } => {
                (PC_CACHE_QUEUES_MESSAGES, messages, bytes)
            }
            _ => (PC_CACHE_ENDS_PORTS, 0, 0),
        };
        Self {
            size,
            receiver_disconnects: number(&policies.receiver_disconnects, &RECEIVER_DISCONNECTS),
            receiver_lost: number(&policies.receiver_lost, &RECEIVER_LOST),
            back_forward_cache,
            cache_bytes,
            cache_messages,
            document_target: number(&policies.document_target, &DOCUMENT_TARGET),
            opening_port: number(&policies.opening_port, &OPENING_PORT),
            fan_out_order: number(&policies.fan_out_order, &FAN_OUT_ORDER),
            connect_listeners: number(&policies.connect_listeners, &CONNECT_LISTENERS),
            discarded_tab: number(&policies.discarded_tab, &DISCARDED_TAB),
            sender_lifecycle: number(&policies.sender.lifecycle, &SHOWN),
            sender_context: number(&policies.sender.context, &SHOWN),
        }
    }
}

/// Reads what may be null: then it is all defaults.
///
/// # Safety
///
/// Each is null, or points to as many bytes as its size says.
pub(crate) unsafe fn read_options(
    policies: *const pc_policies,
    limits: *const pc_limits,
) -> Result<(Policies, Limits), pc_status> {
    let mut read_policies = Policies::default();
    if !policies.is_null() {
        // SAFETY: the same.
        read_policies = unsafe { read(policies) }?.policies()?;
    }
    let mut read_limits = Limits::default();
    if !limits.is_null() {
        // SAFETY: the same.
        read_limits = unsafe { read(limits) }?.limits()?;
    }
    Ok((read_policies, read_limits))
}

/// Fills in policies.
///
/// # Safety
///
/// As for the functions that call it.
unsafe fn fill(policies: *mut pc_policies, with: &Policies) -> pc_status {
    crate::thread_rule::contained(|| {
        // SAFETY: the same.
        match unsafe { crate::sized::check_size(policies) } {
            Err(status) => status,
            Ok(()) => {
                // SAFETY: it has all fields, and the size is among them.
                let size = unsafe { policies.cast::<u32>().read() };
                // SAFETY: the same.
                unsafe { policies.write(pc_policies::of(with, size)) };
                crate::status::PC_OK
            }
        }
    })
}

/// Fills in what Chromium was measured to do. Set `policies->size` first.
///
/// Thread: any.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_policies_of_chromium(policies: *mut pc_policies) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fill(policies, &Policies::CHROMIUM) }
}

/// Fills in what Firefox was measured to do. Set `policies->size` first.
///
/// Thread: any.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_policies_of_firefox(policies: *mut pc_policies) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fill(policies, &Policies::FIREFOX) }
}
