//! Where the numbers of an object stand that other numbers depend on: ELF header, section headers, symbols, relocation records, types and their
//! records.

use minibpf::elf::Object;

/// A number in the file: where it begins, and its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) at: usize,
    pub(crate) width: usize,
}

/// The fields of a file, by what they belong to.
pub(crate) fn of(bytes: &[u8]) -> Vec<Vec<Field>> {
    let object = Object::parse(bytes).unwrap();
    let table = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let mut groups = vec![
        records(16, 48, &[2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2]),
        records(table, object.sections.len() * 64, &[4, 4, 8, 8, 8, 8, 4, 4, 8, 8]),
    ];
    for section in &object.sections {
        let (start, size) = (section.file_offset as usize, section.data.len());
        let group = match section.name.as_ref() {
            ".symtab" => records(start, size, &[4, 1, 1, 2, 8, 8]),
            name if name.starts_with(".rel") => records(start, size, &[8, 4, 4]),
            ".BTF" | ".BTF.ext" => records(start, size, &[4]),
            ".maps" => records(start, size, &[8]),
            _ if section.is_code => records(start, size, &[1, 1, 2, 4]),
            _ => continue,
        };
        if !group.is_empty() {
            groups.push(group);
        }
    }
    groups
}

/// The fields of as many records as there are, each of numbers of these widths.
fn records(start: usize, size: usize, widths: &[usize]) -> Vec<Field> {
    let (mut fields, mut at) = (Vec::new(), start);
    while at + widths.iter().sum::<usize>() <= start + size {
        for &width in widths {
            fields.push(Field { at, width });
            at += width;
        }
    }
    fields
}
