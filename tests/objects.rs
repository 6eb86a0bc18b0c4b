//! The committed objects, held against readers and disassemblers that are not ours: goblin and llvm-objdump.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in tests a panic is the report")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use goblin::elf::{Elf, section_header, sym};
use minibpf::elf::{Object, RelocRecord, SymbolKind, SymbolPlace};
use minibpf::insn::{Insn, disassemble};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files of `bpf-src` and its folders whose name ends so, and their bytes.
fn sources(end: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folders =
        ["bpf-src", "bpf-src/broken", "bpf-src/programs"].map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let mut paths: Vec<_> = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(end));
    paths.sort();
    assert!(!paths.is_empty(), "no file of bpf-src ends with {end}");
    paths.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

/// What the first of these tools that is installed prints.
fn run(names: [&str; 2], args: &[&OsStr]) -> String {
    for name in names {
        let Ok(output) = Command::new(name).args(args).output() else { continue };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} {args:?} failed: {stderr}");
        return String::from_utf8(output.stdout).unwrap();
    }
    panic!("this test needs {} or {}, and neither is installed", names[0], names[1]);
}

/// `llvm-objdump -d`: section, slot and text of each instruction, without the labels that it adds to jumps.
fn objdump(path: &Path) -> Vec<(String, usize, String)> {
    let args = ["-d".as_ref(), "--no-show-raw-insn".as_ref(), path.as_os_str()];
    let mut section = String::new();
    let mut lines = Vec::new();
    for line in run(["llvm-objdump-14", "llvm-objdump"], &args).lines() {
        if let Some(name) = line.strip_prefix("Disassembly of section ") {
            section = name.trim_end_matches(':').to_owned();
        } else if let Some((slot, text)) = line.split_once(":\t") {
            let Ok(slot) = slot.trim().parse() else { continue };
            let label = text.strip_suffix('>').and_then(|text| text.rsplit_once(" <"));
            lines.push((section.clone(), slot, label.map_or(text, |(text, _)| text).to_owned()));
        }
    }
    assert!(!lines.is_empty(), "llvm-objdump shows no instruction of {}", path.display());
    lines
}

/// The same by minibpf.
fn ours(bytes: &[u8]) -> Vec<(String, usize, String)> {
    let object = Object::parse(bytes).unwrap();
    let code = object.sections.iter().filter(|section| section.is_code);
    let lines = code.flat_map(|section| {
        let lines = disassemble(&Insn::decode_all(section.data)).into_iter();
        lines.map(|(slot, text)| (section.name.to_string(), slot, text))
    });
    lines.collect()
}

/// Bytes that no compiler writes. llvm-objdump has words of its own for `lddw` with src 1, without the second slot's number, and
/// leaves out the line of what is no instruction.
const BY_HAND: [&str; 3] = ["lddw-source.bpf.o", "map-fd.bpf.o", "opcode.bpf.o"];

#[test]
fn the_disassembly_of_every_object_is_llvm_objdumps() {
    for (path, bytes) in sources(".bpf.o") {
        if BY_HAND.iter().any(|name| path.ends_with(name)) {
            let not_theirs =
                |(_, _, text): &(String, usize, String)| text.contains(" = map ") || text.contains("unknown");
            let ours: Vec<_> = ours(&bytes).into_iter().filter(|line| !not_theirs(line)).collect();
            let theirs: Vec<_> = objdump(&path).into_iter().filter(|line| !line.2.starts_with("ld_pseudo")).collect();
            assert_eq!(ours, theirs, "{}", path.display());
        } else {
            assert_eq!(ours(&bytes), objdump(&path), "{}", path.display());
        }
    }
}

#[test]
fn the_disassembly_of_what_clang_generates_for_each_cpu_is_llvm_objdumps() {
    let folder = tempfile::tempdir().unwrap();
    let source = root().join("tests/objects/opcodes.c");
    for cpu in ["v1", "v2", "v3"] {
        let object = folder.path().join(format!("{cpu}.o"));
        let mcpu = format!("-mcpu={cpu}");
        let define = if cpu == "v3" { "-DV3" } else { "-UV3" };
        let mut args: Vec<&OsStr> = ["--target=bpf", &mcpu, define, "-O2", "-c", "-o"].map(OsStr::new).to_vec();
        args.extend([object.as_os_str(), source.as_os_str()]);
        run(["clang-14", "clang"], &args);
        let theirs = objdump(&object);
        assert!(theirs.len() > 200, "{cpu}: only {} instructions", theirs.len());
        for (ours, theirs) in ours(&std::fs::read(&object).unwrap()).iter().zip(&theirs) {
            assert_eq!(ours, theirs, "-mcpu={cpu}");
        }
        assert_eq!(ours(&std::fs::read(&object).unwrap()).len(), theirs.len(), "-mcpu={cpu}");
    }
}

