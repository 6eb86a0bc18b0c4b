//! What is no object: the verifier's log, a capture file, the record of a run.

use std::io::Cursor;

use minibpf::elf::Object;
use minibpf::explain::html::{Report, Run};
use minibpf::link::Options;
use minibpf::packet::LARGEST;
use minibpf::packet::capture::Capture;
use minibpf::packet::headers::Headers;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;
use minibpf::verdict;

use super::claims::names_a_place;
use super::objects::page_of;

/// The program that a log is said to be of.
const OBJECT: &[u8] = include_bytes!("../../../../bpf-src/count.bpf.o");

thread_local! {
    static PLAN: Plan = {
        let object = Object::parse(OBJECT).expect("a committed object");
        Plan::new(&Spec::read(&object), &Options::default(), &Target::none()).expect("it can be planned")
    };
}

/// A log of a program that it need not fit.
pub(super) fn verifier_log(data: &[u8]) {
    let log = String::from_utf8_lossy(data);
    PLAN.with(|plan| {
        let program = plan.prog_loads().next().expect("it has a program");
        let explanation = verdict::explain(plan, program, &log);
        let said = explanation.lines().into_iter().map(|(_, text)| text.len()).sum::<usize>();
        assert!(said < (1 << 20) + 16 * data.len(), "{said} bytes about a log of {}", data.len());
    });
}

/// A capture file, to its last record.
pub(super) fn pcap(data: &[u8]) {
    let source = Box::new(Cursor::new(data.to_vec()));
    let capture = match Capture::new("file".to_owned(), source) {
        Ok(capture) => capture,
        Err(bad) => return names_a_place(&format!("{}: {}", bad.place, bad.problem)),
    };
    let mut records = 0;
    for record in capture {
        records += 1;
        match record {
            Ok(packet) => {
                assert!(packet.frame.len() <= LARGEST);
                let _ = Headers::of(&packet.frame).map(|headers| (headers.to_string(), headers.transport().is_some()));
            }
            Err(bad) => names_a_place(&format!("{}: {}", bad.place, bad.problem)),
        }
    }
    // The shortest record that is one has twelve bytes.
    assert!(records <= 2 + data.len() / 12, "{records} records in {} bytes", data.len());
}

/// JSON Lines, and the page of them.
pub(super) fn run_json(data: &[u8]) {
    match Run::read(data, "fuzz.o") {
        Ok(run) => {
            page_of(&Report {
                name: "fuzz.o",
                bytes: &[],
                reading: None,
                refusals: &[],
                run: &run,
                sources: &[],
                hooks: &[],
            });
        }
        Err(error) => names_a_place(&error.to_string()),
    }
}
