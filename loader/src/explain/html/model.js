// @ts-check
// What the page knows, put together: the file, its programs, their holes, the calls. Nothing here touches the document.

import { describe, insnField, number, readElf } from './elf.js';
import { decode } from './insn.js';

/** @typedef {any} Json */
/** @typedef {{ first: number, count: number, at: number }} Piece */
/** @typedef {{ index: number, program: number, insn: number, slots: number, at: number, map: string, patch: Json }} Hole */
/** @typedef {{ slot: number, file: string, line: number, column: number, text: string }} Line */
/** @typedef {{ index: number, name: string, facts: Json, pieces: Piece[], text: (string | null)[], lines: Line[], holes: Hole[], step: Json }} Program */

/** @typedef {{ program: string | null, section: string | null, insn: number | null, file_offset: number | null, source: [string, number, string] | null, what: string, why: string, mend: string }} Refusal */

/** @param {string} text in hex */
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {string} text in base64 */
function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index += 1) bytes[index] = letters.charCodeAt(index);
  return bytes;
}

/** @param {Json} data */
export function makeModel(data) {
  const elf = readElf(bytesOf(data.file.bytes));
  const of = (/** @type {string} */ kind) => data.facts.filter((/** @type {Json} */ line) => line.kind === kind);
  const sections = of('section');
  const maps = of('mapdef');
  const steps = of('step');
  const programs = readPrograms(data, of('program'));
  const holes = programs.flatMap((program) => program.holes);
  holes.forEach((hole, index) => {
    hole.index = index;
  });
  return { data, elf, sections, maps, steps, programs, holes, refusals: /** @type {Refusal[]} */ (data.refusals), lints: of('lint'), loadsIn: of('loads_in'), run: data.run.map((/** @type {Json} */ line) => (line.attr ? line : { ...line, attr: {} })), hooks: data.hooks };
}

/** @typedef {ReturnType<typeof makeModel>} Model */

/** Patches stand before the step that uses them, and the programs are in the order of their steps. @param {Json} data @param {Json[]} facts @returns {Program[]} */
function readPrograms(data, facts) {
  const loaded = facts.filter((program) => program.insns !== null);
  /** @type {Program[]} */
  const programs = [];
  /** @type {Json[]} */
  let patches = [];
  for (const line of data.facts) {
    if (line.kind === 'patch') patches.push(line);
    if (line.kind !== 'step' || line.call !== 'BPF_PROG_LOAD') continue;
    const index = programs.length;
    const own = data.programs[index];
    const pieces = own.pieces.map((/** @type {number[]} */ [first, count, at]) => ({ first, count, at }));
    const program = {
      index,
      name: own.name,
      facts: loaded.find((each) => each.name === own.name) ?? {},
      pieces,
      text: own.text,
      lines: own.lines.map((/** @type {number[]} */ [slot, file, row, column, text]) => ({ slot, file: own.strings[file], line: row, column, text: own.strings[text] })),
      holes: /** @type {Hole[]} */ ([]),
      step: line,
    };
    program.holes = patches.map((patch) => ({ index: 0, program: index, insn: patch.insn, slots: patch.before.length / 16, at: placeOf(program, patch.insn), map: mapOf(patch), patch }));
    programs.push(program);
    patches = [];
  }
  return programs;
}

/** The map whose descriptor fills a hole. @param {Json} patch */
function mapOf(patch) {
  if (!patch.takes_fd) return '';
  return /descriptor of map `(.*?)`(?:,|$)/s.exec(patch.fills)?.[1] ?? '';
}

/** Where a slot lies in the file; -1 if nowhere. @param {{ pieces: Piece[] }} program @param {number} slot */
export function placeOf(program, slot) {
  const piece = program.pieces.find(({ first, count }) => slot >= first && slot < first + count);
  return piece ? piece.at + (slot - piece.first) * 8 : -1;
}

/** The slot that lies at a byte of the file. @param {Program} program @param {number} at */
export function slotAt(program, at) {
  const piece = program.pieces.find((each) => at >= each.at && at < each.at + each.count * 8);
  return piece ? piece.first + Math.floor((at - piece.at) / 8) : -1;
}

/** A slot as it was compiled. @param {Model} model @param {Program} program @param {number} slot */
export function compiled(model, program, slot) {
  const at = placeOf(program, slot);
  return at < 0 ? null : decode(model.elf.bytes, at);
}

/** The hole that a byte belongs to. @param {Model} model @param {number} at */
export const holeAt = (model, at) => model.holes.find((hole) => hole.at >= 0 && at >= hole.at && at < hole.at + hole.slots * 8);

