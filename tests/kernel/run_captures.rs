//! `minibpf run --pcap`: files as they are, as they break off, and as they are too large to be kept.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use minibpf::packet::LARGEST;
use minibpf::packet::make::make;

use crate::run::{packets, try_on};
use crate::support::objects::object;
use crate::support::process::{MINIBPF, Running, output_of, run_with_input};
use crate::support::{number, text};

/// A pcap file of these frames.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let header = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1].map(u32::to_le_bytes);
    let record = |frame: &Vec<u8>| {
        let length = (frame.len() as u32).to_le_bytes();
        [&[0; 8][..], &length, &length, frame].concat()
    };
    [header.as_flattened(), &frames.iter().flat_map(record).collect::<Vec<u8>>()].concat()
}

fn file_of(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, bytes).unwrap();
    (dir, file)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_capture_is_read_from_a_file_or_standard_input_up_to_where_it_breaks_off() {
    let frames = packets();
    let whole = pcap(&frames);
    let (_dir, file) = file_of(&whole);
    let total = frames.len().to_string();
    let expected = format!("total_packets={total}");
    try_on(&object("count"), &["--pcap", file.to_str().unwrap(), "--expect-map", &expected]).expect(0);
    run_with_input(["run", &object("count"), "--pcap", "-", "--expect-map", &expected], &whole).expect(0);
    try_on(&object("count"), &["--pcap", file.to_str().unwrap(), "--count", "3", "--expect-map", "total_packets=3"])
        .expect(0);

    let cut = &whole[..whole.len() - 1];
    let ran = run_with_input(["run", &object("count"), "--pcap", "-"], cut).expect(1);
    let last = 24 + frames[..frames.len() - 1].iter().map(|frame| 16 + frame.len()).sum::<usize>();
    let why = format!("-: record {} at byte {last}: the file ends in the middle of it", frames.len() - 1);
    assert!(ran.stderr.contains(&why), "{}", ran.stderr);
    assert_eq!(ran.text().lines().count(), frames.len() - 1, "those before it had their turn: {}", ran.text());

    let ran = try_on(&object("count"), &["--pcap", "/nowhere/file"]).expect(1);
    assert!(ran.stderr.contains("/nowhere/file: No such file"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn after_a_record_that_is_nonsense_the_rest_has_its_turn_if_that_is_asked_for() {
    let frames = packets();
    let mut file = pcap(&frames);
    let third = 24 + frames[..2].iter().map(|frame| 16 + frame.len()).sum::<usize>();
    file[third + 8..third + 12].copy_from_slice(&[0xff; 4]);
    let why = format!("-: record 2 at byte {third}: claims 4294967295 bytes");
    let ran = run_with_input(["run", &object("count"), "--pcap", "-"], &file).expect(1);
    assert!(ran.stderr.contains(&why), "{}", ran.stderr);
    let expected = format!("total_packets={}", frames.len() - 1);
    let args = ["run", &object("count"), "--pcap", "-", "--keep-going", "--json", "--expect-map", &expected];
    let ran = run_with_input(args, &file).expect(1);
    let skipped = ran.only("skipped");
    assert_eq!((number(&skipped, "record"), number(&skipped, "offset")), (2, third as i64));
    assert!(text(&skipped, "reason").contains(&why), "{skipped}");
    assert!(text(&ran.only("error"), "message").contains("could not be used"), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_million_packets_stream_in_bounded_memory() {
    let frame = make("udp:53:").unwrap();
    let thousand = vec![frame; 1000];
    let whole = pcap(&thousand);
    let (header, records) = whole.split_at(24);
    // That all of them came is seen from the exit status.
    let mut child = Command::new(MINIBPF)
        .args(["run", &object("count"), "--pcap", "-", "--expect-map", "total_packets=1000000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(header).unwrap();
    for _ in 0..1000 {
        stdin.write_all(records).unwrap();
    }
    // All but the last pipe-full has been read by now.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 32 << 10, "{kilobytes} kB at the most; the packets alone are {} kB", records.len());
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn progress_is_for_a_terminal_alone() {
    let (_dir, file) = file_of(&pcap(&vec![make("icmp").unwrap(); 200_000]));
    let command = format!("{MINIBPF} run {} --pcap {} > /dev/null", object("pass"), file.display());
    let on_terminal = output_of(Command::new("script").args(["-qec", &command, "/dev/null"]));
    assert!(on_terminal.contains(" packets"), "{on_terminal:?}");
    let quiet = format!("{command} -q");
    assert_eq!(output_of(Command::new("script").args(["-qec", &quiet, "/dev/null"])), "");
    let piped = output_of(Command::new("bash").args(["-c", &format!("{command} 2>&1")]));
    assert_eq!(piped, "");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_stream_that_has_nothing_for_now_is_left_at_the_end_of_the_time_or_by_ctrl_c() {
    let whole = pcap(&packets()[..2]);
    // In the middle of the second record, which is not the file's fault then.
    let some = &whole[..whole.len() - 3];
    let mut running = Running::start(["run", &object("pass"), "--pcap", "-", "--json", "--duration", "500ms"]);
    running.send(some);
    running.line("packet");
    let summary = running.end().expect(0).summary();
    assert_eq!((number(&summary, "packets"), text(&summary, "ended")), (1, "duration over"));

    let mut running = Running::start(["run", &object("pass"), "--pcap", "-", "--json"]);
    running.send(some);
    running.line("packet");
    running.interrupt();
    let summary = running.end().expect(0).summary();
    assert_eq!((number(&summary, "packets"), text(&summary, "ended")), (1, "interrupted"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_fifo_is_left_at_the_end_of_the_time_or_by_ctrl_c_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    output_of(Command::new("mkfifo").arg(&fifo));
    let args = ["run", &object("pass"), "--pcap", fifo.to_str().unwrap(), "--json"];
    // Nobody writes to it at all.
    let summary = Running::start(args.iter().chain(&["--duration", "300ms"])).end().expect(0).summary();
    assert_eq!((number(&summary, "packets"), text(&summary, "ended")), (0, "duration over"));

    let running = Running::start(args);
    let mut writer = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    writer.write_all(&pcap(&packets()[..1])).unwrap();
    running.line("packet");
    running.interrupt();
    let summary = running.end().expect(0).summary();
    assert_eq!((number(&summary, "packets"), text(&summary, "ended")), (1, "interrupted"));

    // Its end comes once nobody has it open for writing.
    drop(writer);
    let running = Running::start(args);
    std::fs::write(&fifo, pcap(&packets()[..2])).unwrap();
    let summary = running.end().expect(0).summary();
    assert_eq!((number(&summary, "packets"), text(&summary, "ended")), (2, "input ended"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_search_for_the_next_record_ends_with_the_time() {
    let mut running =
        Running::start(["run", &object("pass"), "--pcap", "-", "--json", "--duration", "1s", "--keep-going"]);
    running.send(&[pcap(&packets()[..1]), vec![0xee; 100_000]].concat());
    running.line("packet");
    running.line("skipped");
    // There might be a record yet: standard input stays open.
    let summary = running.end().summary();
    assert_eq!(text(&summary, "ended"), "duration over");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn files_that_cannot_be_read_are_gone_past_if_that_is_asked_for() {
    let (dir, file) = file_of(&vec![0; LARGEST + 1]);
    let large = format!("@{}", file.display());
    let nowhere = dir.path().join("nowhere");
    let nowhere_data = format!("@{}", nowhere.display());
    let capture = dir.path().join("capture");
    std::fs::write(&capture, pcap(&packets()[..2])).unwrap();
    let (nowhere, capture) = (nowhere.to_str().unwrap(), capture.to_str().unwrap());
    let args = ["--data", &large, "--data", &nowhere_data, "--pcap", nowhere, "--pcap", capture];
    let going_on = [&args[..], &["--keep-going", "--expect-map", "total_packets=2"]].concat();
    let ran = try_on(&object("count"), &going_on).expect(1);
    let skipped: Vec<_> = ran.text().lines().filter(|line| line.contains("skipped: ")).map(str::to_owned).collect();
    assert!(skipped[0].contains(&format!("more than {LARGEST} bytes")), "{skipped:?}");
    assert!(skipped[1].contains("--data @") && skipped[1].contains("No such file"), "{skipped:?}");
    assert!(skipped[2].contains(&format!("--pcap {nowhere}: No such file")), "{skipped:?}");
    assert_eq!(skipped.len(), 3, "{}", ran.text());
    for two in [&args[..2], &args[2..4], &args[4..6]] {
        let ran = try_on(&object("count"), two).expect(1);
        assert!(ran.stderr.contains(two[1].trim_start_matches('@').get(..20).unwrap()), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_capture_that_has_only_the_start_of_a_packet_is_warned_of_once() {
    let frame = make("udp:53:a payload").unwrap();
    let mut file = pcap(&[frame.clone(), frame.clone()]);
    for record in [24, 24 + 16 + frame.len()] {
        file[record + 12..record + 16].copy_from_slice(&1000u32.to_le_bytes());
    }
    let ran = run_with_input(["run", &object("pass"), "--pcap", "-"], &file).expect(0);
    let warning = format!("-: record 0 at byte 24: the capture has {} of 1000 bytes", frame.len());
    assert!(ran.stderr.contains(&warning), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("the capture has").count(), 1);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_capture_without_packets_meets_no_expectation_and_one_given_as_a_name_is_recognised() {
    let empty = pcap(&[]);
    let ran = run_with_input(["run", &object("pass"), "--pcap", "-"], &empty).expect(0);
    assert!(ran.stderr.contains("warning: -: no packets in it"), "{}", ran.stderr);
    let ran = run_with_input(["run", &object("pass"), "--pcap", "-", "--expect", "keep"], &empty).expect(1);
    assert!(ran.stderr.contains("there were no packets"), "{}", ran.stderr);
    let (_dir, file) = file_of(&empty);
    let ran = try_on(&object("pass"), &[file.to_str().unwrap()]).expect(2);
    assert!(ran.stderr.contains("--pcap"), "{}", ran.stderr);
}
