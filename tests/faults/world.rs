//! What a command under test meets: servers, a socket of somebody else's, a bpffs, objects with names of their own.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use minibpf::sys::filter::{Present, present};
use tempfile::TempDir;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::wait_until_no;
use crate::support::objects::{Made, compile, object};
use crate::support::process::run;

/// One command at a time runs in it; several worlds exist side by side.
pub(crate) struct World {
    /// In which a command pins.
    pub(crate) pins: Bpffs,
    /// In which a program and its maps are pinned already.
    pub(crate) kept: Bpffs,
    /// A socket of another process: ours.
    pub(crate) foreign: UdpSocket,
    /// Answers each TCP connection and closes it.
    pub(crate) tcp: String,
    /// Answers each datagram.
    pub(crate) udp: String,
    /// Maps of several kinds, events, globals.
    pub(crate) rich: Made,
    /// Events by a perf event array.
    pub(crate) perf: Made,
    /// What the kernel must answer: configuration, symbols, types.
    pub(crate) asking: Made,
    /// For what a command writes.
    files: TempDir,
    name: String,
    over: Arc<AtomicBool>,
}

impl World {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("f{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let over = Arc::new(AtomicBool::new(false));
        let world = Self {
            pins: Bpffs::mount(),
            kept: Bpffs::mount(),
            foreign: UdpSocket::bind("127.0.0.1:0").unwrap(),
            tcp: serve_tcp(Arc::clone(&over)),
            udp: serve_udp(Arc::clone(&over)),
            rich: compile(&rich(&name)),
            perf: compile(&perf(&name)),
            asking: compile(&asking(&name)),
            files: TempDir::new().unwrap(),
            name,
            over,
        };
        run(["check", &object("count"), "--pin", &world.kept.path("count")]).expect(0);
        world
    }

    /// `pid:PID:FD` of the socket that is not the command's own.
    pub(crate) fn foreign_at(&self) -> String {
        format!("pid:{}:{}", std::process::id(), self.foreign.as_raw_fd())
    }

    /// A network interface that no other world has.
    pub(crate) fn tap(&self) -> String {
        let short: String = self.name.chars().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect();
        format!("t{short}")
    }

    /// A file to be written; never one of the machine's.
    pub(crate) fn page(&self) -> String {
        self.files.path().join("page.html").to_str().unwrap().to_owned()
    }

    /// What was written.
    pub(crate) fn written(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.files.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The name of a program of its objects.
    pub(crate) fn program(&self, letter: &str) -> String {
        format!("{}{letter}", self.name)
    }

    /// A number that no other world has.
    pub(crate) fn number(&self) -> u16 {
        self.foreign.local_addr().unwrap().port()
    }

    pub(crate) fn filter(&self) -> Present {
        present(&self.foreign).unwrap()
    }

    /// As if nobody had been here.
    pub(crate) fn tidy(&self) {
        if self.filter() != Present::None {
            minibpf::hook::socket::detach(&self.foreign).unwrap();
        }
        self.written().iter().for_each(|path| std::fs::remove_file(path).unwrap());
        let mut left = self.pins.listing();
        left.reverse();
        for path in left.iter().map(|name| self.pins.path(name)) {
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
        }
    }

    /// Programs and maps go a moment after the process that had them. The program array is not asked for: Linux 6.18 never frees one
    /// that somebody opens, as bpftool does to show it, in the moment between its last descriptor's end and its clearing
    /// (`prog_array_map_clear()` takes a reference for work that is queued already).
    #[track_caller]
    pub(crate) fn assert_nothing_loaded(&self) {
        self.tidy();
        for letter in ["p", "q", "r"] {
            wait_until_no("prog", &format!("{}{letter}", self.name));
        }
        for letter in ["m", "e", "c"] {
            wait_until_no("map", &format!("{}{letter}", self.name));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn serve_tcp(over: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let (Ok((mut stream, _)), false) = (listener.accept(), over.load(Ordering::Relaxed)) {
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
                // The client is made to fail: it may say nothing, or be gone.
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello\n");
            });
        }
    });
    address
}

fn serve_udp(over: Arc<AtomicBool>) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while !over.load(Ordering::Relaxed) {
            // A refused answer comes back as an error of the next receive.
            if let Ok((count, peer)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&buffer[..count], peer);
            }
        }
    });
    address
}

fn rich(name: &str) -> String {
    format!(
        "#define __array(FIELD, T) typeof(T) *FIELD[]
         static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
         struct seen {{ __u32 len; }};
         struct {{ __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, __u64); }} {name}m SEC(\".maps\");
         struct {{ __uint(type, 6); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }} {name}c SEC(\".maps\");
         struct {{ __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); }} {name}e SEC(\".maps\");
         const volatile __u32 more = 0;
         __u64 total = 1;
         int {name}p(struct __sk_buff *skb);
         struct {{ __uint(type, 3); __uint(max_entries, 1); __uint(key_size, 4);
                   __array(values, int (struct __sk_buff *)); }} {name}a SEC(\".maps\") = {{ .values = {{ &{name}p }} }};
         SEC(\"socket\") int {name}p(struct __sk_buff *skb) {{ return skb->len; }}
         SEC(\"socket\") int {name}q(struct __sk_buff *skb)
         {{
             __u32 key = 1, zero = 0; __u64 first = 1; struct seen seen = {{ .len = skb->len }};
             __u64 *found = bpf_map_lookup_elem(&{name}m, &key), *here = bpf_map_lookup_elem(&{name}c, &zero);
             if (found) __sync_fetch_and_add(found, 1); else bpf_map_update_elem(&{name}m, &key, &first, BPF_ANY);
             if (here) *here += 1;
             total += 1;
             bpf_ringbuf_output(&{name}e, &seen, sizeof(seen), 0);
             if (more) bpf_tail_call(skb, &{name}a, 0);
             return skb->len;
         }}"
    )
}

fn perf(name: &str) -> String {
    format!(
        "static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) = (void *)25;
         struct {{ __uint(type, 4); __uint(key_size, 4); __uint(value_size, 4); }} {name}e SEC(\".maps\");
         SEC(\"socket\") int {name}r(struct __sk_buff *skb)
         {{
             __u32 len = skb->len;
             bpf_perf_event_output(skb, &{name}e, 0xffffffffULL, &len, sizeof(len));
             return skb->len;
         }}"
    )
}

fn asking(name: &str) -> String {
    format!(
        "struct sk_buff {{ unsigned int len; }} __attribute__((preserve_access_index));
         extern int LINUX_KERNEL_VERSION __attribute__((section(\".kconfig\")));
         extern int CONFIG_HZ __attribute__((section(\".kconfig\"), weak));
         extern const void bpf_prog_free __attribute__((section(\".ksyms\"), weak));
         SEC(\"socket\") int {name}r(struct __sk_buff *skb)
         {{
             return LINUX_KERNEL_VERSION + CONFIG_HZ + (&bpf_prog_free != 0)
                 + __builtin_preserve_field_info(((struct sk_buff *)0)->len, 0);
         }}"
    )
}
