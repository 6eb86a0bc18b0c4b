// @ts-check
// One slot of eight bytes: its fields, and which registers it reads and writes.

/** @typedef {{ code: number, dst: number, src: number, off: number, imm: number }} Insn */

/** @param {Uint8Array} bytes @param {number} at @returns {Insn} */
export function decode(bytes, at) {
  const byte = (/** @type {number} */ index) => bytes[at + index] ?? 0;
  return {
    code: byte(0),
    dst: byte(1) & 15,
    src: byte(1) >> 4,
    off: ((byte(2) | (byte(3) << 8)) << 16) >> 16,
    imm: byte(4) | (byte(5) << 8) | (byte(6) << 16) | (byte(7) << 24),
  };
}

const CALL = 0x85;
const EXIT = 0x95;
const LDDW = 0x18;

/** The registers that an instruction reads and writes. A call may read r1 to r5; how many, its helper knows. @param {Insn} insn */
export function uses({ code, dst, src, imm }) {
  const kind = code & 7;
  if (code === LDDW) return { reads: [], writes: [dst] };
  if (code === CALL) return { reads: [1, 2, 3, 4, 5], writes: [0, 1, 2, 3, 4, 5] };
  if (code === EXIT) return { reads: [0], writes: [] };
  if (kind === 0) return { reads: (code & 0xe0) === 0x40 ? [6, src] : [6], writes: [0] };
  if (kind === 1) return { reads: [src], writes: [dst] };
  if (kind === 2) return { reads: [dst], writes: [] };
  if (kind === 3) return atomic(code, imm) ? { reads: [dst, src], writes: fetched(imm, src) } : { reads: [dst, src], writes: [] };
  const other = code & 8 ? [src] : [];
  if (kind === 5 || kind === 6) return { reads: (code & 0xf0) === 0 ? [] : [dst, ...other], writes: [] };
  const op = code & 0xf0;
  if (op === 0xb0) return { reads: other, writes: [dst] };
  if (op === 0x80 || op === 0xd0) return { reads: [dst], writes: [dst] };
  return { reads: [dst, ...other], writes: [dst] };
}

/** @param {number} code @param {number} imm */
const atomic = (code, imm) => (code & 0xe0) === 0xc0 && imm >= 0;

/** BPF_FETCH gives the old value back: into r0 for a compare and exchange, else into src. @param {number} imm @param {number} src */
function fetched(imm, src) {
  if (!(imm & 1)) return [];
  return (imm & 0xf0) === 0xf0 ? [0] : [src];
}

/** Where a jump leads, as a slot; null if it is none. @param {Insn} insn @param {number} slot */
export function target({ code, off, imm }, slot) {
  const kind = code & 7;
  if ((kind !== 5 && kind !== 6) || code === CALL || code === EXIT) return null;
  return slot + 1 + (code === 0x06 ? imm : off);
}

/**
 * The slot that wrote a register last, as the instructions stand: back from `slot` until something else can lead here.
 * @param {(slot: number) => Insn | null} at
 * @param {number} slot
 * @param {number} register
 */
export function writer(at, slot, register, furthest = 4096) {
  for (let index = slot - 1; index >= 0 && slot - index < furthest; index -= 1) {
    const insn = at(index);
    if (!insn) continue;
    if (insn.code === EXIT || insn.code === 0x05) return null;
    if (uses(insn).writes.includes(register)) return index;
  }
  return null;
}
