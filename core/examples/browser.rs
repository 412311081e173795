//! A headless browser on port-core, which runs real unpacked WebExtensions: the package
//! `port-core-browser`, under the command by which it is known.
//!
//! ```text
//! cargo run --release -p port-core --example browser -- --help
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    port_core_browser::main()
}
