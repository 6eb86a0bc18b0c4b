// @ts-check
// What the verifier did: the paths that it walked, how often it came by each instruction, and where it stopped.

import { code, counted, el, fill, prose, short, virtualList } from './dom.js';
import { lineOf } from './model.js';
import { refusedCards } from './refused.js';

/**
 * @param {import('./model.js').Model} model
 * @param {ReturnType<typeof import('./store.js').makeStore>} store
 * @param {(program: number) => ReturnType<typeof import('./log.js').readLog> | null} logOf
 */
export function verifierView(model, store, logOf) {
  const view = el('div', { class: 'verifier' });
  /** @type {any[]} */
  let lists = [];

  function show() {
    lists = [];
    const parts = model.programs.flatMap((program) => one(program)).slice(0, 200);
    fill(view, el('p', { class: 'lead' }, ...prose(verdicts().length
      ? 'The kernel walks every path through a program before it lets it run. This is what a run has recorded of that.'
      : 'The kernel walks every path through a program before it lets it run. No run is recorded here, so this page knows what would go wrong, not what did: `minibpf check OBJ --verifier-log=2 --raw-log --trace --json > run.json`, then report with `--from run.json`.')),
    ...refusedCards(model, (byte) => store.set({ view: 'bytes', byte })), ...parts, ...lints());
    for (const list of lists) list.draw(true);
  }

  const verdicts = () => model.run.filter((/** @type {any} */ line) => (line.kind === 'program' && line.verdict) || line.kind === 'loaded' || (line.kind === 'error' && line.explanation));

  /** @param {import('./model.js').Program} program @returns {Node[]} */
  function one(program) {
    const said = verdicts().find((/** @type {any} */ line) => line.name === program.name) ?? (model.programs.length === 1 ? verdicts().find((/** @type {any} */ line) => line.kind === 'error') : undefined);
    const explanation = said?.explanation;
    const refused = said && (said.verdict === 'rejected' || said.kind === 'error');
    const title = el('h2', {}, code(program.name, 48), ' ', !said ? el('span', { class: 'chip' }, 'not run') : refused ? el('span', { class: 'chip bad' }, `refused, ${said.errno ?? ''}`) : el('span', { class: 'chip good' }, said.verdict ?? 'loaded'));
    const facts = said && !refused ? el('p', { class: 'muted' }, `${counted(said.verified_insns ?? 0, 'instruction')} walked, ${counted(said.insns ?? 0, 'slot')} given, ${counted((said.bytes_xlated ?? 0) / 8, 'slot')} kept, ${counted(said.bytes_jited ?? 0, 'byte')} of machine code`) : null;
    return [title, ...(facts ? [facts] : []), ...(explanation ? [failing(program, explanation)] : []), ...(said ? walk(program, explanation) : otherwise(program))];
  }

  /** The instruction where it stopped, opened. @param {import('./model.js').Program} program @param {any} explanation */
  function failing(program, explanation) {
    const history = (explanation.history ?? []).map((/** @type {any} */ event) => el('li', {}, jump(program, event.insn), el('span', { class: 'text' }, event.state ? el('code', {}, short(event.state, 120)) : null, event.source ? el('span', { class: 'muted' }, ` line ${event.source.line}: `, code(event.source.text, 80)) : null)));
    const stop = explanation.insn ? [el('li', { class: 'stop' }, jump(program, explanation.insn), el('span', { class: 'text' }, el('strong', {}, short(explanation.reason, 200)), explanation.source ? el('span', { class: 'muted' }, ` line ${explanation.source.line}: `, code(explanation.source.text, 80)) : null))] : [];
    return el('div', { class: 'card refused' },
      el('h3', {}, code(explanation.reason, 200)),
      explanation.why ? el('p', {}, el('strong', {}, 'why '), ...prose(explanation.why)) : null,
      explanation.mend ? el('p', {}, el('strong', {}, 'mend '), ...prose(explanation.mend)) : null,
      ...(explanation.notes ?? []).map((/** @type {string} */ note) => el('p', { class: 'muted' }, ...prose(note))),
      history.length + stop.length ? el('ol', { class: 'walk' }, ...history, ...stop) : null,
      explanation.path?.length ? el('p', { class: 'muted' }, `path: ${explanation.path.slice(-20).map((/** @type {number[]} */ [from, to]) => (from === to ? from : `${from}–${to}`)).join(' → ')}`) : null,
      explanation.kernel ? el('pre', {}, short(explanation.kernel, 4000)) : null);
  }

  /** @param {import('./model.js').Program} program @param {{ number: number, text: string }} insn */
  function jump(program, insn) {
    return el('button', { type: 'button', class: 'go', click: () => store.set({ view: 'code', program: program.index, insn: insn.number }) }, `insn ${insn.number}: ${short(insn.text, 80)}`);
  }

  /** The paths of the log: folded, but for the one that failed. @param {import('./model.js').Program} program @param {any} explanation @returns {Node[]} */
  function walk(program, explanation) {
    const log = logOf(program.index);
    if (!log || log.paths.length === 0) return [el('p', { class: 'muted' }, ...prose('The run has no whole log of this program: `--verifier-log=2 --raw-log` records one.'))];
    const most = Math.max(1, ...log.visits.values());
    const hot = [...log.visits].sort(([, one], [, other]) => other - one).slice(0, 6).filter(([, count]) => count > 1);
    const paths = log.paths.slice(0, 300).map((path, index) => pathOf(program, path, Boolean(explanation) && index === log.paths.length - 1));
    return [
      log.statistics ? el('p', { class: 'muted' }, log.statistics) : el('span'),
      hot.length ? el('div', { class: 'hot' }, el('h3', {}, 'walked most often'), ...hot.map(([insn, count]) => {
        const bar = el('span', { class: 'bar-fill' });
        bar.style.width = `${(count / most) * 100}%`;
        return el('button', { type: 'button', class: 'hot-row', click: () => store.set({ view: 'code', program: program.index, insn }) }, el('span', { class: 'bar-box' }, bar), `insn ${insn}: ${counted(count, 'time')}`);
      })) : el('span'),
      el('h3', {}, `${counted(log.paths.length, 'path')} in the log`), ...paths,
    ];
  }

  /** @param {import('./model.js').Program} program @param {import('./log.js').Path} path @param {boolean} failed */
  function pathOf(program, path, failed) {
    const last = path.steps[path.steps.length - 1];
    const how = failed ? 'stopped here' : path.end || (last && /exit/.test(last.text) ? 'comes to its end' : '');
    const details = el('details', { class: failed ? 'path failed' : 'path' }, el('summary', {}, `${path.title}: ${counted(path.steps.length, 'instruction')}${how ? `, ${how}` : ''}`));
    const fill = () => {
      if (details.querySelector('.virtual')) return;
      const rows = virtualList({
        count: path.steps.length, rowHeight: 24, role: 'list', className: 'path-steps', label: `the walk ${path.title}`,
        row(index) {
          const step = path.steps[index];
          const state = Object.entries(step.state).map(([name, value]) => `${name}=${value}`).join(' ');
          const line = lineOf(program, step.insn);
          return el('div', { class: `path-row${step.said.length ? ' stop' : ''}`, role: 'listitem', title: short(`${state} ${step.said.join(' ')}`, 2000) }, el('span', { class: 'n' }, step.insn), el('code', {}, step.text), el('span', { class: 'muted' }, step.said.length ? step.said.join('; ') : state || (line ? line.text.trim() : '')));
        },
      });
      rows.list.style.height = `${Math.min(path.steps.length, 14) * 24 + 4}px`;
      details.append(rows.list);
      rows.draw(true);
      if (failed) rows.reveal(path.steps.length - 1);
      lists.push(rows);
    };
    details.addEventListener('toggle', fill);
    if (failed) {
      details.open = true;
      fill();
    }
    return details;
  }

  /** Without a run: what would be said of each kind of hole left open. @param {import('./model.js').Program} program @returns {Node[]} */
  function otherwise(program) {
    if (program.holes.length === 0) return [el('p', {}, 'It has no hole that could be left open.')];
    const rows = program.holes.slice(0, 200).map((hole) => el('tr', {}, el('th', { scope: 'row' }, el('button', { type: 'button', class: 'go', click: () => store.set({ view: 'bytes', hole: hole.index, byte: Math.max(0, hole.at) }) }, `insn ${hole.insn}`)), el('td', {}, code(hole.patch.symbol, 40)), el('td', {}, ...prose(hole.patch.left_open))));
    return [el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'holes left open' }, el('table', {}, el('caption', {}, 'If a hole were left open'), el('thead', {}, el('tr', {}, ...['where', 'symbol', 'the verifier'].map((name) => el('th', { scope: 'col' }, name)))), el('tbody', {}, ...rows)))];
  }

  /** @returns {Node[]} */
  function lints() {
    if (model.lints.length === 0) return [];
    return [el('h2', {}, 'What else will go wrong'), ...model.lints.slice(0, 200).map((/** @type {any} */ lint) => el('div', { class: 'card lint' }, el('h3', {}, lint.program ? code(lint.program, 40) : null, ' ', ...prose(lint.what), lint.insn === null || lint.insn === undefined ? '' : ` (insn ${lint.insn})`), el('p', {}, ...prose(lint.why)), el('p', {}, el('strong', {}, 'mend '), ...prose(lint.mend))))];
  }

  return { view, shown: show };
}
