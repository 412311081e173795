//! Runs a script on the core and the model side by side.

use super::index::Index;
use super::script::{Do, Draw, THEMES};
use super::uses::Uses;
use super::world::Rules;
use super::{Channel, Context, End, Loop, Model};
use crate::common::{Ledger, REFUSES_AT_ONCE, service};
use port_core::{
    BackForwardCache, ConnectKind, ConnectListeners, ContextId, ContextKind, DiscardedTab, DisconnectReason,
    DocumentId, DocumentTarget, EventLoop, ExtensionId, ExtensionInstance, ExternalConnections, FactError,
    FanOutOrder, FrameId, Limits, MessageService, OpeningPort, Place, Policies, PortId, PortStatus,
    ReceiverDisconnects, ReceiverLost, TabId,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::task::Waker;

/// What was done, for a failing script.
pub type Story = Rc<RefCell<Vec<String>>>;

/// How a run went: messages heard, and how many ways the model had to follow at most.
#[derive(Default)]
pub struct Ran {
    pub heard: usize,
    pub ways: usize,
}

/// More ways than this are not followed: the run ends early and well.
const WAYS: usize = 3_000;

/// Runs a script.
///
/// # Panics
///
/// When the core does what the model does not allow.
pub fn run(script: &[u64], story: &Story) -> Ran {
    let mut script = script.iter().copied();
    let mut scene = || Draw::new(script.next().unwrap_or_default());
    let mut both = Both::new([scene(), scene(), scene()], Rc::clone(story));
    for number in script {
        both.operate(&mut Draw::new(number));
        both.ran.ways = both.ran.ways.max(both.model.ways());
        if both.ran.ways > WAYS {
            return both.ran;
        }
    }
    both.finish()
}

/// The core and the model side by side, and which of the one's ids is which of the other's.
pub(super) struct Both {
    pub(super) service: MessageService,
    pub(super) index: Index,
    pub(super) model: Model,
    pub(super) policies: Policies,
    pub(super) limits: Limits,
    pub(super) theme: usize,
    pub(super) loops: Vec<Option<EventLoop>>,
    /// Loops that were declared gone.
    pub(super) declared: Vec<Loop>,
    /// Every place that there was.
    pub(super) places: Vec<Place>,
    /// Every load of an extension that there was.
    pub(super) instances: Vec<(ExtensionId, ExtensionInstance)>,
    /// Whether the background of each of these is started on demand.
    pub(super) on_demand: Vec<bool>,
    pub(super) uses: BTreeMap<Context, Uses>,
    pub(super) contexts: Vec<Attached>,
    pub(super) channels: Channel,
    /// Of each channel.
    pub(super) openers: Vec<Context>,
    pub(super) kinds: Vec<ConnectKind>,
    pub(super) ports: HashMap<PortId, End>,
    pub(super) ends: Vec<(End, PortId)>,
    /// Of these, the ones that were handed out as questions and not answered by a call.
    pub(super) undecided: Vec<(End, PortId)>,
    pub(super) messages: u32,
    pub(super) ledger: Ledger,
    pub(super) next_id: u64,
    pub(super) ran: Ran,
    pub(super) story: Story,
}

#[derive(Clone, Copy)]
pub(super) struct Attached {
    pub(super) id: ContextId,
    pub(super) home: Loop,
    /// Of its extension, or [`NO_LOAD`].
    pub(super) instance: usize,
    pub(super) kind: ContextKind,
    pub(super) place: Option<Place>,
    /// Which of the extensions admit a page of the web.
    pub(super) admitted_by: [bool; EXTENSIONS.len()],
}

/// In place of the load of an extension: that of a page of the web.
pub(super) const NO_LOAD: usize = usize::MAX;

pub(super) const EXTENSIONS: [&str; 2] = ["greeter@example", "other@example"];

fn limits(draw: &mut Draw) -> Limits {
    let mut limits = Limits::default();
    limits.ports_per_context = 4;
    limits.window_messages = [None, None, None, None, Some(1), Some(2), Some(3), Some(0)][draw.below(8)];
    limits.window_bytes = [None, None, None, None, None, Some(1), Some(150), Some(0)][draw.below(8)];
    limits.lane_records = [limits.lane_records, limits.lane_records, 4, 8][draw.below(4)];
    limits.lane_bytes = [limits.lane_bytes, limits.lane_bytes, limits.lane_bytes, 200][draw.below(4)];
    // Two from one byte, for a number has eight.
    let both = draw.below(12);
    limits.message_bytes = [limits.message_bytes, limits.message_bytes, 90][both % 3];
    limits.unanswered_connects = [limits.unanswered_connects, limits.unanswered_connects, 0, 2][both / 3];
    limits.name_bytes = [limits.name_bytes, limits.name_bytes, limits.name_bytes, 30][draw.below(4)];
    limits.names_per_context = [limits.names_per_context, limits.names_per_context, 40, 60][draw.below(4)];
    limits.external_ports_per_context = [limits.external_ports_per_context, 1, 2][draw.below(3)];
    limits.description_bytes =
        [limits.description_bytes, limits.description_bytes, limits.description_bytes, 19][draw.below(4)];
    if REFUSES_AT_ONCE {
        return limits;
    }
    Limits::default().ports_per_context(limits.ports_per_context).message_bytes(limits.message_bytes)
}

fn policies(draw: &mut Draw) -> Policies {
    let mut policies = Policies::default();
    policies.receiver_disconnects = [
        ReceiverDisconnects::EndsForAll,
        ReceiverDisconnects::EndsForOpener,
        ReceiverDisconnects::LeavesOthers,
    ][draw.below(3)];
    policies.receiver_lost = [ReceiverLost::LeavesOthers, ReceiverLost::EndsForAll][draw.below(2)];
    policies.back_forward_cache = [
        BackForwardCache::Ends,
        BackForwardCache::LosesMessages,
        BackForwardCache::queues_messages(1, 250),
        BackForwardCache::queues_messages(2, 250),
        BackForwardCache::queues_messages(5, 120),
    ][draw.below(5)];
    policies.document_target = [DocumentTarget::BothMustFit, DocumentTarget::DocumentDecides][draw.below(2)];
    policies.opening_port = [OpeningPort::PostsFollow, OpeningPort::PostsWait][draw.below(2)];
    policies.connect_listeners =
        [ConnectListeners::ShareOnePort, ConnectListeners::PortForEach][draw.below(4) / 3];
    policies.discarded_tab = [DiscardedTab::KeepsId, DiscardedTab::TakesNewId][draw.below(2)];
    policies.sender.lifecycle = policies.discarded_tab == DiscardedTab::KeepsId;
    policies.sender.context = !policies.sender.lifecycle;
    policies.fan_out_order = [FanOutOrder::Document, FanOutOrder::Arbitrary][draw.below(2)];
    assert!(!draw.is_overdrawn(), "the last policies are never drawn: let two share a byte");
    policies
}

impl Both {
    fn new([mut how, mut bounds, mut around]: [Draw; 3], story: Story) -> Self {
        let policies = policies(&mut how);
        let (theme, loops) = (around.below(THEMES.len()), 2 + around.below(2));
        let limits = limits(&mut bounds);
        story.borrow_mut().push(format!("{policies:?}\n  {limits:?}"));
        let service = service(limits, policies);
        let mut both = Self {
            service,
            index: Index::default(),
            model: Model::new(Rules(Rc::new((limits, policies)))),
            policies,
            limits,
            theme,
            loops: Vec::new(),
            declared: Vec::new(),
            places: Vec::new(),
            instances: Vec::new(),
            on_demand: Vec::new(),
            uses: BTreeMap::new(),
            contexts: Vec::new(),
            channels: 0,
            openers: Vec::new(),
            kinds: Vec::new(),
            ports: HashMap::new(),
            ends: Vec::new(),
            undecided: Vec::new(),
            messages: 0,
            ledger: Ledger::default(),
            next_id: 1,
            ran: Ran::default(),
            story,
        };
        for _ in 0..loops {
            both.new_loop();
        }
        for (number, id) in EXTENSIONS.iter().enumerate() {
            let external = [
                ExternalConnections::Nobody,
                ExternalConnections::Everyone,
                ExternalConnections::Extensions(vec![ExtensionId::new(EXTENSIONS[1 - number])]),
                ExternalConnections::Extensions(Vec::new()),
            ];
            let external = external[around.below(4)].clone();
            let on_demand = both.draws_on_demand(&mut around);
            both.load(ExtensionId::new(id), external, on_demand);
        }
        for _ in 0..2 {
            let tab = TabId::new(both.fresh());
            both.open_tab(tab);
            both.add_frame(tab, Some(FrameId::TOP));
        }
        both
    }

    pub(super) fn tell(&self, what: impl Into<String>) {
        self.story.borrow_mut().push(what.into());
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn fresh_document(&mut self) -> DocumentId {
        DocumentId::new(u128::from(self.fresh()))
    }

    pub(super) fn living_loops(&self) -> Vec<Loop> {
        (0..self.loops.len()).filter(|at| self.loops[*at].is_some()).collect()
    }

    pub(super) fn event_loop(&mut self, at: Loop) -> &mut EventLoop {
        self.loops[at].as_mut().expect("the loop is there")
    }

    /// A context whose loop is there, ended or not.
    pub(super) fn some_context(&self, draw: &mut Draw) -> Option<Context> {
        let here: Vec<_> =
            (0..self.contexts.len()).filter(|at| self.loops[self.contexts[*at].home].is_some()).collect();
        draw.recent(&here, 8)
    }

    pub(super) fn some_end(&self, draw: &mut Draw) -> Option<(End, PortId)> {
        let (end, port) = draw.recent(&self.ends, 6)?;
        self.loops[self.contexts[end.1].home].is_some().then_some((end, port))
    }

    #[track_caller]
    pub(super) fn check(&self, allowed: bool, what: &str) {
        assert!(allowed, "the model does not allow it: {what}");
    }

    fn operate(&mut self, draw: &mut Draw) {
        match Do::draw(draw, self.theme) {
            Do::Attach => self.attach(draw),
            Do::ConnectTab => self.connect_tab(draw),
            Do::ConnectRuntime => self.connect_runtime(draw),
            Do::Post => self.post(draw),
            Do::Disconnect => self.disconnect(draw),
            Do::Decide => self.decide(draw),
            Do::Detach => self.detach(draw),
            Do::Listen => self.listen(draw),
            Do::Stranger => self.stranger(draw),
            Do::Snapshot => {
                if let Some(at) = draw.pick(&self.living_loops()) {
                    self.snapshot(at);
                }
            }
            Do::DropLoop => self.drop_loop(draw),
            Do::NewLoop if self.living_loops().len() < 3 => self.new_loop(),
            Do::DeclareGone => self.declare_gone(draw),
            Do::TakeFew => {
                let Some(at) = draw.pick(&self.living_loops()) else { return };
                self.take(at, 1 + draw.below(3));
            }
            Do::Take | Do::NewLoop => {
                let Some(at) = draw.pick(&self.living_loops()) else { return };
                self.take(at, usize::MAX);
            }
            Do::Ready => self.make_ready(draw),
            Do::WhyAwake => self.why_awake(draw),
            fact => {
                self.fact(fact, draw);
                self.compare_index();
            }
        }
    }

    fn new_loop(&mut self) {
        let mut event_loop = self.service.event_loop(Waker::noop().clone());
        // Each second one says by itself when a message was taken: as soon as it hears it, so the model knows no difference.
        event_loop.credit_when_taken(self.credits_when_taken(self.loops.len()));
        self.loops.push(Some(event_loop));
        self.tell(format!("loop {}", self.loops.len() - 1));
    }

    pub(super) fn credits_when_taken(&self, at: Loop) -> bool {
        at % 2 == 1
    }

    fn drop_loop(&mut self, draw: &mut Draw) {
        let loops = self.living_loops();
        let Some(gone) = draw.pick(&loops).filter(|_| loops.len() > 1) else { return };
        self.tell(format!("drop loop {gone}"));
        self.loops[gone] = None;
        self.leave_with(gone);
        self.model.does(|world| world.drop_loop(gone, &loops));
        self.compare_index();
    }

    fn declare_gone(&mut self, draw: &mut Draw) {
        let loops = self.living_loops();
        let Some(gone) = draw.pick(&loops).filter(|_| loops.len() > 1) else { return };
        let id = self.event_loop(gone).id();
        let (got, reason) = match draw.below(2) {
            0 => (self.service.event_loop_gone(id), DisconnectReason::EventLoopGone),
            _ => (self.service.event_loop_crashed(id), DisconnectReason::ProcessCrashed),
        };
        self.tell(format!("loop {gone} is declared gone, {reason:?}: {got:?}"));
        if self.declared.contains(&gone) {
            return assert_eq!(got, Err(FactError::UnknownEventLoop));
        }
        assert_eq!(got, Ok(()));
        self.declared.push(gone);
        self.leave_with(gone);
        self.model.does(|world| world.declare_gone(gone, reason, &loops));
        self.compare_index();
    }

    fn leave_with(&mut self, gone: Loop) {
        let here: Vec<_> =
            (0..self.contexts.len()).filter(|context| self.contexts[*context].home == gone).collect();
        self.index.leave(&here);
    }

    /// All is taken everywhere: whoever is connected has the whole of it, nothing lies
    /// about, and every payload is dropped in the end.
    fn finish(mut self) -> Ran {
        for _ in 0..5 {
            for at in self.living_loops() {
                self.take(at, usize::MAX);
            }
            for (end, port) in self.undecided.clone() {
                if self.loops[self.contexts[end.1].home].is_some() {
                    self.decide_on(end, port, end.0 % 2 == 0);
                }
            }
        }
        for at in self.living_loops() {
            self.snapshot(at);
            let snapshot = self.event_loop(at).snapshot();
            assert_eq!(snapshot.events, 0);
            let held = self.policies.back_forward_cache != BackForwardCache::Ends;
            for port in snapshot.ports.iter().filter(|_| !held) {
                assert_eq!(port.queued.messages, 0);
            }
            for port in snapshot.ports.iter().filter(|port| port.status == PortStatus::Open) {
                assert!(!port.others.is_empty(), "half open: {port:?}");
                assert!(port.others.iter().all(|other| other.accepted), "undecided: {port:?}");
            }
            // Nobody tells a loop that was declared gone who took its words or went.
            for lane in snapshot.lanes.iter().filter(|_| !self.declared.contains(&at)) {
                assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0));
            }
        }
        self.loops.clear();
        drop(self.service);
        self.ledger.assert_balanced();
        self.ran
    }
}
