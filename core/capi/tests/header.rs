//! The header that C reads is made of the source, and is what the source makes now.
//!
//! `WRITE=1 cargo test -p port-core-c --test header` writes it.

use std::path::Path;
use std::{env, fs};

#[test]
fn the_header_is_what_the_source_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let builder = cbindgen::Builder::new().with_config(config);
    let mut text = Vec::new();
    builder.with_src(folder.join("src/lib.rs")).generate().unwrap().write(&mut text);
    let text = String::from_utf8(text).unwrap();
    let path = folder.join("include/port_core.h");
    if env::var_os("WRITE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let stands = fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == text, "{} is stale: run this test with WRITE=1", path.display());
}
