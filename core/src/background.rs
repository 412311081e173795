//! Backgrounds that are started on demand, such as service workers and event pages.

use crate::error::FactError;
use crate::ids::ExtensionInstance;
use crate::index::Removed;
use crate::reason::DisconnectReason;
use crate::service::MessageService;
use std::task::Waker;

/// # Backgrounds that are started on demand
///
/// An extension [loaded so](crate::ExtensionDescription::background_on_demand) is *dormant* while its background does not
/// run. A connect that would reach the background then gives a port all the same. Its posts, and what the same event loop
/// connects to that extension afterwards, wait in order, and the browser is asked for the background: once, however
/// many wait. The browser starts it, attaches its context, runs its script, and says that it is
/// [ready](crate::Listening::ready). Then what waits goes there, and to the extension's other contexts.
/// If nothing comes of the start, the ports that waited end, and the next connect asks again.
///
/// What waits on one event loop for one extension is bounded as a lane is, by [`Limits::lane_records`](crate::Limits::lane_records)
/// and [`lane_bytes`](crate::Limits::lane_bytes): beyond that a connect or a post is `Busy`. Once the background is ready, a
/// connect that waited leaves out those whose lanes admit no more; if nobody takes it, its port ends with
/// [`LimitReached`](DisconnectReason::LimitReached).
///
/// ```
/// use port_core::*;
/// use std::task::Waker;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = MessageService::default();
/// let description = ExtensionDescription::new("sleeper@example").background_on_demand();
/// let instance = service.extension_loaded(description)?;
/// let mut event_loop = service.event_loop(Waker::noop().clone());
///
/// let page = event_loop.attach(ContextDescription::page(instance))?;
/// let port = event_loop.connect_runtime(page, &RuntimeTarget::own())?;
/// event_loop.post_message(port, "first")?;
///
/// // The browser's main loop: somebody waits for the background, so its script is run.
/// assert_eq!(service.next_wanted_background(), Some(instance));
/// let background = event_loop.attach(ContextDescription::background(instance))?;
/// event_loop.set_listening(background, Listening::PORTS.ready(true))?;
///
/// let Some(Event::Connect { context, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(context, background);
/// let Some(Event::Message { payload, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(&*payload, b"first");
///
/// // Idle for long enough: the next connect starts it again.
/// service.stop_background(instance)?;
/// let Some(Event::ContextGone { reason, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(reason, DisconnectReason::BackgroundStopped);
/// # Ok(())
/// # }
/// ```
impl MessageService {
    /// Returns an extension instance whose background is to be started, and which was not returned since
    /// somebody began to wait for it; `None` when there is none now. May be called from any thread.
    #[must_use]
    pub fn next_wanted_background(&self) -> Option<ExtensionInstance> {
        self.inner().next_wanted()
    }

    /// Sets the waker that is called whenever [`next_wanted_background`](Self::next_wanted_background) has something new
    /// to return; at once, if it has now. It is called on the thread that connects, under no lock of the core, must not
    /// block, and may call the core. A panic in it is caught. The service holds one: the last that was set.
    pub fn set_background_waker(&self, waker: Waker) {
        self.inner().set_wanted_waker(waker);
    }

    /// Reports that a wanted background will not come: its script failed, or took too long. The ports that waited for it
    /// end with `reason`, usually [`BackgroundNotStarted`](DisconnectReason::BackgroundNotStarted), and the next connect
    /// asks for it again. Without effect if nobody waits. A context of a background that ends before it was ready
    /// is reason enough: then this need not be called.
    ///
    /// # Errors
    ///
    /// [`UnknownExtension`](FactError::UnknownExtension).
    pub fn give_up_background(
        &self,
        instance: ExtensionInstance,
        reason: DisconnectReason,
    ) -> Result<(), FactError> {
        if self.inner().give_up(instance, reason) { Ok(()) } else { Err(FactError::UnknownExtension) }
    }

    /// Ends the background's context, with its ports: their other sides hear
    /// [`BackgroundStopped`](DisconnectReason::BackgroundStopped), after the messages already sent, and its own event loop
    /// gets [`Event::ContextGone`](crate::Event::ContextGone). The instance is dormant afterwards if it is started
    /// on demand. Those that waited for its start hear that it was given up. May be called from any thread.
    ///
    /// A connect that reaches the background's event loop too late, or was not taken there, waits for the next start, unless
    /// another context took it: with what was posted on its port, in the order of the calls, and ahead of what its event loop
    /// connected to the extension since. The background's event loop decides that, when it next takes its events or is dropped; one that hangs must be
    /// [reported](Self::event_loop_gone). A [question](crate::Listening::asks) that it leaves open is asked again.
    ///
    /// # Errors
    ///
    /// [`UnknownExtension`](FactError::UnknownExtension).
    pub fn stop_background(&self, instance: ExtensionInstance) -> Result<(), FactError> {
        let stopped = self.inner().index.change_extension(instance, |extension| extension.stop());
        let (contexts, waiting) = stopped.ok_or(FactError::UnknownExtension)?;
        let reason = DisconnectReason::BackgroundStopped;
        self.inner().end(&Removed { contexts, documents: Vec::new() }, reason);
        self.inner().give_up_waiting(instance, waiting, reason);
        Ok(())
    }
}
