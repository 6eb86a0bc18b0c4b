//! `minibpf demo`: the whole journey of one filter, told with its own bytes.

mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use clap::Args;
use minibpf::btf::value::hex;
use minibpf::elf::Object;
use minibpf::explain::{self, Descriptors};
use minibpf::insn::Insn;
use minibpf::kernel::{Kernel, Program};
use minibpf::link::Options;

use minibpf::observe::stats::mean_ns;
use minibpf::plan::{Plan, ProgLoad, Step};
use minibpf::spec::Spec;
use minibpf::target::Target;
use minibpf::uapi::names;
use serde_json::json;

use super::contents::Holding;
use super::failure::{Exit, Failure};
use super::output::Output;
use super::show;
use super::signals::Signals;
use super::stats::Stats;
use super::target::opening::Opening;
use super::trace::{Live, Style, Tracer, merged};

/// The built-in object, made from `bpf-src/count.bpf.c`.
const OBJECT: &[u8] = include_bytes!("../../bpf/count.bpf.o");
const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(5);

/// The whole journey: a built-in filter is read, patched, loaded, and attached to a real TCP connection.
///
/// Needs no other file. Without privileges it shows the journey up to the first system call that needs them.
#[derive(Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let object = Object::parse(OBJECT)?;
        let spec = Spec::read(&object);
        let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec))?;
        let program =
            plan.prog_loads().next().ok_or_else(|| Failure::new(Exit::Object, "the filter was not linked"))?;

        let story = Story { output, tracer: Tracer::new(output, Style::Story) };
        story.object(&object, program)?;
        story.maps(&plan)?;
        story.holes(program)?;
        let kernel = story.system_calls(&plan, program)?;
        let not_loaded = || Failure::new(Exit::Other, "the filter was not loaded");
        let loaded = kernel.program(program.id).ok_or_else(not_loaded)?;
        let mut stats = Stats::new(true);
        let connection = story.connection(loaded, &mut stats)?;
        story.traffic(&connection)?;
        story.counted(&kernel, &plan, loaded)
    }
}

/// The teller: text on standard output, or one JSON line an item.
struct Story<'a> {
    output: &'a Output,
    tracer: Tracer<'a>,
}

