//! A sandbox that kills on `membarrier`: a service that was told so never makes the call.

#![cfg(target_os = "linux")]

mod common;

use common::*;
use port_core::{Event, MessageService, RuntimeTarget};
use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::task::Waker;
use std::thread;

/// Set for the process that enters the sandbox: whether its service may use asymmetric fences.
const ASYMMETRIC: &str = "PORT_CORE_TEST_ASYMMETRIC_FENCES";

/// Has the kernel kill this process should the thread, or one that it makes from now on, call `membarrier`.
fn forbid_membarrier() {
    let statement = |code: u32, jumps: (u8, u8), k: u32| libc::sock_filter {
        code: code.try_into().unwrap(),
        jt: jumps.0,
        jf: jumps.1,
        k,
    };
    let call = u32::try_from(libc::SYS_membarrier).unwrap();
    let mut filter = [
        // The number of the call is what comes first.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, (0, 0), 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, (0, 1), call),
        statement(libc::BPF_RET | libc::BPF_K, (0, 0), libc::SECCOMP_RET_KILL_PROCESS),
        statement(libc::BPF_RET | libc::BPF_K, (0, 0), libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len().try_into().unwrap(), filter: filter.as_mut_ptr() };
    // SAFETY: the call takes no pointers.
    let bound = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 };
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the program and its filter live until the kernel has copied them.
    let entered = bound && unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) == 0 };
    assert!(entered, "{}", std::io::Error::last_os_error());
}

/// Two threads that ask and answer, and sleep in between.
fn ask_and_answer(service: &MessageService) {
    let browser = Browser::of(service.clone());
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    browser.background(&mut here);
    let page = browser.content_script(&mut there, browser.tab());
    let answering = thread::spawn(move || {
        loop {
            match here.wait() {
                Event::Message { port, payload, .. } => here.post_message(port, &*payload).unwrap(),
                Event::Disconnect { .. } => break,
                _ => {}
            }
        }
    });
    let port = there.connect_runtime(page, &RuntimeTarget::own()).unwrap();
    for _ in 0..100 {
        there.post_message(port, "x").unwrap();
        assert!(matches!(there.wait(), Event::Message { .. }));
    }
    // To say "nothing" is to arm the lanes.
    assert_eq!(there.next_event(), None);
    there.disconnect(port);
    answering.join().unwrap();
}

/// What becomes of a process within the sandbox.
fn in_a_sandbox(asymmetric: bool) -> ExitStatus {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_process_within", "--include-ignored"])
        .env(ASYMMETRIC, asymmetric.to_string())
        .status()
        .unwrap()
}

#[test]
#[ignore = "run by the other test, in a process of its own"]
fn the_process_within() {
    // Run by itself it has nothing to say.
    let Ok(asymmetric) = env::var(ASYMMETRIC) else { return };
    forbid_membarrier();
    let service = MessageService::builder().asymmetric_fences(asymmetric == "true").build();
    ask_and_answer(&service);
    drop(service.event_loop(Waker::noop().clone()));
}

#[test]
fn a_sandbox_that_kills_on_membarrier_is_survived_without_asymmetric_fences() {
    assert_eq!(in_a_sandbox(true).signal(), Some(libc::SIGSYS), "the sandbox does kill");
    assert!(in_a_sandbox(false).success());
}