/** The bytes of a hole with the descriptors that were chosen. @param {Hole} hole @param {Record<string, number>} fds */
export function filled(hole, fds) {
  const bytes = unhex(hole.patch.after);
  if (hole.patch.takes_fd) new DataView(bytes.buffer).setInt32(4, fds[hole.map] ?? 0, true);
  return bytes;
}

/** A whole program as BPF_PROG_LOAD gets it. @param {Model} model @param {Program} program @param {Record<string, number>} fds */
export function patched(model, program, fds) {
  const bytes = new Uint8Array(program.text.length * 8);
  for (const { first, count, at } of program.pieces) bytes.set(model.elf.bytes.subarray(at, at + count * 8).subarray(0, bytes.length - first * 8), first * 8);
  for (const hole of program.holes) bytes.set(filled(hole, fds), hole.insn * 8);
  return bytes;
}

/** The source line of a slot: that of the last record at or before it that has one. @param {Program} program @param {number} slot @returns {Line | null} */
export function lineOf(program, slot) {
  let low = 0;
  let high = program.lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (program.lines[middle].slot <= slot) low = middle + 1;
    else high = middle;
  }
  return program.lines[low - 1] ?? null;
}

/** The descriptors that the maps get: as a run has recorded them, else from 4 on, in the order of the calls. @param {Model} model */
export function descriptors(model) {
  /** @type {Record<string, number>} */
  const fds = {};
  let next = 3;
  for (const step of model.steps) {
    if (step.call !== 'BPF_MAP_CREATE' && step.call !== 'BPF_BTF_LOAD') continue;
    if (step.call === 'BPF_MAP_CREATE') fds[mapName(step)] = next;
    next += 1;
  }
  const calls = model.run.filter((/** @type {Json} */ line) => line.kind === 'syscall' && line.call === 'BPF_MAP_CREATE' && line.ret >= 0);
  for (const call of calls) if (mapName(call) in fds) fds[mapName(call)] = call.ret;
  return fds;
}

/** The map that a call creates, in full; the kernel gets 15 bytes of it. @param {Json} step */
export const mapName = (step) => /^map `(.*?)`/s.exec(step.why)?.[1] ?? step.attr.map_name ?? '';

/**
 * What links a hole to the rest: the record that told of it, the instruction, the symbol, the map, and the field of the system call.
 * @param {Model} model
 * @param {Hole} hole
 * @returns {{ what: string, title: string, at: number, size: number, text: string, view?: string, step?: number }[]}
 */
export function chain(model, hole) {
  const { patch } = hole;
  const { record } = patch;
  const links = [];
  if (record.from === 'elf' && record.file_offset !== null) {
    links.push({ what: 'record', title: `\`${record.section}\`: ${record.r_type_name}`, at: record.file_offset, size: record.bytes.length / 2, text: `r_offset ${record.r_offset} / 8 = slot ${record.r_offset / 8} of its section; symbol ${record.symbol}` });
  } else if (record.from === 'core') {
    links.push({ what: 'record', title: `CO-RE: ${record.kind}`, at: -1, size: 0, text: `type [${record.type_id}], access ${record.access}` });
  } else {
    links.push({ what: 'record', title: 'no record', at: -1, size: 0, text: 'the compiler filled in the distance itself' });
  }
  links.push({ what: 'instruction', title: `insn ${hole.insn}: ${patch.text}`, at: hole.at, size: hole.slots * 8, text: patch.fills });
  const symbol = record.from === 'elf' ? model.elf.symbols[record.symbol] : undefined;
  if (symbol) links.push({ what: 'symbol', title: `${record.symbol}: \`${record.name}\``, at: symbol.at, size: 24, text: `defined at ${record.place}` });
  const map = model.maps.find((/** @type {Json} */ each) => each.name === hole.map);
  if (map) {
    const section = model.sections.find((/** @type {Json} */ each) => each.name === map.section);
    const inFile = section && section.type !== 'NOBITS' && section.file_offset + map.offset < model.elf.bytes.length;
    const step = model.steps.find((/** @type {Json} */ each) => each.call === 'BPF_MAP_CREATE' && mapName(each) === map.name);
    const kind = `${map.type}, key ${map.bytes_key} B, value ${map.bytes_value} B, ${map.max_entries} entries`;
    links.push({ what: 'map', title: `\`${map.name}\``, at: inFile ? section.file_offset + map.offset : -1, size: map.origin === 'data' ? map.bytes_value : 32, text: step ? `${kind}; call ${step.n} creates it and returns the descriptor` : kind, view: 'calls', step: step?.n });
  }
  const program = model.programs[hole.program];
  const offset = hole.insn * 8 + (patch.takes_fd ? 4 : 0);
  links.push({ what: 'bpf_attr', title: `BPF_PROG_LOAD, call ${program.step.n}`, at: -1, size: 0, text: `field insns, byte 8 of the attr, points to the patched copy; there it is byte ${offset}`, view: 'calls', step: program.step.n });
  return links;
}

