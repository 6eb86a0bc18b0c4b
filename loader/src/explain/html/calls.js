// @ts-check
// Each system call of the load: the bytes of its attr, what each field is, and which bytes of the file it came from.

import { clamp, code, counted, el, fill, hex, hex2, prose, short, steps, virtualList, visible } from './dom.js';
import { attrFields } from './model.js';

const WIDTH = 8;

/** @param {import('./model.js').Model} model @param {ReturnType<typeof import('./store.js').makeStore>} store */
export function callsView(model, store) {
  let chosen = Math.max(0, model.steps.findIndex((/** @type {any} */ step) => step.call === 'BPF_PROG_LOAD'));
  let field = '';
  const detail = el('section', { class: 'card call', 'aria-label': 'the chosen call' });
  const { list, reveal, draw } = virtualList({
    count: model.steps.length, rowHeight: 44, role: 'listbox', className: 'calls', label: 'system calls, in order: up and down choose one',
    row(index) {
      const step = model.steps[index];
      return el('div', { class: `call-row${index === chosen ? ' pinned' : ''}`, role: 'option', id: `c${index}`, 'aria-selected': index === chosen, 'aria-setsize': model.steps.length, 'aria-posinset': index + 1, click: () => choose(index) },
        el('span', { class: 'n' }, step.n), el('span', {}, el('code', {}, step.call), el('span', { class: 'muted' }, ...prose(short(step.why, 90)))));
    },
    key: (event) => {
      const by = steps(event);
      if (by) choose(clamp(chosen + by, 0, model.steps.length - 1));
      return by !== 0;
    },
  });

  /** @param {number} index */
  function choose(index) {
    chosen = index;
    field = '';
    if (model.steps.length) list.setAttribute('aria-activedescendant', `c${index}`);
    reveal(index);
    show();
  }

  function show() {
    const step = model.steps[chosen];
    if (!step) {
      fill(detail, el('p', {}, 'There is no call to make.'));
      return;
    }
    const fields = attrFields(model, step);
    const known = fields.find((each) => each.name === field) ?? fields.find((each) => each.name === 'insns') ?? fields[0];
    const ran = model.run.find((/** @type {any} */ line) => line.kind === 'syscall' && line.call === step.call && line.why === step.why && JSON.stringify(line.attr.map_name ?? line.attr.prog_name ?? '') === JSON.stringify(step.attr.map_name ?? step.attr.prog_name ?? ''));
    fill(detail, 
      el('h2', {}, el('code', {}, `${step.syscall}(${step.call === step.syscall ? '' : step.call})`)),
      el('p', {}, ...prose(step.why), step.size ? ` · ${counted(step.size, 'byte')} of union bpf_attr` : '', ran ? el('span', { class: 'chip' }, `in the run: ${ran.ret}${ran.errno ? ` ${ran.errno}` : ''}`) : null),
      fields.length ? explained(known) : plain(step),
      fields.length ? grid(fields, known) : null,
    );
  }

  /** @param {ReturnType<typeof attrFields>} fields @param {any} known */
  function grid(fields, known) {
    const end = Math.max(...fields.map((each) => each.offset + each.size));
    const cells = [];
    let at = 0;
    const gap = (/** @type {number} */ to) => {
      while (at < to) {
        const size = Math.min(to - at, WIDTH - (at % WIDTH));
        cells.push(cellOf({ offset: at, size }, el('div', { class: 'field gap', 'aria-hidden': 'true' }, '')));
        at += size;
      }
    };
    for (const each of fields) {
      gap(each.offset);
      const button = el('button', { type: 'button', class: `field${each.name === known.name ? ' pinned' : ''}${isZero(each) ? ' zero' : ''}${each.origin ? ' linked' : ''}`, 'aria-pressed': each.name === known.name, 'data-field': each.name,
        click: () => pick(each.name), mouseenter: (/** @type {MouseEvent} */ event) => moved(event) && preview1(each) },
      el('span', { class: 'name' }, each.name), el('span', { class: 'value' }, preview(each)));
      cells.push(cellOf(each, button));
      at = each.offset + each.size;
    }
    gap(Math.ceil(end / WIDTH) * WIDTH);
    const ruler = Array.from({ length: Math.ceil(end / WIDTH) }, (_, index) => {
      const mark = el('span', { class: 'mark', 'aria-hidden': 'true' }, hex2(index * WIDTH));
      mark.style.gridRow = String(index + 1);
      return mark;
    });
    const box = el('div', { class: 'attr', role: 'group', 'aria-label': 'the fields of the attr, 8 bytes a line', mouseleave: () => preview1(known),
      keydown: (/** @type {KeyboardEvent} */ event) => {
        const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        const now = fields.findIndex((each) => each.name === known.name);
        pick(fields[clamp(now + by, 0, fields.length - 1)].name);
      } }, ...ruler, ...cells);
    return box;
  }

  /** @param {any} each */
  const preview1 = (each) => detail.querySelector('.explained')?.replaceWith(explained(each));

  /** Whether the pointer itself moved, and not the fields below it. @param {MouseEvent} event */
  function moved({ clientX, clientY }) {
    const still = clientX === pointer.x && clientY === pointer.y;
    pointer = { x: clientX, y: clientY };
    return !still;
  }
  let pointer = { x: -1, y: -1 };

  /** @param {string} name */
  function pick(name) {
    field = name;
    show();
    /** @type {any} */ (detail.querySelector(`[data-field="${name}"]`))?.focus();
  }

  /** @param {any} each */
  function explained(each) {
    const at = each.origin;
    return el('div', { class: 'explained', 'aria-live': 'polite' },
      el('h3', {}, el('code', {}, each.name), el('span', { class: 'muted' }, ` byte ${each.offset}, ${counted(each.size, 'byte')}`)),
      el('dl', {}, el('dt', {}, 'value'), el('dd', {}, el('code', { class: 'long' }, show1(each))), el('dt', {}, 'comes from'), el('dd', {}, ...prose(each.source || 'the plan'))),
      at ? el('button', { type: 'button', class: 'go', click: () => store.set({ view: 'bytes', byte: at.at }) }, `show ${visible(short(at.what, 40))} in the file, at ${hex(at.at)}`) : null);
  }

  const view = el('div', {},
    el('p', { class: 'lead' }, `The whole load is ${counted(model.steps.length, 'system call')}. Each passes a struct; choose a field to see where its value comes from.`),
    el('div', { class: 'columns calls-columns' }, list, detail));
  store.subscribe((now, before) => {
    if (now.view !== 'calls' || before.view === 'calls') return;
    const hole = model.holes[now.hole];
    const program = model.programs[hole ? hole.program : now.program];
    const index = model.steps.indexOf(program?.step);
    if (index >= 0) chosen = index;
  });
  return {
    view,
    shown() {
      draw(true);
      choose(chosen);
    },
  };
}

