// @ts-check
// What is pinned: the one thing that all views share. A view changes it here and hears here of what another changed.

/**
 * @typedef {object} State
 * @property {string} view       the view that is open
 * @property {number} program    the program that is looked at
 * @property {number} insn       its slot that is pinned
 * @property {number} byte       the byte of the file that is pinned
 * @property {number} hole       the hole that is pinned; -1 for none
 * @property {number} stage      how far the patch slider is
 * @property {Record<string, number>} fds  the descriptor that each map is to have
 */

/**
 * @param {State} first
 */
export function makeStore(first) {
  let state = first;
  /** @type {((now: State, before: State) => void)[]} */
  const listeners = [];
  return {
    get: () => state,
    /** @param {Partial<State>} change */
    set(change) {
      const before = state;
      state = { ...state, ...change };
      for (const listener of listeners) listener(state, before);
    },
    /** @param {(now: State, before: State) => void} listener */
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
