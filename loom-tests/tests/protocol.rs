//! The whole protocol: an opener, a receiver and a browser that reports a fact, on
//! three threads with the real code, in every combination of how each ends.

extern crate port_core_model as port_core;

mod support;

use port_core_model::Policies;
use support::model;
use support::sides::{Fact, Moment, Scene, Then, Way};

/// A background connects to a tab's content script, and each ends after its first words.
fn run(opener: Then, receiver: Then, fact: Fact) {
    let policies = Policies::default();
    let (opener, receiver) = ((Moment::Spoken, opener), (Moment::Spoken, receiver));
    Scene { policies, way: Way::ToTheTab, opener, receiver, fact }.play();
}

macro_rules! every_order {
    ($fact:ident in $module:ident, bound $bound:literal, at least $floor:literal) => {
        mod $module {
            use super::{Fact, Then::*, model, run};

            every_order!(@ $fact, $bound, [
                opener_stays_receiver_stays(Stays, Stays)
                opener_stays_receiver_disconnects(Stays, Disconnects)
                opener_stays_receiver_detaches(Stays, Detaches)
                opener_stays_receiver_drops(Stays, Drops)
                opener_disconnects_receiver_stays(Disconnects, Stays)
                opener_disconnects_receiver_disconnects(Disconnects, Disconnects)
                opener_disconnects_receiver_detaches(Disconnects, Detaches)
                opener_disconnects_receiver_drops(Disconnects, Drops)
                opener_detaches_receiver_stays(Detaches, Stays)
                opener_detaches_receiver_disconnects(Detaches, Disconnects)
                opener_detaches_receiver_detaches(Detaches, Detaches)
                opener_detaches_receiver_drops(Detaches, Drops)
                opener_drops_receiver_stays(Drops, Stays)
                opener_drops_receiver_disconnects(Drops, Disconnects)
                opener_drops_receiver_detaches(Drops, Detaches)
                opener_drops_receiver_drops(Drops, Drops)
            ] $floor);
        }
    };
    (@ $fact:ident, $bound:literal, [$($test:ident($opener:ident, $receiver:ident))*] $floor:literal) => {
        $(
            #[test]
            fn $test() {
                model(Some($bound), $floor, || run($opener, $receiver, Fact::$fact));
            }
        )*
    };
}

every_order!(Nothing in nothing_happens, bound 3, at least 760);
every_order!(TabCloses in the_tab_closes, bound 2, at least 390);
every_order!(FrameNavigates in the_frame_navigates, bound 2, at least 390);
every_order!(ExtensionUnloads in the_extension_is_unloaded, bound 2, at least 1_100);
every_order!(ReceiverHangs in the_receiver_hangs, bound 2, at least 440);
every_order!(OpenerHangs in the_opener_hangs, bound 2, at least 610);

/// The race that a browser has most, a preemption deeper.
mod the_tab_closes_deeper {
    use super::{Fact, Then::*, model, run};

    #[test]
    fn both_stay() {
        model(Some(3), 24_000, || run(Stays, Stays, Fact::TabCloses));
    }

    #[test]
    fn both_disconnect() {
        model(Some(3), 38_000, || run(Disconnects, Disconnects, Fact::TabCloses));
    }
}
