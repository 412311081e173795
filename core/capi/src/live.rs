//! Which handles are alive, in debug builds: to use one that was freed, or to free it twice, aborts there with a
//! word about it. In release builds the two are undefined, as with any pointer of C's.

#[cfg(debug_assertions)]
mod checked {
    use std::collections::HashMap;
    use std::process::abort;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// Handles by address: what each is, and how many references C holds.
    static LIVE: Mutex<Option<HashMap<usize, (&'static str, usize)>>> = Mutex::new(None);

    fn live() -> MutexGuard<'static, Option<HashMap<usize, (&'static str, usize)>>> {
        LIVE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(kind: &str) -> ! {
        eprintln!("port-core: a {kind} is used or freed that is none, or was freed before");
        abort();
    }

    pub(crate) fn made<T>(handle: *const T, kind: &'static str) {
        live().get_or_insert_default().entry(handle.addr()).or_insert((kind, 0)).1 += 1;
    }

    pub(crate) fn check<T>(handle: *const T, kind: &str) {
        let alive =
            live().as_ref().and_then(|live| live.get(&handle.addr())).is_some_and(|one| one.0 == kind);
        if !alive {
            stop(kind);
        }
    }

    pub(crate) fn let_go<T>(handle: *const T, kind: &str) {
        check(handle, kind);
        let mut live = live();
        let live = live.get_or_insert_default();
        if let Some((_, references)) = live.get_mut(&handle.addr()) {
            *references -= 1;
            if *references == 0 {
                live.remove(&handle.addr());
            }
        }
    }
}

#[cfg(not(debug_assertions))]
#[allow(clippy::inline_always, reason = "nothing is left of them")]
mod checked {
    #[inline(always)]
    pub(crate) fn made<T>(_: *const T, _: &'static str) {}
    #[inline(always)]
    pub(crate) fn check<T>(_: *const T, _: &str) {}
    #[inline(always)]
    pub(crate) fn let_go<T>(_: *const T, _: &str) {}
}

pub(crate) use checked::{check, let_go, made};
