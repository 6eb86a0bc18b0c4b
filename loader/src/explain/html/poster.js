// @ts-check
// What is printed: the load on two sheets, without anything to click.

import { code, counted, el, hex, prose, short } from './dom.js';

const MOST = { sections: 22, holes: 14, calls: 22 };

/** @param {import('./model.js').Model} model */
export function poster(model) {
  return el('section', { class: 'poster', 'aria-hidden': 'true' },
    el('div', { class: 'sheet' }, el('h1', {}, code(model.data.file.name)),
      ...model.refusals.slice(0, 3).map((refusal) => el('p', {}, el('strong', {}, 'cannot be linked '), refusal.program === null ? '' : code(refusal.program, 32), ' ', ...prose(short(refusal.what, 300)))),
      el('h2', {}, 'The file, and what a loader does with each part'),
      table(['at', 'section', 'bytes', 'what minibpf does with it'], model.sections.filter((/** @type {any} */ section) => section.size > 0).map((/** @type {any} */ section) => [hex(section.file_offset, 4), code(section.name, 24), section.size, prose(short(section.does, 90))]), MOST.sections)),
    el('div', { class: 'sheet' }, el('h2', {}, 'The holes, and what fills them'),
      table(['file offset', 'insn', 'symbol', 'filled with', 'left open'], model.holes.map((hole) => [hole.at < 0 ? '' : hex(hole.at + (hole.patch.takes_fd ? 4 : 0), 4), hole.insn, code(hole.patch.symbol, 22), prose(short(hole.patch.fills, 130)), prose(short(hole.patch.left_open, 120))]), MOST.holes),
      el('h2', {}, 'The system calls'),
      table(['call', 'command', 'why'], model.steps.map((/** @type {any} */ step) => [step.n, code(step.call), prose(short(step.why, 100))]), MOST.calls)));
}

/** @param {string[]} head @param {any[][]} rows @param {number} most */
function table(head, rows, most) {
  const more = rows.length - most;
  return el('table', {}, el('thead', {}, el('tr', {}, ...head.map((name) => el('th', { scope: 'col' }, name)))),
    el('tbody', {}, ...rows.slice(0, most).map((row) => el('tr', {}, ...row.map((cell) => el('td', {}, ...(Array.isArray(cell) ? cell : [cell]))))),
      more > 0 ? el('tr', {}, el('td', { colspan: head.length }, `and ${counted(more, 'more')}`.replace(/mores$/, 'more'))) : null));
}
