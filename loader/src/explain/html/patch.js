// @ts-check
// Patching as a process: the same holes as compiled, with the maps there, filled, and as the kernel keeps them.

import { clamp, code, counted, el, fill, hex2, prose, short, virtualList, visible } from './dom.js';
import { descriptors, filled, patched, unhex } from './model.js';
import { tag } from './sha256.js';

const STAGES = [
  ['as compiled', 'Where an address or a number is missing the compiler left zeros, and a record that says what belongs there.'],
  ['maps created', 'The kernel has made the maps and returned a descriptor for each. The instructions are still as they were.'],
  ['patched', 'Every hole is filled. These bytes go to BPF_PROG_LOAD; change a descriptor, and only its bytes change: the tag stays.'],
  ['as the kernel keeps it', 'The verifier has replaced descriptors by addresses and rewritten what it knows better. From a recorded run.'],
];

const HOLE_ROW_HEIGHT = 64;

/** @param {import('./model.js').Model} model @param {ReturnType<typeof import('./store.js').makeStore>} store */
export function patchView(model, store) {
  const kept = model.run.filter((/** @type {any} */ line) => line.kind === 'insn' && Array.isArray(line.given));
  const last = kept.length ? 3 : 2;
  const title = el('h2', { 'aria-live': 'polite' });
  const text = el('p', { class: 'lead' });
  const slider = el('input', { type: 'range', id: 'stage', min: 0, max: last, step: 1, value: 0, 'aria-describedby': 'stage-text' });
  text.id = 'stage-text';
  slider.addEventListener('input', () => store.set({ stage: Number(slider.value) }));
  const ticks = el('div', { class: 'ticks' }, ...STAGES.slice(0, last + 1).map(([name], index) => el('button', { type: 'button', click: () => store.set({ stage: index }) }, name)));
  const inputs = Object.entries(descriptors(model)).map(([map]) => fdInput(map));
  const tagLine = el('div', { class: 'tags' });

  /** @param {string} map */
  function fdInput(map) {
    const input = el('input', { type: 'number', min: 0, max: 2147483647, value: store.get().fds[map] ?? 0, 'aria-label': `descriptor of map ${visible(short(map))}` });
    input.addEventListener('input', () => {
      const number = clamp(Math.trunc(Number(input.value)) || 0, 0, 0x7fffffff);
      store.set({ fds: { ...store.get().fds, [map]: number } });
    });
    return { map, row: el('label', { class: 'fd' }, code(map, 32), el('span', {}, 'fd'), input) };
  }

  const { list, draw, reveal } = virtualList({
    count: model.holes.length, rowHeight: HOLE_ROW_HEIGHT, row, role: 'listbox', className: 'holes', label: 'the holes: up and down choose one',
    key: (event) => {
      const move = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') store.set({ stage: clamp(store.get().stage + (event.key === 'ArrowRight' ? 1 : -1), 0, last) });
      else if (move === undefined) return false;
      else choose(clamp(store.get().hole + move, 0, model.holes.length - 1));
      return true;
    },
  });

  /** @param {number} index */
  function choose(index) {
    const hole = model.holes[index];
    if (hole) store.set({ hole: index, program: hole.program, insn: hole.insn, byte: Math.max(0, hole.at) });
  }

  /** @param {number} index */
  function row(index) {
    const hole = model.holes[index];
    const { stage, fds } = store.get();
    const before = unhex(hole.patch.before);
    const line = stage === 3 ? kept.find((/** @type {any} */ each) => each.given.some((/** @type {any} */ given) => given.n === hole.insn)) : null;
    const bytes = stage < 2 ? before : stage === 2 ? filled(hole, fds) : line?.bytes ? unhex(line.bytes) : new Uint8Array();
    const words = stage < 2 ? hole.patch.text : stage === 2 ? afterText(hole, fds) : line?.text ?? 'no line of the run is about this instruction';
    const cells = Array.from(bytes, (byte, at) => el('span', { class: `cell${byte !== before[at] ? ' changed' : ''}${at === 8 ? ' second' : ''}` }, hex2(byte)));
    const element = el('div', { class: `hole-row${index === store.get().hole ? ' pinned' : ''}`, role: 'option', id: `hole${index}`, 'aria-selected': index === store.get().hole, 'aria-setsize': model.holes.length, 'aria-posinset': index + 1, click: () => choose(index) },
      el('div', { class: 'names' }, el('span', { class: 'insn' }, `insn ${hole.insn}`), code(hole.patch.symbol, 32), el('span', { class: 'kind' }, hole.patch.hole)),
      el('div', { class: 'bytes' }, ...cells),
      el('div', { class: 'text' }, el('code', {}, words), stage === 3 && line?.why ? el('span', { class: 'note' }, ...prose(line.why)) : null));
    return element;
  }

  function show() {
    const { stage, fds, program } = store.get();
    const [name, what] = STAGES[stage];
    title.textContent = name;
    text.textContent = what;
    slider.value = String(stage);
    slider.setAttribute('aria-valuetext', name);
    [...ticks.children].forEach((tick, index) => tick.setAttribute('aria-current', index === stage ? 'step' : 'false'));
    for (const { row: each } of inputs) each.classList.toggle('off', stage < 1);
    draw(true);
    const own = model.programs[program];
    fill(tagLine, ...(own ? tags(own, stage, fds) : []));
  }

  /** @param {import('./model.js').Program} own @param {number} stage @param {Record<string, number>} fds */
  function tags(own, stage, fds) {
    if (stage < 2) return [el('span', { class: 'muted' }, 'The tag is made of the patched instructions: two steps to the right.')];
    const computed = tag(patched(model, own, fds));
    const expected = own.facts.tag_sha256;
    const said = model.run.find((/** @type {any} */ line) => (line.kind === 'program' || line.kind === 'loaded') && line.name === own.name && line.tag);
    return [
      el('span', {}, 'tag of ', code(own.name, 32), ', computed here: '), el('code', { class: 'tag' }, computed),
      !expected ? el('span', { class: 'muted' }, ' (nothing to compare with: something in it is unresolved)') : el('span', { class: expected === computed ? 'equal' : 'unequal' }, expected === computed ? ' equal to minibpf’s' : ` minibpf has ${expected}`),
      said ? el('span', { class: said.tag === computed ? 'equal' : 'unequal' }, said.tag === computed ? ', and to the kernel’s' : `, the kernel has ${said.tag}${said.tag === own.facts.tag_sha1 ? ' (SHA-1, before Linux 6.18)' : ''}`) : null,
    ];
  }

  const view = el('div', { class: 'patch' },
    el('div', { class: 'slider' }, el('label', { for: 'stage' }, 'how far the load has come'), slider, ticks), title, text,
    inputs.length ? el('fieldset', { class: 'fds' }, el('legend', {}, 'descriptors, as the kernel returns them; change one'), ...inputs.map(({ row: each }) => each)) : null,
    tagLine,
    model.holes.length ? list : el('p', {}, 'There is no hole: the bytes are the same at every step.'),
    last === 2 ? el('p', { class: 'muted' }, ...prose('A fourth step, what the kernel keeps, comes from a run: pin the program, `minibpf dump PIN --object OBJ --json >> run.json`, and report with `--from run.json`.')) : null,
    el('p', { class: 'muted' }, `${counted(model.holes.length, 'hole')} in ${counted(model.programs.length, 'program')}.`));

  store.subscribe((now, before) => {
    if (now.stage !== before.stage || now.fds !== before.fds || now.hole !== before.hole || now.program !== before.program) {
      if (now.view === 'patch') show();
      if (now.hole !== before.hole && now.hole >= 0) {
        list.setAttribute('aria-activedescendant', `hole${now.hole}`);
        if (now.view === 'patch') reveal(now.hole);
      }
    }
  });
  return { view, shown: show };
}

/** @param {import('./model.js').Hole} hole @param {Record<string, number>} fds */
function afterText(hole, fds) {
  return hole.patch.takes_fd ? `${hole.patch.text_after}, fd ${fds[hole.map] ?? 0}` : hole.patch.text_after;
}