/** A field's place in the grid: fields of more than a line take several. @param {{ offset: number, size: number }} place @param {any} element */
function cellOf({ offset, size }, element) {
  const column = (offset % WIDTH) + 2;
  const row = Math.floor(offset / WIDTH) + 1;
  const lines = Math.ceil(((offset % WIDTH) + size) / WIDTH);
  element.style.gridColumn = lines > 1 ? `2 / span ${WIDTH}` : `${column} / span ${size}`;
  element.style.gridRow = lines > 1 && offset % WIDTH ? `${row + 1} / span ${lines - 1}` : `${row} / span ${lines}`;
  if (lines > 1 && offset % WIDTH) element.style.gridRow = `${row + 1} / span ${Math.max(1, lines - 1)}`;
  return element;
}

/** @param {any} each */
const isZero = (each) => each.value === 0;

/** @param {any} each */
function preview(each) {
  if (typeof each.shown === 'string' && each.value === null) return /^[0-9a-f]{16,}$/.test(each.shown) ? '→ bytes' : short(each.shown, 18);
  return each.shown === null ? 'NULL' : String(each.value ?? each.shown);
}

/** @param {any} each */
function show1(each) {
  if (each.shown === null) return 'NULL';
  const text = String(each.shown);
  if (/^[0-9a-f]{64,}$/.test(text)) return `pointer to ${counted(text.length / 2, 'byte')}: ${text.slice(0, 64)}…`;
  return each.value !== null && text !== String(each.value) ? `${text} = ${each.value}` : short(text, 200);
}

/** A call without an attr. @param {any} step */
function plain(step) {
  return el('dl', {}, ...Object.entries(step.attr).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, code(String(value), 120))]));
}
