// @ts-check
// The file itself: what each byte of its headers, symbols and records is. Numbers are little-endian; the file is hostile until proved
// otherwise, so every read is within bounds or gives 0.

/** @typedef {{ name: string, link: number, info: number, type: number, offset: number, size: number, entry: number }} Section */
/** @typedef {{ name: string, value: number, size: number, section: number, type: number, at: number }} Symbol_ */

/** @param {Uint8Array} bytes @param {number} at @param {number} size */
export function number(bytes, at, size) {
  let value = 0;
  for (let index = size - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

/** The C string at a place. @param {Uint8Array} bytes @param {number} at */
function string(bytes, at, longest = 20000) {
  if (!(at >= 0 && at < bytes.length)) return '';
  let end = at;
  while (end < bytes.length && bytes[end] !== 0 && end - at < longest) end += 1;
  return new TextDecoder().decode(bytes.subarray(at, end));
}

const HEADER_SIZE = 64;
const SECTION_SIZE = 64;
const SYMBOL_SIZE = 24;

/** Fields: offset, size, name, what it says. @type {[number, number, string, string][]} */
const HEADER = [
  [0, 4, 'e_ident magic', '7f and "ELF": every ELF file begins so'],
  [4, 1, 'e_ident class', '2: 64-bit, as BPF always is'],
  [5, 1, 'e_ident data', '1: little-endian, 2: big-endian'],
  [6, 1, 'e_ident version', '1'],
  [7, 9, 'e_ident padding', 'not used by BPF'],
  [16, 2, 'e_type', '1: relocatable, so there are holes to fill'],
  [18, 2, 'e_machine', '247: BPF'],
  [20, 4, 'e_version', '1'],
  [24, 8, 'e_entry', 'nothing starts here'],
  [32, 8, 'e_phoff', 'no program headers: nothing is mapped as it lies'],
  [40, 8, 'e_shoff', 'where the table of sections begins'],
  [48, 4, 'e_flags', 'the version of the instruction set, where clang says it'],
  [52, 2, 'e_ehsize', 'bytes of this header'],
  [54, 2, 'e_phentsize', 'bytes of a program header'],
  [56, 2, 'e_phnum', 'program headers'],
  [58, 2, 'e_shentsize', 'bytes of an entry of the section table'],
  [60, 2, 'e_shnum', 'sections'],
  [62, 2, 'e_shstrndx', 'the section with the names of sections'],
];

/** @type {[number, number, string, string][]} */
const SECTION = [
  [0, 4, 'sh_name', 'where the name begins in the section of names'],
  [4, 4, 'sh_type', '1 bytes, 2 symbols, 3 names, 8 no bytes in the file, 9 relocation records'],
  [8, 8, 'sh_flags', '1 writable, 2 loaded, 4 instructions'],
  [16, 8, 'sh_addr', '0: not placed yet'],
  [24, 8, 'sh_offset', 'where its bytes begin in the file'],
  [32, 8, 'sh_size', 'how many there are'],
  [40, 4, 'sh_link', 'of symbols: their names; of records: the symbols'],
  [44, 4, 'sh_info', 'of records: the section that they patch'],
  [48, 8, 'sh_addralign', 'alignment, in bytes'],
  [56, 8, 'sh_entsize', 'bytes of an entry'],
];

/** @type {[number, number, string, string][]} */
const SYMBOL = [
  [0, 4, 'st_name', 'where the name begins'],
  [4, 1, 'st_info', 'low half: 1 object, 2 function, 3 section; high half: 0 local, 1 global, 2 weak'],
  [5, 1, 'st_other', 'visibility'],
  [6, 2, 'st_shndx', 'the section that it lies in; 0: not in this file'],
  [8, 8, 'st_value', 'bytes from the start of that section'],
  [16, 8, 'st_size', 'bytes'],
];

/** @type {[number, number, string, string][]} */
const RECORD = [
  [0, 8, 'r_offset', 'where the hole is: bytes from the start of the patched section'],
  [8, 4, 'r_info type', '1 R_BPF_64_64: an lddw, 10 R_BPF_64_32: a call'],
  [12, 4, 'r_info symbol', 'the number of the symbol that fills it'],
];

const INSN = ['code: what the instruction does', 'registers: the low half is dst, the high half is src', 'off: jump distance or memory offset, low byte', 'off, high byte', 'imm, lowest byte', 'imm, second byte', 'imm, third byte', 'imm, highest byte'];

/** @param {Uint8Array} bytes */
export function readElf(bytes) {
  const table = number(bytes, 40, 8);
  const count = Math.min(number(bytes, 60, 2), Math.floor(bytes.length / SECTION_SIZE));
  const raw = [];
  for (let index = 0; index < count; index += 1) {
    const at = table + index * SECTION_SIZE;
    raw.push({ nameAt: number(bytes, at, 4), type: number(bytes, at + 4, 4), offset: number(bytes, at + 24, 8), size: number(bytes, at + 32, 8), link: number(bytes, at + 40, 4), info: number(bytes, at + 44, 4), entry: number(bytes, at + 56, 8) });
  }
  const names = raw[number(bytes, 62, 2)];
  /** @type {Section[]} */
  const sections = raw.map((section) => ({ ...section, name: names ? string(bytes, names.offset + section.nameAt) : '' }));
  const symtab = sections.find((section) => section.type === 2);
  return { bytes, table, sections, symtab, symbols: symtab ? readSymbols(bytes, sections, symtab) : [] };
}

/** @param {Uint8Array} bytes @param {Section[]} sections @param {Section} symtab */
function readSymbols(bytes, sections, symtab) {
  const strings = sections[symtab.link];
  const count = Math.min(Math.floor(symtab.size / SYMBOL_SIZE), Math.floor(bytes.length / SYMBOL_SIZE));
  /** @type {Symbol_[]} */
  const symbols = [];
  for (let index = 0; index < count; index += 1) {
    const at = symtab.offset + index * SYMBOL_SIZE;
    const section = number(bytes, at + 6, 2);
    const own = strings ? string(bytes, strings.offset + number(bytes, at, 4)) : '';
    const name = own || sections[section]?.name || '';
    symbols.push({ name, value: number(bytes, at + 8, 8), size: number(bytes, at + 16, 8), section, type: (bytes[at + 4] ?? 0) & 15, at });
  }
  return symbols;
}

/** The section whose bytes a place of the file belongs to; -1 if none. @param {ReturnType<typeof readElf>} elf @param {number} at */
export function sectionAt(elf, at) {
  return elf.sections.findIndex((section, index) => index > 0 && section.type !== 8 && at >= section.offset && at < section.offset + section.size);
}

/**
 * What a byte is: the part of the file, the entry in it, the field.
 * @param {ReturnType<typeof readElf>} elf
 * @param {number} at
 * @returns {{ part: string, section: number, entry: string, field: string, means: string, start: number, size: number, value: number | null }}
 */
export function describe(elf, at) {
  const { bytes, sections, table } = elf;
  if (at < HEADER_SIZE) return field(bytes, HEADER, 0, at, 'ELF header', -1, '');
  const index = sectionAt(elf, at);
  const section = sections[index];
  if (section) {
    const inside = at - section.offset;
    if (section.type === 2) {
      const entry = Math.floor(inside / SYMBOL_SIZE);
      return field(bytes, SYMBOL, section.offset + entry * SYMBOL_SIZE, at, section.name, index, `symbol ${entry} \`${elf.symbols[entry]?.name ?? ''}\``);
    }
    if (section.type === 9) {
      const entry = Math.floor(inside / 16);
      return field(bytes, RECORD, section.offset + entry * 16, at, section.name, index, `record ${entry}`);
    }
    if (section.type === 3) {
      let start = at;
      while (start > section.offset && bytes[start - 1] !== 0) start -= 1;
      const name = string(bytes, start);
      return { part: section.name, section: index, entry: `name \`${name}\``, field: 'a letter of a name', means: 'names end with a zero byte', start: at, size: 1, value: bytes[at] };
    }
    return { part: section.name, section: index, entry: '', field: '', means: '', start: at, size: 1, value: bytes[at] };
  }
  const entry = Math.floor((at - table) / SECTION_SIZE);
  if (at >= table && entry < sections.length) {
    return field(bytes, SECTION, table + entry * SECTION_SIZE, at, 'section table', -1, `entry ${entry} \`${sections[entry].name}\``);
  }
  return { part: 'padding', section: -1, entry: '', field: '', means: 'between two parts, so that the next is aligned', start: at, size: 1, value: bytes[at] };
}

/** @param {Uint8Array} bytes @param {[number, number, string, string][]} fields @param {number} base @param {number} at @param {string} part @param {number} section @param {string} entry */
function field(bytes, fields, base, at, part, section, entry) {
  const [start, size, name, means] = fields.find(([from, length]) => at - base >= from && at - base < from + length) ?? [at - base, 1, '', ''];
  return { part, section, entry, field: name, means, start: base + start, size, value: size <= 8 ? number(bytes, base + start, size) : null };
}

/** What the byte of an instruction is. @param {number} index from 0 to 7 */
export const insnField = (index) => INSN[index] ?? '';
