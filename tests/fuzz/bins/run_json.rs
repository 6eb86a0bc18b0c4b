#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| minibpf_fuzz::run("run_json", data));
