// @ts-check
// One run: its calls, packets and maps in order; and what it and the kernel say, beside what this page says.

import { clamp, code, copyable, counted, el, fill, prose, short, steps, virtualList } from './dom.js';
import { byCommand, judged } from './referees.js';

/** @param {import('./model.js').Model} model */
export function runView(model) {
  const lines = model.run;
  let now = Math.max(0, lines.length - 1);
  const detail = el('section', { class: 'card', 'aria-label': 'the chosen moment', 'aria-live': 'polite' });
  const maps = el('section', { class: 'card', 'aria-label': 'descriptors so far' });
  const { list, reveal, draw } = virtualList({
    count: lines.length, rowHeight: 28, role: 'listbox', className: 'moments', label: 'the run: up and down go through it',
    row(index) {
      const line = lines[index];
      return el('div', { class: `moment kind-${line.kind}${index === now ? ' pinned' : ''}${index > now ? ' later' : ''}`, role: 'option', id: `m${index}`, 'aria-selected': index === now, 'aria-setsize': lines.length, 'aria-posinset': index + 1, click: () => choose(index) },
        el('span', { class: 'kind' }, line.kind), el('code', {}, summary(line)));
    },
    key: (event) => {
      const by = steps(event);
      if (by) choose(clamp(now + by, 0, lines.length - 1));
      return by !== 0;
    },
  });
  const scrub = el('input', { type: 'range', id: 'scrub', min: 0, max: Math.max(0, lines.length - 1), value: now });
  scrub.addEventListener('input', () => choose(Number(scrub.value)));

  /** @param {number} index */
  function choose(index) {
    now = index;
    scrub.value = String(index);
    list.setAttribute('aria-activedescendant', `m${index}`);
    reveal(index);
    show();
  }

  function show() {
    const line = lines[now];
    if (!line) return;
    const fields = Object.entries(line).filter((/** @type {[string, any]} */ [name, value]) => !['kind', 'log', 'explanation'].includes(name) && !(name === 'attr' && Object.keys(value).length === 0) && value !== null && value !== '');
    fill(detail, el('h2', { class: 'small' }, `${now + 1} of ${lines.length}: ${line.kind}`), el('dl', {}, ...fields.slice(0, 60).flatMap(([name, value]) => [el('dt', {}, short(name, 40)), el('dd', {}, typeof value === 'object' ? code(JSON.stringify(value), 600) : name === 'why' ? el('span', {}, ...prose(String(value))) : code(String(value), 600))])));
    const opened = lines.slice(0, now + 1).filter((/** @type {any} */ each) => each.kind === 'syscall' && each.ret >= 0 && ['BPF_BTF_LOAD', 'BPF_MAP_CREATE', 'BPF_PROG_LOAD', 'socket'].includes(each.call));
    fill(maps, el('h2', { class: 'small' }, 'open by then'), opened.length ? el('dl', {}, ...opened.slice(-40).flatMap((/** @type {any} */ each) => [el('dt', {}, `fd ${each.ret}`), el('dd', {}, ...prose(each.why))])) : el('p', {}, 'no descriptor yet'));
  }

  const recorded = lines.length
    ? [el('p', { class: 'lead' }, `A recorded run: ${counted(lines.length, 'line')}${model.data.run_left_out ? `, ${model.data.run_left_out} more left out in the middle` : ''}.`),
      el('label', { class: 'scrub', for: 'scrub' }, 'moment ', scrub), el('div', { class: 'columns' }, el('div', { class: 'main' }, list), el('div', { class: 'side' }, detail, maps))]
    : [el('p', { class: 'lead' }, ...prose('No run is recorded in this page. One is made by `minibpf load OBJ --connect HOST:PORT --trace --json > run.json` and shown by `--from run.json`.'))];
  return {
    view: el('div', { class: 'run' }, ...recorded, ...referees(model)),
    shown() {
      draw(true);
      if (lines.length) choose(now);
    },
  };
}

