// The page's logic without a browser.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fieldAt, packetOf } from './html/places.js';
import { describe as describeByte } from './html/elf.js';
import { find } from './html/atlas.js';
import { decode, target, uses, writer } from './html/insn.js';
import { readLog, readState, stateAfter } from './html/log.js';
import { attrFields, chain, descriptors, filled, holeAt, lineOf, makeModel, patched, placeOf, slotAt, unhex } from './html/model.js';
import { sha256, tag } from './html/sha256.js';
import { sourceLines } from './html/code.js';
import { visible } from './html/dom.js';
import { byCommand, judged } from './html/referees.js';
import { comparisons } from './html/run.js';
import { dataOf } from './data.js';

const load = (name) => dataOf(readFileSync(`pages/${name}.html`, 'utf8'));
const model = makeModel(load('plain-count'));
const [program] = model.programs;

test('SHA-256 is that of others', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const bytes = randomBytes(length);
    assert.equal(sha256(bytes), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`);
  }
});

test('the tag of each sample is minibpf’s, whatever the descriptors are', () => {
  for (const name of ['plain-count', 'drop', 'http', 'pass']) {
    const each = makeModel(load(name));
    for (const own of each.programs) {
      for (const fd of [0, 3, 77777]) {
        const fds = Object.fromEntries(Object.keys(descriptors(each)).map((map) => [map, fd]));
        assert.equal(tag(patched(each, own, fds)), own.facts.tag_sha256, `${name} ${own.name}`);
      }
    }
  }
});

test('a slot is decoded as the kernel does', () => {
  assert.deepEqual(decode(unhex('c50016000000ff80'), 0), { code: 0xc5, dst: 0, src: 0, off: 22, imm: -0x7f010000 });
  assert.deepEqual(decode(unhex('7b1af0ff00000000'), 0), { code: 0x7b, dst: 10, src: 1, off: -16, imm: 0 });
});

test('an instruction reads and writes what it should', () => {
  const of = (hex) => uses(decode(unhex(hex), 0));
  assert.deepEqual(of('bf16000000000000'), { reads: [1], writes: [6] }); // r6 = r1
  assert.deepEqual(of('0712000001000000'), { reads: [2], writes: [2] }); // r2 += 1
  assert.deepEqual(of('0f12000000000000'), { reads: [2, 1], writes: [2] }); // r2 += r1
  assert.deepEqual(of('7b1af0ff00000000'), { reads: [10, 1], writes: [] }); // *(u64 *)(r10 - 16) = r1
  assert.deepEqual(of('6a0af0ff00000000'), { reads: [10], writes: [] }); // *(u16 *)(r10 - 16) = 0
  assert.deepEqual(of('6110000000000000'), { reads: [1], writes: [0] }); // r0 = *(u32 *)(r1 + 0)
  assert.deepEqual(of('1801000000000000'), { reads: [], writes: [1] }); // lddw
  assert.deepEqual(of('8500000001000000').writes, [0, 1, 2, 3, 4, 5]); // call
  assert.deepEqual(of('db10000001000000'), { reads: [0, 1], writes: [1] }); // r1 = atomic_fetch_add
  assert.deepEqual(of('1d21050000000000'), { reads: [1, 2], writes: [] }); // if r1 == r2
  assert.deepEqual(of('0500050000000000'), { reads: [], writes: [] }); // goto
  assert.deepEqual(of('9500000000000000'), { reads: [0], writes: [] }); // exit
  assert.deepEqual(of('3000000000000000'), { reads: [6], writes: [0] }); // LD_ABS
  assert.deepEqual(of('dc01000010000000'), { reads: [1], writes: [1] }); // r1 = be16 r1
});

test('a jump leads where it says, and a call nowhere', () => {
  assert.equal(target(decode(unhex('c500160000000000'), 0), 26), 49);
  assert.equal(target(decode(unhex('0500fdff00000000'), 0), 10), 8);
  assert.equal(target(decode(unhex('0600000005000000'), 0), 10), 16);
  assert.equal(target(decode(unhex('8500000001000000'), 0), 10), null);
});

test('the writer of a register is found up to where another path may come from', () => {
  const at = (slot) => decode(model.elf.bytes, placeOf(program, slot));
  assert.equal(writer(at, 34, 1), 32);
  assert.equal(writer(at, 35, 0), 34);
  assert.equal(writer(at, 41, 3), null, 'a goto stands before it');
});

test('a place of the file and a slot of the program are the same thing', () => {
  assert.equal(placeOf(program, 32), 0x140);
  assert.equal(slotAt(program, 0x147), 32);
  assert.equal(slotAt(program, 0x10), -1);
  assert.equal(placeOf(program, 51), -1);
  assert.equal(holeAt(model, 0x14f)?.insn, 32);
  assert.equal(lineOf(program, 34)?.line, 44);
});

test('a hole is linked to record, instruction, symbol, map and call', () => {
  const hole = program.holes.find((each) => each.insn === 32);
  assert.deepEqual(chain(model, hole).map(({ what, at }) => [what, at]), [['record', 0xc18], ['instruction', 0x140], ['symbol', 0xbb8], ['map', 0x1e0], ['bpf_attr', -1]]);
  assert.deepEqual([...filled(hole, { ports: 258 })].slice(0, 8), [0x18, 0x11, 0, 0, 2, 1, 0, 0]);
});

test('a field of a call comes from where it says', () => {
  const load = attrFields(model, program.step);
  assert.equal(load.find(({ name }) => name === 'insns')?.origin?.at, 64);
  assert.equal(load.find(({ name }) => name === 'prog_type')?.value, 1);
  assert.equal(load.find(({ name }) => name === 'kern_version')?.value, 0);
  const data = attrFields(model, model.steps[1]);
  assert.deepEqual(data.filter(({ name }) => name === 'map_type' || name === 'map_flags').map(({ value }) => value), [2, 1024]);
});

test('every byte of the file has a description', () => {
  for (let at = 0; at < model.elf.bytes.length; at += 1) assert.ok(describeByte(model.elf, at).part, `byte ${at}`);
  assert.equal(describeByte(model.elf, 18).value, 247);
  assert.match(describeByte(model.elf, 0xbb8).entry, /symbol 9 `ports`/);
});

test('a file that lies about its tables is read within its bounds', () => {
  const { elf } = model;
  for (let seed = 0; seed < 300; seed += 1) {
    const data = load('plain-count');
    const bytes = Buffer.from(elf.bytes);
    for (let times = 0; times < 8; times += 1) bytes[(seed * 7919 + times * 104729) % bytes.length] = (seed * 31 + times * 17) & 255;
    data.file.bytes = bytes.subarray(0, seed % 3 ? bytes.length : (seed * 16) % bytes.length).toString('base64');
    const changed = makeModel(data);
    for (let at = 0; at < changed.elf.bytes.length; at += 97) describeByte(changed.elf, at);
    for (const hole of changed.holes) chain(changed, hole);
  }
});

test('a search is an offset, a symbol, a section, or the beginning of one', () => {
  assert.equal(find(model, ' 0x144 '), 0x144);
  assert.equal(find(model, '64'), 64);
  assert.equal(find(model, '99999999'), null);
  assert.equal(find(model, '.maps'), 480);
  assert.equal(find(model, 'PORT'), 0x140);
  assert.equal(find(model, 'nobody'), null);
  assert.equal(find(model, ''), null);
});

test('where byte 0 is known, the packet of every hook begins there', () => {
  const first = Object.fromEntries(model.hooks.map((hook) => [hook.hook, packetOf(hook)]).map(([hook, packet]) => [hook, packet && packet.layers[packet.first]]));
  assert.deepEqual(
    { tcp: first.tcp, udp: first.udp, unixgram: first.unixgram, packet: first.packet, cooked: first['packet-cooked'], raw: first.raw, reuseport: first.reuseport, foreign: first.foreign },
    { tcp: 'TCP', udp: 'UDP', unixgram: 'payload', packet: 'Ethernet', cooked: 'IPv4', raw: 'IPv4', reuseport: 'payload', foreign: null });
  const tcp = packetOf(model.hooks[0]);
  assert.equal(fieldAt(tcp, 13).field, 'flags');
  assert.equal(fieldAt(tcp, 20).layer, 'payload');
  assert.match(fieldAt(tcp, 4000).field, /past its end/);
  assert.match(fieldAt(tcp, -1).field, /before byte 0/);
});

const LOG = `func#0 @0
Live regs before insn:
      0: .1........ (bf) r6 = r1
      1: ......6... (15) if r0 == 0x0 goto pc+5
0: R1=ctx() R10=fp0
; int f(struct __sk_buff *skb) @ f.c:1
0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()
1: (15) if r0 == 0x0 goto pc+5 7: R0=0
2: (79) r1 = *(u64 *)(r0 +0)          ; R0=map_value(map=a b,ks=2) R1_w=scalar(id=1,var_off=(0x0; 0xff))
R1 invalid mem access 'scalar'

from 1 to 7: R0=0 R6=ctx()
7: (95) exit
mark_precise: frame0: last_idx 7

from 1 to 8: R0=0
8: (b7) r0 = 1                        ; R0=1
9: safe
from 1 to 9: safe
processed 4 insns (limit 1000000) max_states_per_insn 0
`;

test('a log is read as paths, with states and what was said', () => {
  const log = readLog(LOG);
  assert.deepEqual(log.paths.map(({ title, steps, end }) => [title, steps.length, end !== '']), [['from the start', 3, false], ['from 1 to 7', 1, false], ['from 1 to 8', 1, true]]);
  assert.deepEqual(log.paths[0].steps[2].said, ["R1 invalid mem access 'scalar'"]);
  assert.deepEqual(log.paths[0].steps[1].state, { R0: '0' });
  assert.equal(log.paths[0].steps[2].state.R0, 'map_value(map=a b,ks=2)');
  assert.deepEqual(stateAfter(log.paths[0], 1), { R1: 'ctx()', R6: 'ctx()', R0: '0' });
  assert.equal(log.visits.get(0), 1);
  assert.match(log.statistics, /^processed 4/);
});

test('text that is no log is no path', () => {
  for (const text of ['', 'nonsense', '((((', ': (', '9999999999999: (zz) x', 'from x to y: safe']) assert.deepEqual(readLog(text).paths, [], text);
  assert.deepEqual(readState('R1=a(b c) nonsense fp-8=mmmm R2_rw=5 =x'), { R1: 'a(b c)', 'fp-8': 'mmmm', R2: '5' });
});

test('the source is whole where the report has it, and says where it differs', () => {
  const lines = sourceLines(model, program);
  assert.equal(lines[0].text, './bpf-src/count.bpf.c');
  assert.ok(lines.some(({ text }) => text === '⋯') && lines.every(({ differs }) => !differs));
  const whole = { ...model, data: { ...model.data, sources: [{ file: './bpf-src/count.bpf.c', text: 'changed\n'.repeat(60) }] } };
  assert.ok(sourceLines(whole, program).some(({ differs }) => differs));
});

test('what cannot be seen is made visible', () => {
  assert.equal(visible('a\u202eb\u0000c\u2066\u200bd\te'), 'a\\u{202e}b\\u{0}c\\u{2066}\\u{200b}d\te');
});

test('the kernel’s numbers are held against the page’s', () => {
  assert.deepEqual(comparisons(model), []);
  const run = [{ kind: 'program', name: 'count', tag: program.facts.tag_sha1, insns: 50, maps: [] }];
  const rows = comparisons({ ...model, run });
  assert.deepEqual(rows.map(({ ours, theirs }) => ours === theirs), [true, false]);
});

test('readelf, bpftool and strace say what every page says, of every sample and of the matrix', () => {
  const asked = {};
  for (const name of readdirSync('pages').filter((each) => each.endsWith('.html'))) {
    const data = load(name.replace('.html', ''));
    for (const said of data.referees.length ? judged(makeModel(data)) : []) {
      assert.equal(said.result, 'equal', `${name}: ${said.tool}, ${said.what}: ${said.ours}, not ${said.value}`);
      asked[said.tool] = (asked[said.tool] ?? 0) + 1;
    }
  }
  assert.ok(asked.readelf > 400 && asked.bpftool > 300 && asked.strace > 900, JSON.stringify(asked));
});

test('a referee that says something else is different, and one that speaks of something else is not compared', () => {
  const count = load('count');
  const each = makeModel(count);
  for (const said of count.referees) {
    const result = (change) => judged({ ...each, data: { ...count, referees: [{ ...said, ...change }] } })[0].result;
    // Of a tag there are two, by the kernel's version.
    assert.equal(result({ value: `${said.value}0` }), 'different', said.what);
    assert.equal(result({ tool: 'nobody' }), 'not compared');
    assert.equal(result({ what: `${said.what}?` }), 'not compared', said.what);
  }
  assert.deepEqual(byCommand(judged(each)).map(({ tool, rows }) => [tool, rows.length > 4]), [['readelf', true], ...Array(4).fill(['bpftool', true]), ['strace', true]]);
});
