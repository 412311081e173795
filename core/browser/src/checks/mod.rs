//! What holds for every parser of the browser, whatever it is given. A fuzzer makes the
//! inputs (`core/fuzz`); a test replays those that were worth keeping.
//!
//! Where an input is several texts they are separated by zero bytes.
mod command_line;
mod manifest;
mod match_pattern;
mod messages;
mod urls;

pub use command_line::command_line;
pub use manifest::manifest;
pub use match_pattern::match_pattern;
pub use messages::messages;
pub use urls::urls;

/// Takes the texts of an input apart. What is no UTF-8 is replaced, for all texts come
/// from files read as UTF-8, from scripts or from the command line.
fn texts(input: &[u8]) -> Vec<String> {
    input.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}