/** A line in a few words. @param {any} line */
function summary(line) {
  const value = (/** @type {any} */ field) => (typeof field === 'string' ? field : JSON.stringify(field));
  switch (line.kind) {
    case 'syscall': return `${line.call}${line.errno ? ` = -1 ${line.errno}` : ` = ${line.ret}`}  ${short(line.why ?? '', 80)}`;
    case 'program': return `${short(line.name ?? '', 40)} ${line.verdict ?? ''} ${line.errno ?? ''}`;
    case 'loaded': return `${short(line.name ?? '', 40)} id ${line.id} tag ${line.tag}`;
    case 'attached': return `${line.hook ?? ''} ${line.peer ?? line.local ?? ''} ${line.when ?? ''}`;
    case 'map': return `${short(line.name ?? '', 40)} ${short(value(line.entries ?? []), 100)}`;
    case 'summary': return `${line.ended ?? ''}, ran ${line.run_cnt ?? '?'} times`;
    case 'insn': return `${line.n ?? ''} ${short(line.text ?? '', 80)}`;
    default: return short(value(line.message ?? line.value ?? line), 120);
  }
}

/**
 * What can be held against one another: this page's numbers and those of the run, of which the tag is the kernel's own.
 * @param {import('./model.js').Model} model
 * @returns {{ what: string, ours: string, theirs: string, who: string }[]}
 */
export function comparisons(model) {
  const rows = [];
  for (const program of model.programs) {
    const said = model.run.find((/** @type {any} */ line) => (line.kind === 'program' || line.kind === 'loaded') && line.name === program.name && line.tag);
    if (!said) continue;
    const tags = [program.facts.tag_sha256, program.facts.tag_sha1];
    rows.push({ what: `tag of ${program.name}`, ours: tags.includes(said.tag) ? said.tag : tags[0] ?? '', theirs: said.tag, who: 'the kernel' });
    rows.push({ what: `slots of ${program.name}`, ours: String(program.text.length), theirs: String(said.insns), who: 'given in the run' });
    for (const map of said.maps ?? []) {
      const own = model.maps.find((/** @type {any} */ each) => each.name === map.name);
      if (!own) continue;
      const shape = (/** @type {any} */ each) => `${each.type}, key ${each.bytes_key}, value ${each.bytes_value}, ${each.max_entries} entries`;
      rows.push({ what: `map ${map.name}`, ours: shape(own), theirs: shape(map), who: 'created in the run' });
    }
  }
  const calls = model.run.filter((/** @type {any} */ line) => line.kind === 'syscall' && ['BPF_BTF_LOAD', 'BPF_MAP_CREATE', 'BPF_MAP_UPDATE_ELEM', 'BPF_MAP_FREEZE', 'BPF_PROG_LOAD'].includes(line.call));
  if (calls.length && !calls.some((/** @type {any} */ call) => call.ret < 0)) {
    const planned = model.steps.filter((/** @type {any} */ step) => step.syscall === 'bpf').map((/** @type {any} */ step) => step.call);
    rows.push({ what: 'calls of the load, in order', ours: planned.join(' '), theirs: calls.slice(0, planned.length).map((/** @type {any} */ call) => call.call).join(' '), who: 'traced in the run' });
  }
  return rows;
}

/** A command that may be copied into a shell: of a run that anybody has written. */
const HARMLESS = /^[\w ./=,+:-]+$/;

/** Rows of one command that are drawn; those that differ come first. */
const MOST_ROWS = 150;

