// @ts-check
// Source, instructions and registers side by side: a click in one shows the others, and the arrow keys step.

import { clamp, code, counted, el, fill, hex, hex2, prose, short, steps, virtualList, visible } from './dom.js';
import { target, uses, writer } from './insn.js';
import { stateAfter } from './log.js';
import { compiled, lineOf, placeOf } from './model.js';

const CODE_ROW_HEIGHT = 24;

/**
 * @param {import('./model.js').Model} model
 * @param {ReturnType<typeof import('./store.js').makeStore>} store
 * @param {(program: number) => ReturnType<typeof import('./log.js').readLog> | null} logOf
 */
export function codeView(model, store, logOf) {
  const view = el('div', { class: 'code-view' });
  const state = el('section', { class: 'card state', 'aria-label': 'the pinned instruction', 'aria-live': 'polite' });
  /** @type {{ program: number, slots: number[], insns: any, source: any, lines: any[] } | null} */
  let open = null;

  /** @param {number} index */
  function build(index) {
    const program = model.programs[index];
    const slots = program.text.flatMap((text, slot) => (text === null ? [] : [slot]));
    const lines = sourceLines(model, program);
    const holes = new Map(program.holes.map((hole) => [hole.insn, hole]));
    const insns = virtualList({
      count: slots.length, rowHeight: CODE_ROW_HEIGHT, role: 'listbox', className: 'insns', label: 'instructions: arrow keys step', key: (event) => move(event),
      row(row) {
        const slot = slots[row];
        const hole = holes.get(slot);
        const line = lineOf(program, slot);
        const pinned = store.get().insn;
        const classes = ['insn-row', slot === pinned ? 'pinned' : '', hole ? 'hole' : '', line && samePlace(line, lineOf(program, pinned)) ? 'same' : '', usedBy(program, pinned).includes(slot) ? 'made' : ''];
        return el('div', { class: classes.filter(Boolean).join(' '), role: 'option', id: `i${slot}`, 'aria-selected': slot === pinned, 'aria-setsize': slots.length, 'aria-posinset': row + 1, click: () => choose(slot) },
          heat(slot), el('span', { class: 'n' }, slot), el('code', {}, hole ? hole.patch.text_after : program.text[slot] ?? ''), named(slot), hole ? el('span', { class: 'chip hole' }, short(hole.patch.symbol, 20)) : null);
      },
    });
    const source = virtualList({
      count: lines.length, rowHeight: CODE_ROW_HEIGHT, role: 'listbox', className: 'source', label: 'source lines: arrow keys step from line to line', key: (event) => moveLine(event),
      row(row) {
        const line = lines[row];
        const pinned = isPinned(line);
        const element = el('div', { class: `source-row${pinned ? ' pinned' : ''}${line.first >= 0 ? ' has' : ''}${line.head ? ' head' : ''}${line.differs ? ' differs' : ''}`, role: 'option', id: `l${row}`, 'aria-selected': pinned, 'aria-disabled': line.first < 0, 'aria-setsize': lines.length, 'aria-posinset': row + 1, click: () => line.first >= 0 && choose(line.first) },
          el('span', { class: 'n' }, line.line || ''), el('code', {}, line.text || ' '));
        return element;
      },
    });
    open = { program: index, slots, insns, source, lines };
    const names = model.programs.map((each, number) => el('option', { value: number, selected: number === index }, short(each.name, 40)));
    const choice = el('select', { id: 'program', change: (/** @type {any} */ event) => store.set({ program: Number(event.target.value), insn: 0 }) }, ...names);
    fill(view, 
      el('div', { class: 'bar' }, model.programs.length > 1 ? el('label', { for: 'program' }, 'program ', choice) : el('span', {}, 'program ', code(program.name)),
        el('span', { class: 'muted' }, `${counted(program.text.length, 'slot')}; left and right step, up and down too`),
        el('button', { type: 'button', click: () => step(-1) }, '← step back'), el('button', { type: 'button', click: () => step(1) }, 'step →')),
      el('div', { class: 'triple' },
        el('div', { class: 'pane' }, el('h2', { class: 'small' }, 'source'), source.list, note(model, lines)),
        el('div', { class: 'pane' }, el('h2', { class: 'small' }, 'instructions'), insns.list),
        el('div', { class: 'pane' }, el('h2', { class: 'small' }, 'what this one does'), state)));
  }

  /** @param {number} slot */
  function named(slot) {
    const fields = open && compiled(model, model.programs[open.program], slot);
    const name = fields ? helper(model, fields) : '';
    return name ? el('span', { class: 'muted' }, name) : null;
  }

  /** How often the verifier came by. @param {number} slot */
  function heat(slot) {
    const log = open && logOf(open.program);
    if (!log) return null;
    const visits = log.visits.get(slot) ?? 0;
    return el('span', { class: `heat h${visits === 0 ? 0 : Math.min(4, 1 + Math.floor(Math.log2(visits)))}`, title: `the verifier walked it ${counted(visits, 'time')}` });
  }

  const isPinned = (/** @type {any} */ line) => open !== null && line.line > 0 && samePlace(line, lineOf(model.programs[open.program], store.get().insn));

  /** @param {number} slot */
  function choose(slot) {
    const program = model.programs[store.get().program];
    const hole = program.holes.find((each) => each.insn === slot);
    const at = placeOf(program, slot);
    store.set({ insn: slot, ...(at >= 0 ? { byte: at } : {}), ...(hole ? { hole: hole.index } : {}) });
  }

  /** @param {number} by */
  function step(by) {
    if (!open) return;
    const now = open.slots.findIndex((slot) => slot >= store.get().insn);
    choose(open.slots[clamp(now + by, 0, open.slots.length - 1)]);
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const by = steps(event);
    if (by) step(by);
    return by !== 0;
  }

  /** @param {KeyboardEvent} event */
  function moveLine(event) {
    const by = steps(event);
    if (!by || !open) return false;
    const having = open.lines.filter((line) => line.first >= 0);
    const now = having.findIndex(isPinned);
    const next = having[clamp((now < 0 ? 0 : now) + (Number.isFinite(by) ? Math.sign(by) : by), 0, having.length - 1)];
    if (next) choose(next.first);
    return true;
  }

  function showState() {
    const { program: index, insn } = store.get();
    const program = model.programs[index];
    const fields = compiled(model, program, insn);
    if (!fields) {
      fill(state, el('p', {}, 'Not in the file.'));
      return;
    }
    const hole = program.holes.find((each) => each.insn === insn);
    const at = placeOf(program, insn);
    const { reads, writes } = uses(fields);
    const jump = target(fields, insn);
    const get = (/** @type {number} */ slot) => (program.text[slot] === null ? null : compiled(model, program, slot));
    const made = [...new Set(reads)].filter((register) => register !== 10).map((register) => ({ register, by: writer(get, insn, register) })).filter(({ by }) => by !== null);
    const line = lineOf(program, insn);
    fill(state, 
      el('h3', { class: 'insn-title' }, el('code', {}, hole ? hole.patch.text_after : program.text[insn] ?? '')),
      line && line.text ? el('p', { class: 'muted' }, `line ${line.line}: `, code(line.text.trim(), 120)) : null,
      el('dl', {},
        ...pair('slot', `${insn}, at byte ${hex(at)} of the file`),
        ...pair('bytes', Array.from(model.elf.bytes.subarray(at, at + 8), hex2).join(' ')),
        ...pair('code', hex(fields.code, 2)), ...pair('dst, src', `r${fields.dst}, ${fields.src}`), ...pair('off', String(fields.off)), ...pair('imm', String(fields.imm)),
        ...(helper(model, fields) ? pair('helper', helper(model, fields)) : []),
        ...pair('reads', reads.length ? [...new Set(reads)].sort().map((register) => `r${register}`).join(' ') : 'nothing'),
        ...pair('writes', writes.length ? writes.map((register) => `r${register}`).join(' ') : 'no register'),
        ...(jump === null ? [] : pair('leads to', el('button', { type: 'button', class: 'go', click: () => choose(clamp(jump, 0, program.text.length - 1)) }, `insn ${jump}`)))),
      made.length ? el('p', {}, 'made by: ', ...made.flatMap(({ register, by }) => [el('button', { type: 'button', class: 'go', click: () => choose(/** @type {number} */ (by)) }, `r${register} ← insn ${by}`), ' '])) : null,
      hole ? el('p', { class: 'filled' }, 'filled by the loader: ', ...prose(hole.patch.fills), ' ', el('button', { type: 'button', class: 'go', click: () => store.set({ view: 'bytes', hole: hole.index, byte: Math.max(0, hole.at) }) }, 'see how')) : null,
      ...registers(index, insn));
  }

  /** What the verifier knew of the registers, before and after. @param {number} index @param {number} insn @returns {Node[]} */
  function registers(index, insn) {
    const log = logOf(index);
    if (!log) return [el('p', { class: 'muted' }, ...prose('What the verifier knew of each register here comes from a run: `minibpf check OBJ --verifier-log=2 --raw-log --json > run.json`, then `--from run.json`.'))];
    const path = log.paths.find((each) => each.steps.some((walked) => walked.insn === insn));
    if (!path) return [el('p', { class: 'muted' }, 'The verifier did not walk this instruction.')];
    const at = path.steps.findIndex((walked) => walked.insn === insn);
    const before = stateAfter(path, at - 1);
    const after = { ...before, ...path.steps[at].state };
    const names = Object.keys(after).sort((one, other) => Number(one.startsWith('fp')) - Number(other.startsWith('fp')) || one.localeCompare(other, 'en', { numeric: true }));
    return [el('h3', {}, 'what the verifier knows then'), el('table', { class: 'registers' },
      el('tbody', {}, ...names.map((name) => el('tr', { class: after[name] !== before[name] ? 'changed' : '' },
        el('th', { scope: 'row' }, name), el('td', {}, after[name] !== before[name] && before[name] ? el('del', {}, short(before[name], 60)) : null, after[name] !== before[name] && before[name] ? ' → ' : null, short(after[name], 160))))))];
  }

  /** The slots that made what an instruction reads. @param {import('./model.js').Program} program @param {number} insn @returns {number[]} */
  function usedBy(program, insn) {
    if (memo.insn === insn && memo.program === program.index) return memo.slots;
    const fields = compiled(model, program, insn);
    const get = (/** @type {number} */ slot) => (program.text[slot] === null ? null : compiled(model, program, slot));
    const slots = fields ? uses(fields).reads.map((register) => writer(get, insn, register)).filter((slot) => slot !== null) : [];
    memo = { insn, program: program.index, slots: /** @type {number[]} */ (slots) };
    return memo.slots;
  }
  /** @type {{ insn: number, program: number, slots: number[] }} */
  let memo = { insn: -1, program: -1, slots: [] };

  function show() {
    const { program, insn } = store.get();
    if (!model.programs[program]) {
      fill(view, el('p', {}, 'No program of this object is loaded.'));
      return;
    }
    if (!open || open.program !== program) build(program);
    if (!open) return;
    const row = open.slots.findIndex((slot) => slot >= insn);
    open.insns.list.setAttribute('aria-activedescendant', `i${insn}`);
    open.insns.reveal(Math.max(0, row));
    const line = open.lines.findIndex(isPinned);
    if (line >= 0) {
      open.source.list.setAttribute('aria-activedescendant', `l${line}`);
      open.source.reveal(line);
    } else open.source.draw(true);
    showState();
  }

  store.subscribe((now, before) => {
    if (now.view === 'code' && before.view === 'code' && (now.insn !== before.insn || now.program !== before.program)) show();
  });
  return { view, shown: show };
}

