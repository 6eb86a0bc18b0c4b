// @ts-check
// The verifier's log, read: which instructions it walked, in which order, with the registers after each.

/** @typedef {{ insn: number, text: string, state: Record<string, string>, said: string[] }} Step */
/** @typedef {{ title: string, from: number, to: number, steps: Step[], end: string }} Path */

/** A log can have a million lines; what a page can show is less. */
const MOST_STEPS = 200000;

const STATISTICS = /^(processed \d+ insns|verification time|stack depth|insns processed)/;
const WORK = /^(mark_precise|cur state:|old state:|last_idx|regs=|func#|Live regs|Validating|arg#)/;

/** `R0=map_value_or_null(id=1) R6=ctx()` by register. @param {string} text */
export function readState(text) {
  /** @type {Record<string, string>} */
  const state = {};
  for (const word of words(text)) {
    const found = /^(R\d+|fp-?\d+)(?:_[a-z]+)?=(.*)$/s.exec(word);
    if (found) state[found[1]] = found[2];
  }
  return state;
}

/** Words end at blanks outside brackets. @param {string} text */
function words(text) {
  const found = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index += 1) {
    const letter = text[index];
    if (letter === '(' || letter === '[') depth += 1;
    if (letter === ')' || letter === ']') depth = Math.max(0, depth - 1);
    if (letter === undefined || (letter === ' ' && depth === 0)) {
      if (index > start) found.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return found;
}

/** @param {string} log @returns {{ paths: Path[], visits: Map<number, number>, statistics: string, steps: number }} */
export function readLog(log) {
  /** @type {Path[]} */
  const paths = [{ title: 'from the start', from: -1, to: 0, steps: [], end: '' }];
  /** @type {Map<number, number>} */
  const visits = new Map();
  let statistics = '';
  let steps = 0;
  let listing = false;
  for (const raw of log.split('\n')) {
    const line = raw.trimEnd();
    const path = paths[paths.length - 1];
    if (STATISTICS.test(line)) {
      statistics = statistics || line;
      continue;
    }
    // Before it walks, a newer kernel lists each instruction with the registers that are alive.
    if (line.startsWith('Live regs')) listing = true;
    if (listing && /^\s+\d+: [.\d]{10} /.test(line)) continue;
    const walked = /^(\d+): \(([0-9a-f]{2})\) (.*)$/.exec(line);
    if (walked) {
      listing = false;
      steps += 1;
      const insn = Number(walked[1]);
      visits.set(insn, (visits.get(insn) ?? 0) + 1);
      const [text, state] = split(walked[3]);
      if (steps <= MOST_STEPS) path.steps.push({ insn, text, state: readState(state), said: [] });
      continue;
    }
    if (/^\d+: safe$/.test(line)) {
      path.end = 'comes to a state that is known to be safe';
      continue;
    }
    const branch = /^from (\d+) to (\d+): (.*)$/.exec(line);
    if (branch) {
      if (branch[3] === 'safe') path.end = `leads to slot ${branch[2]} in a state that is known to be safe`;
      else paths.push({ title: `from ${branch[1]} to ${branch[2]}`, from: Number(branch[1]), to: Number(branch[2]), steps: [], end: '' });
      continue;
    }
    if (line === '' || WORK.test(line) || line.startsWith('; ') || /^\d+: /.test(line)) continue;
    const last = path.steps[path.steps.length - 1];
    if (last && !/^\s/.test(line)) last.said.push(line);
  }
  return { paths: paths.filter((path) => path.steps.length > 0 || path.end), visits, statistics, steps };
}

/** The instruction and what comes after it: `; R0=…`, or where a jump was taken `11: R0=…`. @param {string} text */
function split(text) {
  const at = text.indexOf('; ');
  if (at >= 0) return [text.slice(0, at).trim(), text.slice(at + 2)];
  const jump = /^(.*?goto pc[+-]\d+)\s+(?:\d+: )?(.*)$/.exec(text);
  return jump ? [jump[1], jump[2]] : [text.trim(), ''];
}

/** The registers after the walk has come to a step: what each was last said to be. @param {Path} path @param {number} upTo */
export function stateAfter(path, upTo, furthest = 2000) {
  /** @type {Record<string, string>} */
  const state = {};
  for (let index = Math.max(0, upTo - furthest); index <= upTo && index < path.steps.length; index += 1) Object.assign(state, path.steps[index].state);
  return state;
}