/** What a byte of the file is, in full. @param {Model} model @param {number} at */
export function byteFacts(model, at) {
  const facts = describe(model.elf, at);
  const section = facts.section >= 0 ? model.sections[facts.section] : null;
  const hole = holeAt(model, at);
  const program = model.programs.find((each) => slotAt(each, at) >= 0);
  const slot = program ? slotAt(program, at) : -1;
  const map = model.maps.find((/** @type {Json} */ each) => section && each.section === section.name && each.offset <= at - section.file_offset && at - section.file_offset < each.offset + Math.max(1, each.origin === 'data' ? each.bytes_value : 32));
  let { field, means, start, size, value } = facts;
  if (program) {
    const index = (at - placeOf(program, slot)) % 8;
    means = insnField(index);
    field = `insn ${slot}, byte ${index}`;
    [start, size] = index === 0 || index === 1 ? [at, 1] : index < 4 ? [at - index + 2, 2] : [at - index + 4, 4];
    value = number(model.elf.bytes, start, size);
  }
  return { ...facts, field, means, start, size, value, does: section?.does ?? '', role: section?.role ?? '', hole, program, slot, map };
}

/**
 * The fields of a call, with where they lie in the attr and which bytes of the file they came from.
 * @param {Model} model
 * @param {Json} step
 */
export function attrFields(model, step) {
  /** @type {[string, number, number][]} */
  const layout = model.data.attr.layouts[step.call] ?? [];
  return layout.filter(([name]) => name in step.attr).map(([name, offset, size]) => {
    const shown = step.attr[name];
    return { name, offset, size, shown, value: numberOf(model, shown), source: step.sources?.[name] ?? '', origin: originOf(model, step, name) };
  });
}

/** @param {Model} model @param {Json} shown @returns {number | null} */
function numberOf(model, shown) {
  if (typeof shown === 'number') return shown;
  if (shown === null) return 0;
  if (typeof shown !== 'string') return null;
  if (/^(0|KERNEL_VERSION\(0, 0, 0\))$/.test(shown)) return 0;
  const parts = shown.split('|').map((name) => model.data.attr.numbers[name]);
  return parts.every((part) => typeof part === 'number') ? parts.reduce((sum, part) => sum + part, 0) : null;
}

/** Where in the file a field's value comes from. @param {Model} model @param {Json} step @param {string} name */
function originOf(model, step, name) {
  const section = (/** @type {string} */ wanted) => {
    const found = model.sections.find((/** @type {Json} */ each) => each.name === wanted && each.size > 0 && each.type !== 'NOBITS');
    return found ? { at: found.file_offset, size: found.size, what: wanted } : null;
  };
  const symbol = (/** @type {string} */ wanted) => {
    const found = model.elf.symbols.find((each) => each.name === wanted);
    return found ? { at: found.at, size: 24, what: `symbol ${wanted}` } : null;
  };
  if (step.call === 'BPF_PROG_LOAD') {
    const program = model.programs.find((each) => each.step === step);
    if (!program) return null;
    if (name === 'insns' || name === 'insn_cnt') return program.pieces[0] ? { at: program.pieces[0].at, size: program.pieces[0].count * 8, what: `section ${program.facts.section ?? ''}` } : null;
    if (name === 'license') return section('license');
    if (name === 'prog_name') return symbol(program.name);
    if (name.startsWith('func_info') || name.startsWith('line_info')) return section('.BTF.ext');
  }
  if (step.call === 'BPF_BTF_LOAD' && (name === 'btf' || name === 'btf_size')) return section('.BTF');
  if (step.call === 'BPF_MAP_CREATE') {
    const map = model.maps.find((/** @type {Json} */ each) => each.name === mapName(step));
    if (!map) return null;
    if (name === 'map_name') return symbol(map.name) ?? section(map.section);
    if (['map_type', 'key_size', 'value_size', 'max_entries', 'map_flags', 'btf_key_type_id', 'btf_value_type_id'].includes(name)) return section(map.origin === 'btf' ? '.BTF' : map.section);
  }
  if (step.call === 'BPF_MAP_UPDATE_ELEM' && name === 'value' && typeof step.attr.map_fd === 'string') return section(step.attr.map_fd.replace(/^map /, ''));
  return null;
}
