//! A loaded program: what the kernel says of it, and its instructions.

use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::btf::Btf;
use minibpf::btf::value::hex;
use minibpf::kernel::{Program, ProgramInfo};
use minibpf::observe::{fdinfo, stats};
use minibpf::uapi::names;
use minibpf::xlated::{Kallsyms, Line, Records, Xlated, XlatedNames, hex_words, listing, printable};
use serde_json::{Value as Json, json};

use super::beside;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::show;

/// How a program is shown.
#[derive(Args)]
#[command(next_help_heading = "Of a program")]
pub(crate) struct ProgOptions {
    /// Beside it show what this object gave the kernel, and why the verifier changed it
    #[arg(long, value_name = "OBJ")]
    pub(super) object: Option<PathBuf>,
    /// Which program of the object; without it the one whose tag is the kernel's
    #[arg(long, value_name = "NAME", requires = "object")]
    pub(super) program: Option<String>,
    /// Treat the programs of this ELF section as socket filters, whatever its name
    #[arg(long, value_name = "NAME", requires = "object")]
    pub(super) section: Option<String>,
    /// Show the bytes of each instruction
    #[arg(long)]
    pub(super) bytes: bool,
}

impl ProgOptions {
    /// Whether anything is asked for that only a program has.
    pub(super) fn is_given(&self) -> bool {
        self.object.is_some() || self.bytes
    }
}

/// A program, and all that it takes to show it.
pub(super) struct Loaded<'a> {
    pub(super) info: ProgramInfo,
    name: &'a str,
    memory: Option<u64>,
    pub(super) xlated: Xlated,
    pub(super) symbols: Kallsyms,
    /// The types that its records refer to.
    types: Option<Vec<u8>>,
}