/** The helper that a call names by its number. @param {import('./model.js').Model} model @param {import('./insn.js').Insn} insn */
const helper = (model, { code: kind, src, imm }) => (kind === 0x85 && src === 0 ? model.data.helpers[imm] ?? '' : '');

/** @param {string} name @param {string | Node} value */
const pair = (name, value) => [el('dt', {}, name), el('dd', {}, value)];

/** @param {{ file: string, line: number } | null} one @param {{ file: string, line: number } | null} other */
const samePlace = (one, other) => one !== null && other !== null && one.line === other.line && one.file === other.file;

/**
 * The rows of the source: whole files where the report has them, else the lines that became code.
 * @param {import('./model.js').Model} model
 * @param {import('./model.js').Program} program
 */
export function sourceLines(model, program) {
  /** @type {Map<string, Map<number, { text: string, first: number }>>} */
  const files = new Map();
  for (const { slot, file, line, text } of program.lines) {
    if (!line) continue;
    let lines = files.get(file);
    if (!lines) files.set(file, (lines = new Map()));
    if (!lines.has(line)) lines.set(line, { text, first: slot });
  }
  const rows = [];
  for (const [file, lines] of files) {
    rows.push({ file, line: 0, text: file, first: -1, head: true, differs: false });
    const whole = model.data.sources.find((/** @type {any} */ source) => source.file === file);
    if (whole) {
      whole.text.split('\n').forEach((/** @type {string} */ text, /** @type {number} */ index) => {
        const known = lines.get(index + 1);
        rows.push({ file, line: index + 1, text: text.replace(/\t/g, '    '), first: known ? known.first : -1, head: false, differs: known !== undefined && known.text.trim() !== text.trim() });
      });
      continue;
    }
    let last = 0;
    for (const [line, { text, first }] of [...lines].sort(([one], [other]) => one - other)) {
      if (last && line > last + 1) rows.push({ file, line: 0, text: '⋯', first: -1, head: false, differs: false });
      rows.push({ file, line, text: text.replace(/\t/g, '    '), first, head: false, differs: false });
      last = line;
    }
  }
  return rows;
}

/** @param {import('./model.js').Model} model @param {any[]} lines */
function note(model, lines) {
  if (lines.length === 0) return el('p', { class: 'muted' }, ...prose('The object has no line records: compile with `clang -g`.'));
  if (lines.some((line) => line.differs)) return el('p', { class: 'warning' }, 'Some lines are not those that were compiled: the file has changed since.');
  if (model.data.sources.length === 0) return el('p', { class: 'muted' }, ...prose('The lines that became code, from the object itself. Whole files: `--source DIR`.'));
  return el('p', { class: 'muted' }, visible('Whole files, as they were when the report was made; those that became code stand out.'));
}
