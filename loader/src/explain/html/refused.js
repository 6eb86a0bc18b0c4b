// @ts-check
// What cannot be linked: where, why, and how to mend it. The page has then less to show, and says so.

import { code, el, hex, prose, short } from './dom.js';

/** More are not drawn: an object may have thousands of programs. */
const MOST_CARDS = 100;

/**
 * @param {import('./model.js').Model} model
 * @param {(at: number) => void} go  shows a byte of the file
 * @returns {Node[]}
 */
export function refusedCards(model, go) {
  return model.refusals.slice(0, MOST_CARDS).map((refusal) => {
    const at = refusal.file_offset;
    const [file, line, text] = refusal.source ?? ['', 0, ''];
    const where = refusal.section === null ? [] : [
      el('dt', {}, 'where'),
      el('dd', {}, 'section ', code(refusal.section, 40), `, insn ${refusal.insn}`, ...(at === null ? [] : [', ', el('button', { type: 'button', class: 'at', title: 'show it in the file', click: () => go(at) }, hex(at))])),
      ...(line ? [el('dt', {}, 'source'), el('dd', {}, code(`${file}:${line}`, 60), ' ', code(text.trim(), 120))] : []),
    ];
    return el('section', { class: 'card refused unlinked', 'aria-label': 'what cannot be linked' },
      el('h2', {}, ...(refusal.program === null ? ['This object cannot be loaded'] : ['Program ', code(refusal.program, 48), ' cannot be linked'])),
      el('p', {}, ...prose(short(refusal.what, 1000))),
      el('dl', {}, ...where,
        el('dt', {}, 'why'), el('dd', {}, ...prose(refusal.why)),
        ...(refusal.mend ? [el('dt', {}, 'mend'), el('dd', {}, ...prose(refusal.mend))] : [])));
  });
}
