// @ts-check
// The page: its data, its tabs, and which view is open.

import { atlasView } from './atlas.js';
import { callsView } from './calls.js';
import { codeView } from './code.js';
import { code, counted, el, visible } from './dom.js';
import { readLog } from './log.js';
import { descriptors, makeModel } from './model.js';
import { patchView } from './patch.js';
import { placesView } from './places.js';
import { poster } from './poster.js';
import { runView } from './run.js';
import { makeStore } from './store.js';
import { verifierView } from './verifier.js';

/** @param {import('./model.js').Model} model */
function makeLogs(model) {
  /** @type {Map<number, ReturnType<typeof readLog> | null>} */
  const logs = new Map();
  return (/** @type {number} */ program) => {
    if (!logs.has(program)) {
      const name = model.programs[program]?.name;
      const line = model.run.find((/** @type {any} */ each) => each.kind === 'program' && each.name === name && typeof each.log === 'string' && /^\d+: \(/m.test(each.log));
      logs.set(program, line ? readLog(line.log) : null);
    }
    return logs.get(program) ?? null;
  };
}

/** @param {any} data @param {HTMLElement} app */
function start(data, app) {
  const model = makeModel(data);
  const first = model.holes.find((hole) => hole.patch.hole === 'map_fd') ?? model.holes.find((hole) => hole.patch.takes_fd) ?? model.holes[0];
  const refused = model.refusals.find((refusal) => refusal.file_offset !== null)?.file_offset;
  const store = makeStore({
    view: 'bytes', program: first ? first.program : 0, insn: first ? first.insn : 0, hole: first ? first.index : -1, stage: 0, fds: descriptors(model),
    byte: refused ?? (first ? Math.max(0, first.at + (first.patch.takes_fd ? 4 : 0)) : 0),
  });
  const logOf = makeLogs(model);
  /** @type {[string, string, { view: any, shown: () => void }][]} */
  const views = [
    ['bytes', 'Bytes', atlasView(model, store)],
    ['patch', 'Patching', patchView(model, store)],
    ['code', 'Code', codeView(model, store, logOf)],
    ['calls', 'System calls', callsView(model, store)],
    ['places', 'Byte 0', placesView(model)],
    ['verifier', 'Verifier', verifierView(model, store, logOf)],
    ['run', 'Run', runView(model)],
  ];

  const tabs = views.map(([id, title]) => el('button', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': `view-${id}`, click: () => store.set({ view: id }) }, title));
  const tablist = el('div', { role: 'tablist', 'aria-label': 'views', class: 'tabs', keydown: turn }, ...tabs);
  const panels = views.map(([id, , { view }]) => el('section', { role: 'tabpanel', id: `view-${id}`, 'aria-labelledby': `tab-${id}`, class: 'panel' }, view));

  /** @param {KeyboardEvent} event */
  function turn(event) {
    const now = views.findIndex(([id]) => id === store.get().view);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: views.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const index = (next + views.length) % views.length;
    store.set({ view: views[index][0] });
    tabs[index].focus();
  }

  function show() {
    const { view } = store.get();
    views.forEach(([id, , { shown }], index) => {
      const open = id === view;
      tabs[index].setAttribute('aria-selected', String(open));
      tabs[index].tabIndex = open ? 0 : -1;
      panels[index].hidden = !open;
      if (open) shown();
    });
  }

  store.subscribe((now, before) => {
    if (now.view === before.view) return;
    show();
    history.replaceState(null, '', `#${now.view}`);
  });
  addEventListener('hashchange', () => {
    const wanted = location.hash.slice(1);
    if (views.some(([id]) => id === wanted)) store.set({ view: wanted });
  });

  const maps = model.maps.filter((/** @type {any} */ map) => map.created).length;
  const sizes = [counted(data.file.size, 'byte'), counted(model.programs.length, 'program'), counted(maps, 'map'), counted(model.holes.length, 'hole'), counted(model.steps.length, 'system call'), ...(model.refusals.length ? ['cannot be linked'] : [])];
  document.title = `${visible(data.file.name)}: how it is loaded`;
  app.append(
    el('header', { class: 'top' }, el('h1', {}, code(data.file.name, 48)), el('p', {}, sizes.join(' · ')), tablist),
    el('main', {}, ...panels),
    el('footer', {}, `made by minibpf ${data.minibpf}; everything is in this file, and nothing is fetched`),
    poster(model));
  const wanted = location.hash.slice(1);
  if (views.some(([id]) => id === wanted)) store.set({ view: wanted });
  show();
}

const data = JSON.parse(document.getElementById('data')?.textContent ?? '');
const app = document.getElementById('app');
if (app) start(data, app);
