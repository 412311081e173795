//! Messages on their way to scripts: those of one turn go into a world by one call, for a call costs more than what it
//! carries.

use crate::world::World;
use std::fmt::Write as _;
use std::rc::Rc;

/// The messages of a turn, by the worlds that hear them.
#[derive(Default)]
pub(crate) struct Batches(Vec<Batch>);

struct Batch {
    world: Rc<World>,
    messages: Vec<(u32, String)>,
}

impl Batches {
    /// Adds a message for a port of a world.
    pub(crate) fn add(&mut self, world: Rc<World>, port: u32, payload: &[u8]) {
        let message = (port, String::from_utf8_lossy(payload).into_owned());
        match self.0.iter_mut().find(|batch| batch.world.key == world.key) {
            Some(batch) => batch.messages.push(message),
            None => self.0.push(Batch { world, messages: vec![message] }),
        }
    }

    /// How many messages one world has at most.
    pub(crate) fn longest(&self) -> usize {
        self.0.iter().map(|batch| batch.messages.len()).max().unwrap_or(0)
    }

    /// Delivers what was added: each world's messages in their order.
    pub(crate) fn deliver(&mut self) {
        for Batch { world, messages } in self.0.drain(..) {
            world.deliver_messages(join(&messages));
        }
    }
}

/// Joins messages behind a JSON array of each one's port and length, as scripts count it. The messages are not joined to
/// JSON: what another process calls a message need not be any, and could pass for others of other ports.
fn join(messages: &[(u32, String)]) -> String {
    let length: usize = messages.iter().map(|(_, message)| message.len()).sum();
    let mut all = String::with_capacity(length + messages.len() * 16);
    for (index, (port, message)) in messages.iter().enumerate() {
        let before = if index == 0 { '[' } else { ',' };
        let _ = write!(all, "{before}{port},{}", message.encode_utf16().count());
    }
    all.push(']');
    all.extend(messages.iter().map(|(_, message)| message.as_str()));
    all
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn lengths_are_as_scripts_count_them() {
        let messages = ["\"é\"", "", "\"𝄞\""].map(str::to_owned);
        let joined = join(&[1, 2, 3].into_iter().zip(messages).collect::<Vec<_>>());
        assert_eq!(joined, "[1,3,2,0,3,4]\"é\"\"𝄞\"");
    }
}