impl Story<'_> {
    fn title(&self, number: u32, title: &str) -> Result<(), Failure> {
        self.output.text(format_args!("{number}. {title}"))?;
        self.output.data(&json!({ "kind": "stage", "n": number, "title": title }))
    }

    fn line(&self, line: &str) -> Result<(), Failure> {
        self.output.text(format_args!("   {line}"))
    }

    fn object(&self, object: &Object<'_>, program: &ProgLoad) -> Result<(), Failure> {
        self.title(1, "The object: bpf-src/count.bpf.c, as clang compiled it")?;
        let start: Vec<_> = OBJECT.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        self.line(&format!("{}  ELF, 64 bits, e_machine 247 = BPF", start.join(" ")))?;
        for section in object.sections.iter().filter(|section| section.size > 0) {
            let what = match section.name.as_ref() {
                "socket" => format!("the program `{}`: {} slots of 8 bytes", program.name, program.insns.len()),
                ".data" | ".bss" => "globals: they will be the value of a map".to_owned(),
                ".maps" => "a map: all zero, its definition is its type in .BTF".to_owned(),
                "license" => format!("\"{}\"", program.license),
                ".BTF" => "types".to_owned(),
                ".BTF.ext" => "which source line each instruction came from".to_owned(),
                _ => continue,
            };
            let name = format!("[{:2}] {}", section.index, section.name);
            self.line(&format!("{name:<14}{:5} bytes  {what}", section.size))?;
        }
        Ok(())
    }

    fn maps(&self, plan: &Plan) -> Result<(), Failure> {
        self.title(2, "The maps: what the filter remembers lies outside it")?;
        for map in plan.maps() {
            let kind = names::map_type_short(map.attr.map_type);
            let (key, value, max) = (map.attr.key_size, map.attr.value_size, map.attr.max_entries);
            self.line(&format!("{:<6} {kind}, key {key} bytes, value {value} bytes, max_entries {max}", map.name))?;
        }
        Ok(())
    }

    fn holes(&self, program: &ProgLoad) -> Result<(), Failure> {
        self.title(3, "The holes: what clang could not know")?;
        for patch in &program.patches {
            let text = explain::patch_text(program, patch, &program.insns);
            let bytes = spaced(&program.insns, patch.insn);
            self.line(&format!("insn {:2}  {bytes}  {} for `{}`", text.insn, text.text, text.symbol))?;
        }
        Ok(())
    }

    fn system_calls(&self, plan: &Plan, program: &ProgLoad) -> Result<Kernel, Failure> {
        self.title(4, "The system calls (without the fields that are zero)")?;
        let mut kernel = Kernel::default();
        for step in &plan.steps {
            if let Step::ProgLoad(_) = step {
                self.patched(&kernel, program)?;
            }
            if let Some(error) = self.tracer.apply(&mut kernel, step)?.error {
                return Err(error.into());
            }
        }
        if let Some(loaded) = kernel.program(program.id) {
            let info = loaded.info().map_err(|error| Failure::new(Exit::Other, error))?;
            let same = if program.tags().agree_with(info.tag) { "the tag" } else { "NOT the tag" };
            let (id, tag) = (info.id, hex(&info.tag));
            self.line(&format!(
                "accepted: program id {id}, tag {tag}, {same} that minibpf computed over the patched bytes"
            ))?;
        }
        Ok(kernel)
    }

    /// The same slots as in the holes, filled.
    fn patched(&self, kernel: &Kernel, program: &ProgLoad) -> Result<(), Failure> {
        let fd = |id| Live(kernel).map_number(id);
        let resolved = program.resolve(fd);
        for patch in &program.patches {
            let text = explain::patch_text(program, patch, &resolved);
            let (bytes, becomes) = (spaced(&resolved, patch.insn), &text.becomes);
            self.line(&format!("insn {:2}  {bytes}  {becomes}, `{}`", text.insn, text.symbol))?;
            let facts = json!({ "kind": "patch", "program": program.name, "insn": text.insn, "symbol": text.symbol });
            let bytes = json!({ "becomes": text.becomes, "before": text.before, "after": text.after });
            self.output.data(&merged(facts, bytes))?;
        }
        Ok(())
    }

    fn connection(&self, program: &Program, stats: &mut Stats) -> Result<TcpStream, Failure> {
        self.title(5, "The socket: the filter is on it before connect(2)")?;
        let server = server::start()?;
        let mut opening = Opening {
            output: self.output,
            tracer: &self.tracer,
            program,
            lock: false,
            deadline: Instant::now() + PATIENCE,
            signals: &Signals::catch()?,
            stats,
        };
        Ok(opening.tcp_client(&[server], false)?.socket.into())
    }

    fn traffic(&self, stream: &TcpStream) -> Result<(), Failure> {
        self.title(6, "The traffic")?;
        let failed =
            |error: std::io::Error| Failure::new(Exit::Socket, format!("talking to the built-in server: {error}"));
        let mut stream = stream;
        stream.set_nonblocking(false).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(REQUEST.as_bytes()).map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        for line in REQUEST.lines().filter(|line| !line.is_empty()) {
            self.line(&format!("> {line}"))?;
        }
        for line in answer.lines().filter(|line| !line.is_empty()) {
            self.line(&format!("< {line}"))?;
        }
        self.output
            .data(&json!({ "kind": "traffic", "sent": REQUEST.len(), "received": answer.len(), "answer": answer }))
    }

    fn counted(&self, kernel: &Kernel, plan: &Plan, program: &Program) -> Result<(), Failure> {
        self.title(7, "What the filter counted: the packets that came in")?;
        let btf = show::uploaded_btf(plan);
        for (_, map) in kernel.maps() {
            let failed = |error| Failure::new(Exit::Other, format!("reading map `{}`: {error}", map.name()));
            let holding = Holding::read(map, btf.as_ref(), |_| ()).map_err(failed)?;
            for line in holding.lines() {
                self.line(&line)?;
            }
            self.output.data(&holding.json(map.info().ok().map(|info| info.id)))?;
        }
        let info = program.info().map_err(|error| Failure::new(Exit::Other, error))?;
        if let Some(mean) = mean_ns(&info) {
            self.line(&format!("The kernel says: {} runs, {mean} ns each in the mean.", info.run_count))?;
        }
        Ok(())
    }
}

/// The bytes of the two slots of an `lddw`.
fn spaced(insns: &[Insn], at: usize) -> String {
    let slots = insns.iter().skip(at).take(2);
    let slots: Vec<_> = slots.map(|insn| insn.encode().map(|byte| format!("{byte:02x}")).join(" ")).collect();
    slots.join("  ")
}
