//! Sets the cfg that puts the core on loom's types, for this crate alone.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(port_core_model)");
    println!("cargo:rustc-cfg=port_core_model");
    println!("cargo:rerun-if-changed=build.rs");
}
