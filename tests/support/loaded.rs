//! Programs in the kernel as bpftool sees them, whoever loaded them: what two loaders must agree on.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use super::bpffs::Bpffs;
use super::bpftool::bpftool;
use super::process::output_of;
use super::{number, text};

/// `BPF_PSEUDO_MAP_FD`, `BPF_PSEUDO_MAP_VALUE`.
const MAP: [u8; 2] = [1, 2];
const LDDW: u8 = 0x18;

/// A loaded program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) tag: String,
    /// The instructions as the verifier rewrote them, a slot in a line. In place of a map's number stands how it was created.
    pub(crate) xlated: String,
    /// What it returns for a packet of zeros.
    pub(crate) returns: i64,
}

/// What is pinned in a directory, by name.
pub(crate) fn pinned_in(fs: &Bpffs, dir: &str) -> Vec<Loaded> {
    let mut maps = HashMap::new();
    let entries = std::fs::read_dir(fs.path(dir)).unwrap().map(|entry| entry.unwrap());
    let programs = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut loaded: Vec<_> = programs.map(|entry| look(&entry.path(), &mut maps)).collect();
    loaded.sort();
    loaded
}

fn look(pin: &Path, maps: &mut HashMap<i32, String>) -> Loaded {
    let pin = pin.to_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let [xlated, packet] = ["xlated", "packet"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    // Ethernet's type says IPv4; test_run wants no less than both headers.
    let mut bytes = [0; 64];
    bytes[12] = 0x08;
    std::fs::write(&packet, bytes).unwrap();
    output_of(Command::new("bpftool").args(["prog", "dump", "xlated", "pinned", pin, "file", &xlated]));
    let program = bpftool(&["prog", "show", "pinned", pin]);
    let run = bpftool(&["prog", "run", "pinned", pin, "data_in", &packet]);
    Loaded {
        name: text(&program, "name").to_owned(),
        tag: text(&program, "tag").to_owned(),
        xlated: without_numbers(&std::fs::read(&xlated).unwrap(), maps),
        returns: number(&run, "retval"),
    }
}

/// Each slot in hex, but for the numbers of maps: those differ from load to load.
fn without_numbers(slots: &[u8], maps: &mut HashMap<i32, String>) -> String {
    let line = |slot: &[u8; 8]| {
        let [code, regs, _, _, imm @ ..] = *slot;
        let id = i32::from_le_bytes(imm);
        let start = format!("{code:02x} {regs:02x}");
        match code {
            LDDW if MAP.contains(&(regs >> 4)) => {
                format!("{start} {}", maps.entry(id).or_insert_with(|| definition(id)))
            }
            _ => format!("{start} {:02x?}", &slot[2..]),
        }
    };
    slots.as_chunks::<8>().0.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How a map was created, but for its name.
fn definition(id: i32) -> String {
    let map = bpftool(&["map", "show", "id", &id.to_string()]);
    let numbers = ["bytes_key", "bytes_value", "max_entries", "flags"].map(|field| number(&map, field));
    format!("{} {numbers:?}", text(&map, "type"))
}

/// What libbpf, through bpftool, makes of an object; the reason if it does not load.
pub(crate) fn by_libbpf(object: &str) -> Result<Vec<Loaded>, String> {
    let fs = Bpffs::mount();
    // The kernel empties a program array whose last pin or descriptor goes, so the maps must stay, too.
    let [programs, maps] = ["programs", "maps"].map(|dir| fs.path(dir));
    let loaded =
        Command::new("bpftool").args(["prog", "loadall", object, &programs, "pinmaps", &maps]).output().unwrap();
    if loaded.status.success() {
        Ok(pinned_in(&fs, "programs"))
    } else {
        Err(String::from_utf8_lossy(&loaded.stderr).into_owned())
    }
}
