//! Plans loads of objects that grow, and says how long each took: reading the file's bytes, understanding them, linking. No kernel is asked.
//!
//! ```text
//! cargo run --release --example bench_plan -- insns|relocs|programs|maps|types COUNT...
//! T insns 1000 ns 23456                                                # a line for each count, on standard error
//! ```

use std::error::Error;
use std::time::Instant;

use minibpf::elf::Object;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;
use object::elf::RelocationType;
use object::write::{self, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

/// Each count is planned so often; the median counts.
const ROUNDS: usize = 5;
/// References of one function: a program has at most a million slots, and each takes two.
const EACH: usize = 1000;
const MOV: [u8; 8] = [0xb7, 0, 0, 0, 0, 0, 0, 0];
const LDDW: [u8; 16] = [0x18, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];
const R_BPF_64_64: RelocationType = RelocationType(1);

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: bench_plan insns|relocs|programs|maps|types COUNT...";
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().ok_or(usage)?;
    for count in arguments {
        let count: usize = count.parse()?;
        let bytes = object_with(&what, count).ok_or(usage)??;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let object = Object::parse(&bytes)?;
            let spec = Spec::read(&object);
            let plan = Plan::new(&spec, &Options::default(), &Target::none())?;
            times.push(begin.elapsed().as_nanos());
            assert!(plan.prog_loads().next().is_some(), "nothing was planned");
        }
        times.sort_unstable();
        eprintln!("T {what} {count} ns {}", times.get(ROUNDS / 2).ok_or("no round")?);
    }
    Ok(())
}

/// An object with so many of one thing.
fn object_with(what: &str, count: usize) -> Option<write::Result<Vec<u8>>> {
    let mut elf = write::Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let socket = section(&mut elf, "socket", SectionKind::Text);
    match what {
        "insns" => drop(function(&mut elf, socket, "p", &[MOV.repeat(count - 1), EXIT.to_vec()].concat())),
        "programs" => {
            for number in 0..count {
                function(&mut elf, socket, &format!("p{number}"), &[MOV, EXIT].concat());
            }
        }
        "relocs" => {
            let data = section(&mut elf, ".data", SectionKind::Data);
            let variable = symbol(&mut elf, data, "variable", SymbolKind::Data, &[0; 8]);
            refer(&mut elf, socket, &vec![variable; count]).ok()?;
        }
        "maps" => {
            let maps = section(&mut elf, "maps", SectionKind::Data);
            // An array of one value of eight bytes.
            let definition: Vec<u8> = [2u32, 4, 8, 1, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
            let all: Vec<_> = (0..count)
                .map(|number| symbol(&mut elf, maps, &format!("m{number}"), SymbolKind::Data, &definition))
                .collect();
            refer(&mut elf, socket, &all).ok()?;
        }
        "types" => {
            function(&mut elf, socket, "p", &[MOV, EXIT].concat());
            let btf = section(&mut elf, ".BTF", SectionKind::Other);
            elf.append_section_data(btf, &types(count), 8);
        }
        _ => return None,
    }
    Some(elf.write())
}

fn section(elf: &mut write::Object<'_>, name: &str, kind: SectionKind) -> SectionId {
    elf.add_section(vec![], name.into(), kind)
}

/// A symbol at the end of a section, with its bytes.
fn symbol(elf: &mut write::Object<'_>, section: SectionId, name: &str, kind: SymbolKind, bytes: &[u8]) -> SymbolId {
    let value = elf.append_section_data(section, bytes, 4);
    let (size, section) = (bytes.len() as u64, SymbolSection::Section(section));
    let (scope, flags) = (SymbolScope::Dynamic, SymbolFlags::None);
    elf.add_symbol(Symbol { name: name.into(), value, size, kind, scope, weak: false, section, flags })
}

fn function(elf: &mut write::Object<'_>, section: SectionId, name: &str, insns: &[u8]) -> u64 {
    let id = symbol(elf, section, name, SymbolKind::Text, insns);
    elf.symbol(id).value
}

/// Programs that refer to each of the symbols.
fn refer(elf: &mut write::Object<'_>, section: SectionId, symbols: &[SymbolId]) -> write::Result<()> {
    for (number, symbols) in symbols.chunks(EACH).enumerate() {
        let insns = [LDDW.repeat(symbols.len()), MOV.to_vec(), EXIT.to_vec()].concat();
        let start = function(elf, section, &format!("p{number}"), &insns);
        for (place, symbol) in symbols.iter().enumerate() {
            let (offset, flags) = (start + (place * LDDW.len()) as u64, RelocationFlags::Elf { r_type: R_BPF_64_64 });
            let reloc = Relocation { offset, symbol: *symbol, addend: 0, flags };
            elf.add_relocation(section, reloc)?;
        }
    }
    Ok(())
}

/// BTF with so many integers.
fn types(count: usize) -> Vec<u8> {
    let mut strings = vec![0];
    let mut types: Vec<u32> = Vec::new();
    for number in 0..count {
        types.extend([strings.len() as u32, 1 << 24, 4, 32]);
        strings.extend(format!("t{number}\0").into_bytes());
    }
    let size = (types.len() * 4) as u32;
    let header = [0x0001_eb9f, 24, 0, size, size, strings.len() as u32];
    header.iter().chain(&types).flat_map(|word| word.to_le_bytes()).chain(strings).collect()
}
