// @ts-check
// What other tools have said of the same file and the same run, held against what this page says. Nothing here touches the document.

import { hex, short } from './dom.js';
import { number } from './elf.js';
import { mapName } from './model.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {{ tool: string, what: string, value: string, command: string }} Said  a value as a tool has it */
/** @typedef {Said & { ours: string | null, result: 'equal' | 'different' | 'not compared' }} Judged  and as this page has it; null if it has nothing of the kind */

/** @param {Model} model @returns {Judged[]} */
export function judged(model) {
  return model.data.referees.map((/** @type {Said} */ said) => {
    const ours = own(model, said);
    return { ...said, ours, result: ours === null ? 'not compared' : ours === said.value ? 'equal' : 'different' };
  });
}

/** What is known of each tool. A map, since a tool's name is anybody's: `constructor` is none. */
const REFEREES = new Map([['readelf', ofFile], ['bpftool', ofKernel], ['strace', ofCall]]);

/** What this page says of the same thing: whatever it does not know has no value here. @param {Model} model @param {Said} said @returns {string | null} */
function own(model, { tool, what, value }) {
  const text = REFEREES.get(tool)?.(model, what, value) ?? null;
  return text === null ? null : String(text);
}

/** `section 3 socket: bytes`, `record 0 of section 4`. @param {Model} model @param {string} what */
function ofFile(model, what) {
  const section = /^section (\d+) (.*): (file offset|bytes)$/s.exec(what);
  if (section) {
    const own = model.sections[Number(section[1])];
    if (!own) return null;
    return section[3] === 'bytes' ? own.size : own.name === section[2] ? hex(own.file_offset) : `${hex(own.file_offset)}, and its name is ${short(own.name)}`;
  }
  const record = /^record (\d+) of section (\d+)$/.exec(what);
  const table = record && model.elf.sections[Number(record[2])];
  if (!record || !table) return null;
  const at = table.offset + Number(record[1]) * 16;
  const used = model.holes.find((hole) => hole.patch.record.from === 'elf' && hole.patch.record.file_offset === at)?.patch.record;
  const symbol = model.elf.symbols[number(model.elf.bytes, at + 12, 4)];
  return used ? `${hex(used.r_offset)} ${used.name}` : symbol ? `${hex(number(model.elf.bytes, at, 8))} ${symbol.name}` : null;
}

/** `program count: tag`, `map 7 ports: max_entries`: numbers that the kernel gave are those that the run has. @param {Model} model @param {string} what @param {string} value */
function ofKernel(model, what, value) {
  const loaded = model.run.filter((/** @type {any} */ line) => line.kind === 'program' || line.kind === 'loaded');
  const program = /^program (.*): (\w+)$/s.exec(what);
  if (program) {
    const said = loaded.find((/** @type {any} */ line) => line.name === program[1]);
    const facts = model.programs.find((each) => each.name === program[1])?.facts;
    switch (program[2]) {
      case 'tag': return facts?.tag_sha256 ? (facts.tag_sha1 === value ? facts.tag_sha1 : facts.tag_sha256) : null;
      case 'name': return simple(model.programs.find((each) => each.name === program[1])?.step.attr.prog_name);
      case 'map_ids': return Array.isArray(said?.map_ids) ? [...said.map_ids].sort((one, other) => one - other).join(' ') : null;
      default: return simple(said?.[program[2]]);
    }
  }
  const map = /^map (\d+)\b.*: (\w+)$/s.exec(what);
  if (!map) return null;
  const said = loaded.flatMap((/** @type {any} */ line) => line.maps ?? []).find((/** @type {any} */ each) => each.id === Number(map[1]));
  const planned = said && model.maps.find((/** @type {any} */ each) => each.name === said.name);
  if (map[2] === 'name') return simple(model.steps.find((/** @type {any} */ step) => said && step.call === 'BPF_MAP_CREATE' && mapName(step) === said.name)?.attr.map_name);
  return simple(planned?.[map[2]] ?? said?.[map[2]]);
}

/** `bpf call 6`, `bpf call 6: insn_cnt`: the sizes are those of the plan, where the call is one of the plan. @param {Model} model @param {string} what */
function ofCall(model, what) {
  const call = /^bpf call (\d+)(?:: (\w+))?$/.exec(what);
  const traced = call && model.run.filter((/** @type {any} */ line) => line.kind === 'syscall' && line.syscall === 'bpf')[Number(call[1]) - 1];
  if (!call || !traced) return null;
  if (!call[2]) return `${traced.call} = ${traced.errno ? `-1 ${traced.errno}` : traced.ret}`;
  const names = (/** @type {any} */ attr) => attr.map_name ?? attr.prog_name ?? '';
  const planned = model.steps.find((/** @type {any} */ step) => step.call === traced.call && step.why === traced.why && names(step.attr) === names(traced.attr));
  return simple(planned?.attr[call[2]] ?? traced.attr[call[2]]);
}

/** @param {any} value */
const simple = (value) => (['string', 'number', 'boolean'].includes(typeof value) ? value : null);

/** Those of one command, in the order in which they were asked. @param {Judged[]} all @returns {{ tool: string, command: string, rows: Judged[] }[]} */
export function byCommand(all) {
  /** @type {Map<string, { tool: string, command: string, rows: Judged[] }>} */
  const groups = new Map();
  for (const said of all) {
    const key = JSON.stringify([said.tool, said.command]);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { tool: said.tool, command: said.command, rows: [] }));
    group.rows.push(said);
  }
  return [...groups.values()];
}
