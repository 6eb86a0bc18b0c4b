// @ts-check
// The file byte by byte, and what links a hole to its record, its symbol, its map and the system call.

import { clamp, code, counted, el, fill, hex, hex2, prose, short, svg, virtualList, visible } from './dom.js';
import { sectionAt } from './elf.js';
import { byteFacts, chain, holeAt } from './model.js';
import { refusedCards } from './refused.js';

const HEX_ROW = 16;
const HEX_ROW_HEIGHT = 22;

/** @param {import('./model.js').Model} model @param {ReturnType<typeof import('./store.js').makeStore>} store */
export function atlasView(model, store) {
  const { bytes } = model.elf;
  const rows = Math.ceil(bytes.length / HEX_ROW);
  const marks = new Uint8Array(bytes.length);
  for (const hole of model.holes) if (hole.at >= 0) marks.fill(1, hole.at, hole.at + hole.slots * 8);

  const { list, draw, reveal, offset } = virtualList({
    count: rows, rowHeight: HEX_ROW_HEIGHT, row, role: 'grid', className: 'hex', key, scrolled: arrows,
    label: `the bytes of ${visible(short(model.data.file.name))}: arrow keys move byte by byte`,
  });
  list.setAttribute('aria-colcount', String(HEX_ROW + 1));
  const overlay = svg('svg', { class: 'arrows', 'aria-hidden': 'true' });
  const card = el('section', { class: 'card', 'aria-label': 'the pinned hole' });
  const facts = el('section', { class: 'card byte', 'aria-label': 'the byte under the cursor', 'aria-live': 'polite' });

  const roleOf = (/** @type {number} */ at) => {
    const section = sectionAt(model.elf, at);
    if (section >= 0) return model.sections[section]?.role ?? 'ignored';
    return at < 64 || at >= model.elf.table ? 'headers' : 'ignored';
  };

  /** The bytes that the pinned chain goes through: class by first byte. */
  function links() {
    const hole = model.holes[store.get().hole];
    return hole ? chain(model, hole).filter((link) => link.at >= 0 && link.at < bytes.length) : [];
  }

  /** @param {number} index */
  function row(index) {
    const { byte, hole } = store.get();
    const linked = links();
    const element = el('div', { class: 'row', role: 'row', 'aria-rowindex': index + 1 }, el('span', { class: 'offset', role: 'rowheader' }, hex(index * HEX_ROW, 4)));
    let ascii = '';
    for (let column = 0; column < HEX_ROW; column += 1) {
      const at = index * HEX_ROW + column;
      if (at >= bytes.length) break;
      const link = linked.find((each) => at >= each.at && at < each.at + each.size);
      const pinned = model.holes[hole];
      const taken = pinned && pinned.patch.takes_fd && at >= pinned.at + 4 && at < pinned.at + 8;
      const classes = ['b', `role-${roleOf(at)}`, marks[at] ? 'hole' : '', link ? `link-${link.what}` : '', taken ? 'taken' : '', at === byte ? 'cursor' : '', bytes[at] === 0 ? 'zero' : ''];
      element.append(el('span', { class: classes.filter(Boolean).join(' '), role: 'gridcell', id: `b${at}`, 'data-at': at, 'aria-selected': at === byte }, hex2(bytes[at])));
      ascii += bytes[at] >= 0x20 && bytes[at] < 0x7f ? String.fromCharCode(bytes[at]) : '·';
    }
    element.append(el('span', { class: 'ascii', role: 'gridcell', 'aria-label': 'the same as letters' }, ascii));
    return element;
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: HEX_ROW, ArrowUp: -HEX_ROW, PageDown: HEX_ROW * 16, PageUp: -HEX_ROW * 16, Home: -Infinity, End: Infinity };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (event.key === 'Enter' || event.key === ' ') pin(store.get().byte);
    else if (move === undefined) return false;
    else store.set({ byte: clamp(store.get().byte + move, 0, bytes.length - 1) });
    return true;
  }

  /** @param {number} at */
  function pin(at) {
    const hole = holeAt(model, at) ?? model.holes.find((each) => chain(model, each).some((link) => link.what === 'record' && link.at >= 0 && at >= link.at && at < link.at + link.size));
    const change = { byte: at };
    if (hole) Object.assign(change, { hole: hole.index, program: hole.program, insn: hole.insn });
    store.set(change);
  }

  list.addEventListener('click', (/** @type {any} */ event) => {
    const cell = event.target.closest('[data-at]');
    if (cell) pin(Number(cell.dataset.at));
  });
  list.addEventListener('mouseover', (/** @type {any} */ event) => {
    const cell = event.target.closest('[data-at]');
    if (cell) showByte(Number(cell.dataset.at));
  });
  list.addEventListener('mouseleave', () => showByte(store.get().byte));

  /** Lines from each link of the chain to the next, in the margin. */
  function arrows() {
    const linked = links();
    const parts = [];
    const ascii = /** @type {HTMLElement | null} */ (list.querySelector('.ascii'));
    if (ascii && ascii.offsetParent && list.clientHeight) {
      const left = ascii.offsetLeft + ascii.offsetWidth + 6;
      const y = (/** @type {{ at: number, size: number }} */ link) => clamp(Math.floor(link.at / HEX_ROW) * HEX_ROW_HEIGHT - offset() + HEX_ROW_HEIGHT / 2, -30, list.clientHeight + 30);
      linked.slice(0, -1).forEach((link, index) => {
        const next = linked[index + 1];
        const [from, to] = [y(link), y(next)];
        const lane = left + 14 + index * 12;
        const end = left + 2;
        const to2 = to + (index + 1 < linked.length - 1 ? -4 : 0);
        parts.push(svg('path', { class: `arrow to-${next.what}`, d: `M${left} ${from + 4} H${lane - 5} Q${lane} ${from + 4} ${lane} ${from + 4 + 5 * Math.sign(to2 - from - 4)} V${to2 - 5 * Math.sign(to2 - from - 4)} Q${lane} ${to2} ${lane - 5} ${to2} H${end + 5}` }));
        parts.push(svg('path', { class: `head to-${next.what}`, d: `M${end} ${to2} l7 -4 v8 z` }));
      });
    }
    fill(overlay, ...parts);
  }

  /** @param {number} at */
  function showByte(at) {
    const about = byteFacts(model, at);
    const value = about.value === null ? '' : `${hex(about.value)}${about.value > 9 ? ` = ${about.value.toLocaleString('en')}` : ''}`;
    const rest = [
      ['part', about.part], ['entry', about.entry], ['field', about.field], ['value', value], ['means', about.means],
      ['map', about.map ? `\`${about.map.name}\`, ${about.map.type}: ${about.map.why}` : ''], ['loader', about.does],
    ].filter(([, text]) => text);
    fill(facts, 
      el('h3', {}, `byte ${hex(at)}`, el('span', { class: `chip role-${roleOf(at)}` }, short(about.part || 'padding', 24))),
      el('dl', {}, ...rest.flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, ...prose(text))])),
      about.program ? el('button', { type: 'button', class: 'go', click: () => store.set({ view: 'code', program: about.program?.index ?? 0, insn: about.slot }) }, `see insn ${about.slot} beside its source`) : null,
    );
  }

  function showHole() {
    const hole = model.holes[store.get().hole];
    if (!hole) {
      fill(card, el('h2', {}, model.programs.length ? 'No hole to fill' : 'No hole is known'), el('p', {}, model.programs.length
        ? 'This object asks for nothing that only a loader knows: its instructions go to the kernel as they are.'
        : 'No program could be linked, so what would be filled in is not known.'));
      return;
    }
    fill(card, ...holeCard(model, store, hole, (at) => store.set({ byte: at })));
  }

  const search = el('input', { type: 'search', id: 'find', placeholder: '0xb8, a section, a symbol', autocomplete: 'off', spellcheck: 'false' });
  const found = el('output', { for: 'find' });
  const form = el('form', {
    class: 'find', role: 'search',
    submit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const hit = find(model, search.value);
      found.textContent = hit === null ? 'nothing like that in this file' : `at ${hex(hit)}`;
      if (hit !== null) pin(hit);
    },
  }, el('label', { for: 'find' }, 'find'), search, el('button', { type: 'submit' }, 'go'), found);

  const view = el('div', { class: 'atlas' },
    el('p', { class: 'lead' }, ...lead(model)),
    strip(model, (at) => pin(at)),
    el('div', { class: 'columns' },
      el('div', { class: 'main' }, form, el('div', { class: 'hexbox' }, list, overlay)),
      el('div', { class: 'side' }, ...refusedCards(model, pin), card, facts)));

  store.subscribe((now, before) => {
    if (now.byte !== before.byte || now.hole !== before.hole) {
      list.setAttribute('aria-activedescendant', `b${now.byte}`);
      reveal(Math.floor(now.byte / HEX_ROW));
      showByte(now.byte);
    }
    if (now.hole !== before.hole) showHole();
  });
  showHole();
  showByte(store.get().byte);
  return {
    view,
    shown() {
      list.setAttribute('aria-activedescendant', `b${store.get().byte}`);
      reveal(Math.floor(store.get().byte / HEX_ROW));
      draw(true);
    },
  };
}

