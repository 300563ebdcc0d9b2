#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ctrs_fuzz::mirror(data));
