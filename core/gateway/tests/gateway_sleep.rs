//! A gateway does not sleep while it has something to do.
#![cfg(unix)]

mod common;

use common::{Browser, describe_content_script};
use port_core::Listening;
use port_core_gateway::unix::{Gateway, pair};
use port_core_gateway::wire::{Up, VERSION};
use port_core_gateway::{Bounds, Content, ContextNumber, OfExtension, PortNumber};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// So many that their credits do not fit into a socket, and they themselves into one read.
const POSTS: usize = 1_500;

/// What the renderer sends: it connects, and posts.
fn conversation() -> Vec<u8> {
    let (context, port) = (ContextNumber::from_bits(1), PortNumber::from_bits(2));
    let mut bytes = Vec::new();
    let listening = Listening::none();
    for frame in [
        Up::Hello { version: VERSION },
        Up::Attach { context },
        Up::Listen { context, listening },
        Up::ConnectRuntime { context, port, target: OfExtension::own() },
    ] {
        frame.write(&mut bytes);
    }
    for _ in 0..POSTS {
        Up::Post { port, content: Content::from("x") }.write(&mut bytes);
    }
    assert!(bytes.len() < 64 << 10, "{} bytes are more than one read", bytes.len());
    bytes
}

/// Reads what lies in a socket.
fn drain(socket: &mut UnixStream) -> usize {
    socket.set_nonblocking(true).unwrap();
    let (mut read, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match socket.read(&mut buffer) {
            Ok(count) => read += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return read,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn held_work_is_gone_on_with_once_sending_made_room() {
    let browser = Browser::new();
    let place = browser.tab();
    let (_there, _) = browser.background_loop();
    let (ours, theirs) = pair().unwrap();
    let mut renderer = UnixStream::from(theirs);
    let mut gateway = Gateway::new().unwrap();
    // Each call is answered with a credit, and the next one waits until that is sent.
    let bounds = Bounds::default().port_messages(2).messages(2).output_bytes(1);
    let id = gateway.add(&browser.service, ours, bounds).unwrap();
    gateway.host(id).unwrap().grant(describe_content_script(browser.extension, place), b"");
    renderer.write_all(&conversation()).unwrap();
    let mut before = None;
    let waiting = loop {
        assert!(gateway.turn(Some(Duration::ZERO)).unwrap().is_empty());
        let holds = gateway.host(id).unwrap().snapshot();
        // A socket that takes no more, twice in a row.
        if holds.output_bytes > 0 && before == Some(holds) {
            assert!(holds.input_bytes > 0, "the socket took all: {holds:?}");
            break holds.output_bytes;
        }
        before = Some(holds);
    };

    // Now there is room, before the gateway looks again. Nothing else will wake it.
    drain(&mut renderer);
    let over = AtomicBool::new(false);
    let waker = gateway.waker();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                gateway.turn(None).unwrap();
            }
        });
        renderer.set_nonblocking(false).unwrap();
        // As long as it takes to say that it hangs.
        renderer.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // What waited is sent before it sleeps; of what is behind it, one byte will do.
        let came = renderer.read_exact(&mut vec![0; waiting + 1]);
        over.store(true, Ordering::Relaxed);
        waker.wake();
        came.expect("the gateway sleeps with work in its hands");
    });
}