/** @param {import('./model.js').Model} model @returns {Node[]} */
function lead(model) {
  const fds = model.holes.filter((hole) => hole.patch.takes_fd).length;
  const text = model.programs.length === 0 ? 'Every byte of the file. No program in it can be given to a kernel; the card says why.' : model.holes.length === 0
    ? `Every byte of the file. Nothing in it has to be filled in: the instructions go to the kernel as they are.`
    : `Every byte of the file. ${counted(model.holes.length, 'hole')} ${model.holes.length === 1 ? 'has' : 'have'} to be filled before the kernel takes the instructions${fds ? `; ${fds === model.holes.length && fds > 1 ? 'each gets' : fds === 1 ? 'one gets' : `${fds} get`} a map's descriptor` : ''}. The card shows one, and the arrows how it is found.`;
  return prose(text + (model.data.file.big_endian ? ' The object is big-endian; this is its little-endian twin.' : ''));
}

/** The sections to scale, with the holes in them. @param {import('./model.js').Model} model @param {(at: number) => void} go */
function strip(model, go) {
  const size = model.elf.bytes.length;
  /** @type {{ at: number, size: number, name: string, role: string }[]} */
  const parts = model.sections
    .filter((/** @type {any} */ section) => section.size > 0 && section.type !== 'NOBITS' && section.file_offset < size && section.index > 0)
    .map((/** @type {any} */ section) => ({ at: section.file_offset, size: Math.min(section.size, size - section.file_offset), name: section.name, role: section.role }));
  parts.push({ at: 0, size: 64, name: 'ELF header', role: 'headers' });
  const table = Math.min(model.elf.sections.length * 64, size - model.elf.table);
  if (table > 0) parts.push({ at: model.elf.table, size: table, name: 'section table', role: 'headers' });
  parts.sort((one, other) => one.at - other.at);
  const most = 200;
  return el('nav', { class: 'strip', 'aria-label': 'parts of the file, in order' }, ...parts.slice(0, most).map((part) => {
    const button = el('button', { type: 'button', class: `part role-${part.role}`, title: `${visible(short(part.name))}: ${hex(part.at)}, ${counted(part.size, 'byte')}`, click: () => go(part.at) }, el('span', {}, short(part.name, 24)));
    button.style.flexGrow = String(Math.max(part.size / size, 0.002));
    return button;
  }));
}

