//! sni: on packets, on hellos that OpenSSL wrote, and on a TLS server that is running.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::assertions::hold;
use crate::support::netns::python;
use crate::support::objects::program;
use crate::support::process::{Ran, Running, output_of, run};
use crate::support::server::closed_port;
use crate::support::{PATIENCE, number, text, unhex, wait_for};

/// The first message of a client that wants this server, or none by name, as OpenSSL writes it.
fn hello(name: &str) -> Vec<u8> {
    let name = if name.is_empty() { "None".to_owned() } else { format!("'{name}'") };
    let hex = python(&format!(
        "import ssl\ncontext = ssl.create_default_context(); context.check_hostname = False\nout = ssl.MemoryBIO()\n\
         client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname={name})\n\
         try: client.do_handshake()\nexcept ssl.SSLWantReadError: print(out.read().hex())"
    ));
    unhex(hex.trim())
}

/// The same as `minibpf run` takes it.
fn packet(message: &[u8]) -> String {
    message.iter().fold("tcp:443:".to_owned(), |text, byte| text + &format!("\\x{byte:02x}"))
}

/// Adds an extension to a hello: the message, the record and the list of extensions, which is its end, become longer.
fn with_extension(mut hello: Vec<u8>, kind: u16, content: &[u8]) -> Vec<u8> {
    let more = 4 + content.len();
    let session = usize::from(hello[43]);
    let ciphers = usize::from(u16::from_be_bytes([hello[44 + session], hello[45 + session]]));
    let extensions = 44 + session + 2 + ciphers + 1 + usize::from(hello[46 + session + ciphers]);
    for at in [3, 7, extensions] {
        let longer = u16::from_be_bytes([hello[at], hello[at + 1]]) + u16::try_from(more).unwrap();
        hello[at..at + 2].copy_from_slice(&longer.to_be_bytes());
    }
    hello.extend(kind.to_be_bytes());
    hello.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    hello.extend(content);
    hello
}

/// The names that were reported, and whether another one may be hidden.
fn found(ran: &Ran) -> Vec<(String, bool)> {
    let events = ran.kind("event").into_iter();
    events.map(|event| (text(&event["value"], "name").to_owned(), event["value"]["ech"] == true)).collect()
}

/// The global counters: named, unnamed, incomplete.
fn counted(ran: &Ran) -> [i64; 3] {
    let value = ran.map(".bss")["entries"][0]["value"].clone();
    ["named", "unnamed", "incomplete"].map(|counter| number(&value, counter))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn it_finds_names_where_there_are_any_and_believes_no_length() {
    hold("tests/run/programs/sni.sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_name_is_the_one_that_openssl_was_given() {
    let long = ["a"; 4].map(|letter| letter.repeat(60)).join(".");
    let names = ["example.com", "xn--bcher-kva.example", "a.b", &long];
    let hellos = names.map(|name| packet(&hello(name)));
    let args = ["run", &program("sni"), "--program", "sni_packet", "--json", "-v"].map(str::to_owned);
    let ran = run(args.iter().cloned().chain(hellos)).expect(0);
    assert_eq!(found(&ran), names.map(|name| (name.to_owned(), false)));

    let hidden = with_extension(hello("front.example"), 0xfe0d, &[0; 200]);
    let ran = run(args.into_iter().chain([packet(&hidden), packet(&hello(""))])).expect(0);
    assert_eq!(found(&ran), [("front.example".to_owned(), true)]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_truncation_of_a_hello_is_incomplete_until_the_name_is_whole() {
    let whole = hello("www.example.com");
    let end = whole.windows(15).position(|bytes| bytes == b"www.example.com").unwrap() + 15;
    for length in [44, 45, 80, end - 20, end - 15, end - 1, end, end + 3, whole.len() - 1] {
        let (named, incomplete) = if length < end { ("named=0", "incomplete=1") } else { ("named=1", "incomplete=0") };
        let expected = ["--expect-map", named, "--expect-map", incomplete, "--expect-map", "unnamed=0"];
        let args = ["run", &program("sni"), "--program", "sni_packet", &packet(&whole[..length])];
        run(args.into_iter().chain(expected)).expect(0);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_hello_in_two_segments_is_found_if_the_name_is_in_the_first() {
    let whole = hello("www.example.com");
    for (first, expected) in [(100, [0, 0, 1]), (whole.len() - 10, [1, 0, 0])] {
        let args = ["load", &program("sni"), "--program", "sni_socket", "--listen", "127.0.0.1:0", "--json"];
        let running = Running::start(args);
        let attached = running.line("attached");
        let mut client = TcpStream::connect(text(&attached, "local")).unwrap();
        client.set_nodelay(true).unwrap();
        client.write_all(&whole[..first]).unwrap();
        thread::sleep(Duration::from_millis(100));
        client.write_all(&whole[first..]).unwrap();
        thread::sleep(Duration::from_millis(100));
        running.interrupt();
        assert_eq!(counted(&running.end().expect(0)), expected, "{first} bytes in the first segment");
    }
}

/// `openssl s_server` with a certificate of its own.
fn tls_server(dir: &TempDir) -> (Running, String) {
    let [key, certificate] = ["key", "certificate"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    let request =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=any"];
    output_of(Command::new("openssl").args(request).args(["-keyout", &key, "-out", &certificate]));
    let address = closed_port().to_string();
    let serve = ["s_server", "-accept", &address, "-key", &key, "-cert", &certificate, "-quiet"];
    let server = Running::command(Command::new("openssl").args(serve));
    wait_for("openssl s_server", PATIENCE, || TcpStream::connect(&address).ok());
    (server, address)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_the_listener_of_a_tls_server_each_client_is_named_and_served() {
    let dir = tempfile::tempdir().unwrap();
    let (server, address) = tls_server(&dir);
    let attach = format!("pid:{}:tcp:{address}", server.pid());
    let args = ["load", &program("sni"), "--program", "sni_socket", "--attach", &attach, "--json"];
    let running = Running::start(args);
    running.line("attached");
    for (version, name) in [("-tls1_2", "old.example"), ("-tls1_3", "new.example")] {
        let connect = ["s_client", "-connect", &address, "-servername", name, version, "-verify_quiet"];
        let said = output_of(Command::new("openssl").args(connect).stdin(std::process::Stdio::null()));
        assert!(said.contains("SSL handshake has read"), "{said}");
    }
    running.interrupt();
    let ran = running.end().expect(0);
    assert_eq!(found(&ran), [("old.example".to_owned(), false), ("new.example".to_owned(), false)]);
    assert_eq!(counted(&ran), [2, 0, 0]);
}