/** @param {import('./model.js').Model} model @returns {Node[]} */
function referees(model) {
  const all = judged(model);
  const rows = comparisons(model);
  const id = model.run.find((/** @type {any} */ line) => Number.isInteger(line.id) && (line.kind === 'program' || line.kind === 'loaded'))?.id;
  const file = /^[\w.+-]+$/.test(model.data.file.name) ? model.data.file.name : 'OBJ';
  const commands = [
    ['sections and records, by readelf', `readelf -SrW ${file}`],
    ['the instructions as compiled, by llvm-objdump', `llvm-objdump -d -r ${file}`],
    ['types and source lines, by bpftool', `bpftool btf dump file ${file}`],
    ['the program in the kernel, by bpftool', `bpftool prog show ${id ? `id ${id}` : `name ${short(model.programs[0]?.facts.name ?? 'NAME', 15)}`}`],
    ['the calls, by strace', `strace -e trace=bpf,setsockopt minibpf check ${file}`],
  ].filter(([, text]) => HARMLESS.test(text));
  return [
    el('h2', {}, 'Do others say the same?'),
    ...(all.length ? [el('p', { class: 'verdicts' }, verdictOf(all)), ...byCommand(all).map(refereeGroup)] : [el('p', { class: 'muted' }, ...prose('What readelf, bpftool and strace say is not recorded in this page: `scripts/referees OBJ > run.json` asks them, and `--from run.json` shows it.'))]),
    ...(rows.length ? [el('h3', {}, 'this page and the run'), resultTable('this page and the run', 'the run', rows.map((row) => ({ what: row.what, ours: row.ours, theirs: row.theirs, who: row.who, result: row.ours === row.theirs ? 'equal' : 'different' })))] : []),
    el('h3', {}, 'ask yourself'),
    ...commands.flatMap(([what, text]) => [el('p', { class: 'command-title' }, what), copyable(text)]),
  ];
}

/** What comes of it, in a sentence. @param {import('./referees.js').Judged[]} all */
function verdictOf(all) {
  const tools = [...new Set(all.map((said) => short(said.tool, 20)))].slice(0, 6).join(', ');
  const count = (/** @type {string} */ result) => all.filter((said) => said.result === result).length;
  const [different, alone] = [count('different'), count('not compared')];
  const verdict = different === 0 ? el('strong', { class: 'equal' }, `✓ ${count('equal') ? 'all that can be compared are equal' : 'none can be compared'}`) : el('strong', { class: 'unequal' }, `✗ ${different} ${different === 1 ? 'is' : 'are'} different`);
  return el('span', {}, `${counted(all.length, 'value')} of ${tools}: `, verdict, alone ? ` (${alone} of which this page says nothing)` : '', '.');
}

/** What one command has said. @param {ReturnType<typeof byCommand>[number]} of @param {number} index */
function refereeGroup({ tool, command, rows }, index) {
  const [differ, others] = [rows.filter((row) => row.result === 'different'), rows.filter((row) => row.result !== 'different')];
  const drawn = [...differ, ...others].slice(0, MOST_ROWS);
  const title = differ.length ? `✗ ${differ.length} of ${counted(rows.length, 'value')} different` : counted(rows.length, 'value');
  return el('details', { class: `referee${differ.length ? ' differs' : ''}`, open: differ.length > 0 || rows.length <= 12 },
    el('summary', {}, el('strong', {}, short(tool, 20)), ` ${title}: `, code(command, 80)),
    HARMLESS.test(command) ? copyable(command) : el('p', { class: 'muted' }, 'This command has letters that mean something to a shell: it is shown, not offered.'),
    resultTable(`what ${short(tool, 20)} says, command ${index + 1}`, short(tool, 20), drawn.map((row) => ({ what: row.what, ours: row.ours, theirs: row.value, who: '', result: row.result }))),
    drawn.length < rows.length ? el('p', { class: 'muted' }, `and ${rows.length - drawn.length} more${differ.length > drawn.length ? '' : ', none of them different'}`) : null);
}

/** @param {string} label @param {string} other @param {{ what: string, ours: string | null, theirs: string, who: string, result: string }[]} rows */
function resultTable(label, other, rows) {
  const mark = (/** @type {string} */ result) => ({ equal: '✓ equal', different: '✗ different' }[result] ?? result);
  return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, el('table', { class: 'referees' },
    el('thead', {}, el('tr', {}, ...['what', 'this page', other, 'result'].map((name) => el('th', { scope: 'col' }, name)))),
    el('tbody', {}, ...rows.map((row) => el('tr', { class: { equal: 'equal', different: 'unequal' }[row.result] ?? '' },
      el('th', { scope: 'row' }, short(row.what, 80)), el('td', {}, row.ours === null ? '–' : code(row.ours, 90)), el('td', {}, code(row.theirs, 90), row.who ? el('span', { class: 'muted' }, ` ${row.who}`) : null), el('td', {}, mark(row.result)))))));
}