/**
 * A hole: where it is, what fills it, why, and what would be said if it were left open.
 * @param {import('./model.js').Model} model
 * @param {ReturnType<typeof import('./store.js').makeStore>} store
 * @param {import('./model.js').Hole} hole
 * @param {(at: number) => void} go
 * @returns {Node[]}
 */
export function holeCard(model, store, hole, go) {
  const { patch } = hole;
  const turn = (/** @type {number} */ by) => () => {
    const next = model.holes[(hole.index + by + model.holes.length) % model.holes.length];
    store.set({ hole: next.index, program: next.program, insn: next.insn, byte: Math.max(0, next.at) + (next.patch.takes_fd ? 4 : 0) });
  };
  const [what, inImm] = wanted(hole);
  const at = inImm ? hole.at + 4 : hole.at;
  const size = inImm ? 4 : hole.slots * 8;
  const where = hole.at < 0 ? 'goes to an instruction that is not in the file' : `goes to file offset ${hex(at)}`;
  const links = el('ol', { class: 'chain' }, ...chain(model, hole).map((link) => el('li', { class: `link-${link.what}` },
    el('span', { class: 'what' }, link.what),
    link.at >= 0
      ? el('button', { type: 'button', class: 'at', title: 'show it in the file', click: () => go(link.at) }, hex(link.at))
      : link.step ? el('button', { type: 'button', class: 'at', title: 'show the call', click: () => store.set({ view: 'calls' }) }, `call ${link.step}`) : null,
    el('span', { class: 'title' }, ...prose(link.title)),
    el('span', { class: 'text' }, ...prose(link.text)))));
  return [
    el('div', { class: 'turn' },
      el('button', { type: 'button', 'aria-label': 'the hole before', click: turn(-1) }, '‹'),
      el('span', {}, `hole ${hole.index + 1} of ${model.holes.length}`),
      el('button', { type: 'button', 'aria-label': 'the next hole', click: turn(1) }, '›')),
    el('h2', { class: 'answer' }, ...prose(what), ' ', where),
    el('p', {}, hole.at < 0 ? '' : `${counted(size, 'byte')}, in insn ${hole.insn} of `, code(model.programs[hole.program].name), '.'),
    el('div', { class: 'why' },
      el('h3', {}, 'Why'), el('p', {}, ...prose(why(patch))),
      el('h3', {}, 'Left open, the verifier would say'), el('blockquote', {}, ...leftOpen(patch.left_open)),
      el('h3', {}, 'How it is found'), links),
  ];
}

