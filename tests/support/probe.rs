//! A filter that reports what it sees: the length of each packet and its first bytes.

use super::objects::{Made, compile};
use super::process::{Ran, Running};
use super::{Json, number, text, unhex};

/// Bytes of a packet that are reported.
const BYTES: usize = 32;

/// A packet as the filter saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// skb->len.
    pub(crate) len: u32,
    /// The first bytes; zeros after the end.
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    fn of(event: &Json) -> Self {
        let bytes = unhex(text(event, "bytes"));
        Self { len: u32::from_le_bytes(bytes[..4].try_into().unwrap()), bytes: bytes[4..].to_vec() }
    }

    /// A big-endian number of two bytes, such as a port.
    pub(crate) fn u16_at(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }
}

/// The filter; it returns the global `keep`, and what it is not set to, `skb->len`.
pub(crate) struct Probe(Made);

impl Probe {
    pub(crate) fn new() -> Self {
        Self(compile(&format!(
            "struct seen {{ __u32 len; __u8 bytes[{BYTES}]; }};
             struct {{ __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 16); }} packets SEC(\".maps\");
             const volatile __u32 keep = 0xffffffff;
             SEC(\"socket\") int probe(struct __sk_buff *skb)
             {{
                 struct seen seen = {{ .len = skb->len }};
                 __u32 len = skb->len;
                 if (len > {BYTES})
                     len = {BYTES};
                 barrier_var(len);
                 if (len > 0 && len <= {BYTES})
                     bpf_skb_load_bytes(skb, 0, seen.bytes, len);
                 bpf_ringbuf_output(&packets, &seen, sizeof(seen), 0);
                 return keep;
             }}"
        )))
    }

    pub(crate) fn path(&self) -> String {
        self.0.path()
    }

    /// Arguments of a load of the probe.
    pub(crate) fn args(&self, target: &[&str], keep: u32) -> Vec<String> {
        let keep = format!("keep={keep}");
        let args = ["load", &self.path(), "--json", "--trace", "--set", &keep];
        args.iter().chain(target).map(|arg| (*arg).to_owned()).collect()
    }

    /// Loads it, and waits until it is attached.
    #[track_caller]
    pub(crate) fn watch(&self, target: &[&str], keep: u32) -> (Running, Json) {
        let running = Running::start(self.args(target, keep));
        let attached = running.line("attached");
        (running, attached)
    }
}

/// Keeps everything.
pub(crate) const ALL: u32 = u32::MAX;

/// Ends a load, and returns what the probe saw.
#[track_caller]
pub(crate) fn end(running: Running) -> (Ran, Vec<Seen>) {
    running.interrupt();
    let ran = running.end().expect(0);
    let seen = ran.kind("event").iter().map(Seen::of).collect();
    (ran, seen)
}

/// The socket calls of a load, in order, with what they returned.
pub(crate) fn socket_calls(ran: &Ran) -> Vec<(String, i64)> {
    let calls = ran.kind("syscall").into_iter().filter(|call| call["syscall"] != "bpf");
    let name = |call: &Json| call["attr"]["optname"].as_str().unwrap_or_else(|| text(call, "call")).to_owned();
    calls.map(|call| (name(&call), number(&call, "ret"))).collect()
}
