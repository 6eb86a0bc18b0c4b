// @ts-check
// SHA-256, and with it the tag that the kernel gives a program: so that one sees that a descriptor does not count.

/** The fractional parts of roots of the first primes, as FIPS 180-4 defines its constants. @param {number} power @param {number} count */
function roots(power, count) {
  const words = [];
  for (let candidate = 2; words.length < count; candidate += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) prime = false;
    if (prime) words.push(((candidate ** power % 1) * 2 ** 32) | 0);
  }
  return words;
}

const K = roots(1 / 3, 64);

/** @param {Uint8Array} message @returns {string} in hex */
export function sha256(message) {
  const length = (((message.length + 8) >> 6) + 1) << 6;
  const padded = new Uint8Array(length);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(length - 4, (message.length * 8) >>> 0);
  const state = roots(1 / 2, 8);
  const w = new Int32Array(64);
  const right = (/** @type {number} */ word, /** @type {number} */ bits) => (word >>> bits) | (word << (32 - bits));
  for (let at = 0; at < length; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + i * 4);
    for (let i = 16; i < 64; i += 1) {
      const s0 = right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = right(e, 6) ^ right(e, 11) ^ right(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const t2 = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] = (state[i] + word) | 0;
    });
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** The tag of a program's bytes: in each lddw that takes a map's descriptor both immediates count as 0. @param {Uint8Array} insns */
export function tag(insns) {
  const counted = insns.slice();
  for (let at = 0; at + 16 <= counted.length; at += 8) {
    const src = counted[at + 1] >> 4;
    if (counted[at] !== 0x18) continue;
    if (src === 1 || src === 2) {
      counted.fill(0, at + 4, at + 8);
      counted.fill(0, at + 12, at + 16);
    }
    at += 8;
  }
  return sha256(counted).slice(0, 16);
}