/** What a hole gets, and whether that is one number in the field imm. @param {import('./model.js').Hole} hole @returns {[string, boolean]} */
function wanted({ map, patch }) {
  const name = `\`${patch.symbol}\``;
  if (patch.takes_fd) return [`The descriptor of map \`${map}\``, true];
  if (!patch.resolved) return [`What this page does not know of ${name}`, false];
  switch (patch.hole) {
    case 'call':
    case 'func': return [`The distance to ${name}`, true];
    case 'kfunc':
    case 'kernel_type': return [`The kernel's number of ${name}`, true];
    case 'symbol': return [`The address of ${name}`, false];
    default: return [`The kernel's own number for ${name}`, false];
  }
}

/** @param {any} patch */
function why(patch) {
  const source = patch.source ? `Line ${patch.source.line} says \`${short(patch.source.text, 120)}\`. ` : '';
  return patch.takes_fd
    ? `${source}The compiler cannot know which descriptor the map will get, so it left zeros and a record; the loader creates the map, and writes the number that the kernel returns.`
    : `${source}${patch.fills}.`;
}

/** `refused, say with "R1 …": a helper …`. @param {string} text @returns {Node[]} */
function leftOpen(text) {
  const found = /^refused, say with "(.*?)": (.*)$/s.exec(text);
  return found ? [code(found[1], 200), el('span', {}, ` ${found[2]}`)] : prose(text);
}

/**
 * What a search means: an offset, else a symbol or section of that name, else one whose name begins so.
 * @param {import('./model.js').Model} model
 * @param {string} text
 * @returns {number | null}
 */
export function find(model, text) {
  const wanted = text.trim();
  if (!wanted) return null;
  if (/^(0x[0-9a-f]+|\d+)$/i.test(wanted)) {
    const at = Number(wanted);
    return at < model.elf.bytes.length ? at : null;
  }
  const places = [
    ...model.holes.filter((hole) => hole.at >= 0).map((hole) => ({ name: hole.patch.symbol, at: hole.at })),
    ...model.elf.sections.filter((section) => section.type !== 8 && section.offset < model.elf.bytes.length).map((section) => ({ name: section.name, at: section.offset })),
    ...model.elf.symbols.map((symbol) => ({ name: symbol.name, at: symbol.at })),
  ];
  const hit = places.find((place) => place.name === wanted) ?? places.find((place) => place.name.toLowerCase().startsWith(wanted.toLowerCase()));
  return hit ? hit.at : null;
}