/// Shows a loaded program.
pub(crate) fn run(output: &Output, program: &Program, options: &ProgOptions) -> Result<(), Failure> {
    let loaded = Loaded::ask(output, program)?;
    let (btf, lines) = (loaded.btf(), |btf: Option<&Btf<'_>>| loaded.lines(btf));
    let lines = lines(btf.as_ref());
    if let Some(object) = &options.object {
        return beside::run(output, &loaded, &lines, object, options);
    }
    loaded.head(output)?;
    if output.json {
        return lines.iter().try_for_each(|line| output.data(&line.json()));
    }
    lines.iter().flat_map(|line| text(line, options.bytes, output.is_verbose())).try_for_each(|line| output.text(line))
}

/// What the kernel says of a program, without its instructions.
pub(super) fn head(output: &Output, program: &Program) -> Result<(), Failure> {
    Loaded::ask(output, program)?.head(output)
}

impl<'a> Loaded<'a> {
    fn ask(output: &Output, program: &'a Program) -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::Other, error);
        let (info, xlated) = (program.info().map_err(failed)?, program.xlated().map_err(failed)?);
        if xlated.insns.is_empty() {
            return Err(hidden(&info));
        }
        let types = program.btf().unwrap_or_else(|error| {
            output.say(format_args!("{error}: without its types there are no names of functions and no source lines"));
            None
        });
        // Without privileges every address in there is 0; then there are numbers in place of names.
        let symbols = Kallsyms::parse(&String::from_utf8_lossy(&std::fs::read("/proc/kallsyms").unwrap_or_default()));
        Ok(Self { info, name: program.name(), memory: fdinfo::memory(program), xlated, symbols, types })
    }

    pub(super) fn btf(&self) -> Option<Btf<'_>> {
        Btf::parse(self.types.as_ref()?).ok()
    }

    fn lines(&self, btf: Option<&Btf<'_>>) -> Vec<Line> {
        let Xlated { func_info, line_info, .. } = &self.xlated;
        let names = XlatedNames { program: &self.xlated, symbols: &self.symbols };
        listing(&self.xlated.insns, Records { func_info, line_info, btf }, &names)
    }

    /// What the kernel says of it: the first line is bpftool's.
    pub(super) fn head(&self, output: &Output) -> Result<(), Failure> {
        output.data(&self.json())?;
        output.text(self.text())
    }

    fn text(&self) -> String {
        let info = &self.info;
        let gpl = if info.gpl_compatible { "  gpl" } else { "" };
        let mut text = format!(
            "{}: {}  name {}  tag {}{gpl}",
            info.id,
            names::prog_type(info.prog_type),
            printable(self.name),
            hex(&info.tag)
        );
        if info.run_count > 0 {
            text += &format!(" run_time_ns {} run_cnt {}", info.run_time_ns, info.run_count);
        }
        if info.recursion_misses > 0 {
            text += &format!(" recursion_misses {}", info.recursion_misses);
        }
        let loaded_at = stats::loaded_at(info).map(|time| humantime::format_rfc3339_seconds(time).to_string());
        text += &format!("\n\tloaded_at {}  uid {}", loaded_at.as_deref().unwrap_or("?"), info.uid);
        let jited = match info.bytes_jited {
            0 => "not jited".to_owned(),
            bytes => format!("jited {bytes}B"),
        };
        text += &format!("\n\txlated {}B  {jited}", info.bytes_xlated);
        text += &self.memory.map_or_else(String::new, |bytes| format!("  memlock {bytes}B"));
        let maps: Vec<_> = self.xlated.map_ids.iter().map(ToString::to_string).collect();
        if !maps.is_empty() {
            text += &format!("  map_ids {}", maps.join(","));
        }
        let btf = show::btf_id(info).map_or_else(String::new, |id| format!("btf_id {id}  "));
        text + &format!("\n\t{btf}verified_insns {}", info.verified_insns)
    }

    fn json(&self) -> Json {
        let info = &self.info;
        let since_epoch = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
        json!({
            "kind": "program", "id": info.id, "type": names::prog_type(info.prog_type), "name": self.name,
            "tag": hex(&info.tag), "gpl_compatible": info.gpl_compatible, "run_time_ns": info.run_time_ns,
            "run_cnt": info.run_count, "recursion_misses": info.recursion_misses,
            "loaded_at": stats::loaded_at(info).and_then(since_epoch).map(|time| time.as_secs()), "uid": info.uid,
            "bytes_xlated": info.bytes_xlated, "jited": info.bytes_jited > 0, "bytes_jited": info.bytes_jited,
            "bytes_memlock": self.memory, "map_ids": self.xlated.map_ids, "btf_id": show::btf_id(info),
            "verified_insns": info.verified_insns,
        })
    }
}

/// The kernel shows no instructions.
fn hidden(info: &ProgramInfo) -> Failure {
    let what = format!("program {}: the kernel does not show its instructions", info.id);
    let failure = Failure::new(Exit::Privileges, what);
    match info.bytes_xlated {
        0 => failure.hint("that takes CAP_BPF (before Linux 5.8 CAP_SYS_ADMIN)"),
        _ => failure.hint(
            "its constants are blinded (net.core.bpf_jit_harden), and addresses are hidden here: CAP_SYSLOG, kernel.kptr_restrict",
        ),
    }
}

/// An instruction, with what begins there, in bpftool's form.
fn text(line: &Line, bytes: bool, place: bool) -> Vec<String> {
    let mut text: Vec<_> = line.function.iter().map(|function| format!("{}:", printable(function))).collect();
    text.extend(line.source.iter().map(|source| {
        let at = format!(" [file:{} line_num:{} line_col:{}]", printable(&source.file), source.line, source.column);
        format!("; {}{}", printable(&source.text), if place { &at } else { "" })
    }));
    text.push(format!("{:4}: {}", line.at, line.text));
    if bytes {
        text.push(format!("       {}", hex_words(&line.bytes)));
    }
    text
}

/// `count.bpf.o`, for what is said of an object.
pub(super) fn file(path: &Path) -> String {
    printable(&path.display().to_string())
}