#[test]
fn goblin_finds_the_same_sections() {
    for (path, bytes) in sources(".bpf.o") {
        let (object, elf) = (Object::parse(&bytes).unwrap(), Elf::parse(&bytes).unwrap());
        assert_eq!(object.file_size, bytes.len());
        assert_eq!(object.sections.len(), elf.section_headers.len());
        for (section, header) in object.sections.iter().zip(&elf.section_headers) {
            let place = format!("{}, section {}", path.display(), section.index);
            assert_eq!(Some(section.name.as_ref()), elf.shdr_strtab.get_at(header.sh_name), "{place}");
            assert_eq!((section.file_offset, section.size), (header.sh_offset, header.sh_size), "{place}");
            assert_eq!(section.is_nobits, header.sh_type == section_header::SHT_NOBITS, "{place}");
            assert_eq!(section.is_code, header.is_executable(), "{place}");
            assert_eq!(section.is_alloc, header.is_alloc(), "{place}");
            let range = header.file_range().unwrap_or(0..0);
            assert_eq!(section.data, &bytes[range], "{place}");
        }
    }
}

#[test]
fn goblin_finds_the_same_symbols() {
    for (path, bytes) in sources(".bpf.o") {
        let (object, elf) = (Object::parse(&bytes).unwrap(), Elf::parse(&bytes).unwrap());
        assert_eq!(object.symbols.len(), elf.syms.len());
        for (number, (ours, theirs)) in object.symbols.iter().zip(elf.syms.iter()).enumerate() {
            let place = format!("{}, symbol {number}", path.display());
            assert_eq!(Some(ours.name.as_ref()), elf.strtab.get_at(theirs.st_name), "{place}");
            assert_eq!((ours.value, ours.size), (theirs.st_value, theirs.st_size), "{place}");
            assert_eq!(ours.is_local, theirs.st_bind() == sym::STB_LOCAL, "{place}");
            assert_eq!(ours.is_weak, theirs.st_bind() == sym::STB_WEAK, "{place}");
            let kind = match theirs.st_type() {
                sym::STT_FUNC => SymbolKind::Func,
                sym::STT_OBJECT => SymbolKind::Object,
                sym::STT_SECTION => SymbolKind::Section,
                _ => SymbolKind::Other,
            };
            assert_eq!(ours.kind, kind, "{place}");
            let home = match theirs.st_shndx {
                0 => SymbolPlace::Undefined,
                index => SymbolPlace::Section(index),
            };
            assert_eq!(ours.place, home, "{place}");
        }
    }
}

#[test]
fn goblin_finds_the_same_relocation_records() {
    for (path, bytes) in sources(".bpf.o") {
        let (object, elf) = (Object::parse(&bytes).unwrap(), Elf::parse(&bytes).unwrap());
        let mut theirs: Vec<Vec<RelocRecord>> = vec![Vec::new(); object.sections.len()];
        for (index, records) in &elf.shdr_relocs {
            let patched = elf.section_headers[*index].sh_info as usize;
            theirs[patched].extend(records.iter().map(|record| RelocRecord {
                offset: record.r_offset,
                r_type: record.r_type,
                symbol: record.r_sym,
                addend: record.r_addend,
            }));
        }
        let counts: Vec<_> = object.sections.iter().map(|section| section.reloc_count).collect();
        assert_eq!(counts, theirs.iter().map(Vec::len).collect::<Vec<_>>(), "{}", path.display());
        for (section, theirs) in object.sections.iter().zip(theirs) {
            let kept = if section.is_code || section.is_alloc { theirs } else { Vec::new() };
            assert_eq!(section.relocs, kept, "{}: section {}", path.display(), section.name);
        }
    }
}

#[test]
fn no_object_knows_where_it_was_built() {
    let root = root().canonicalize().unwrap();
    let folders = ["/home", "/root", "/tmp", "/usr", root.to_str().unwrap()];
    for (path, bytes) in sources(".bpf.o") {
        for folder in folders {
            let found = bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
            assert!(!found, "{} contains {folder}", path.display());
        }
    }
}

#[test]
fn every_object_has_its_source_and_every_source_its_object() {
    let stems = |end: &str| -> Vec<String> {
        let name = |path: &Path| path.to_str().unwrap().trim_end_matches(end).to_owned();
        sources(end).iter().map(|(path, _)| name(path)).collect()
    };
    assert_eq!(stems(".bpf.c"), stems(".bpf.o"));
}

#[test]
fn no_sample_is_longer_than_a_screen_and_no_program_than_two() {
    for (path, bytes) in sources(".c").into_iter().chain(sources(".h")) {
        let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
        let most = if path.parent().unwrap().ends_with("programs") { 120 } else { 60 };
        assert!(lines <= most, "{} has {lines} lines, more than {most}", path.display());
    }
}
