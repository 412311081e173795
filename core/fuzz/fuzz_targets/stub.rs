#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| port_core_fuzz::stub(input));
