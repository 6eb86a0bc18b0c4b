// What each view has to show of count.bpf.o, and every interaction that it has. Without the view's data these fail, and a test proves it.

import assert from 'node:assert/strict';
import { go, says } from './support.js';

/** @typedef {import('playwright-core').Page} Page */

/** The card answers at once: where the descriptor goes, why, and what the verifier would have said. @param {Page} page */
async function bytes(page) {
  await go(page, 'bytes');
  await says(page, '.answer', 'The descriptor of map ports goes to file offset 0x144');
  await says(page, '.why', 'bpf_map_lookup_elem(&ports, &port)');
  await says(page, '.why', 'R1 type=scalar expected=map_ptr');
  const chain = page.locator('.chain li');
  assert.equal(await chain.count(), 5);
  for (const [index, words] of ['0xc18 .relsocket: R_BPF_64_64', '0x140 insn 32: r1 = 0 ll', '0xbb8 9: ports', '0x1e0 ports hash', 'call 6 BPF_PROG_LOAD'].entries()) {
    const text = (await chain.nth(index).innerText()).replace(/\s+/g, ' ');
    for (const word of words.split(' ')) assert.ok(text.includes(word), `${text} lacks ${word}`);
  }
  // The link to the record scrolls there and explains its bytes.
  await page.locator('.chain .at').first().click();
  await says(page, '.byte', /byte 0xc18.*r_offset/i);
  assert.ok(await page.locator('#b3096').isVisible());
  assert.ok((await page.locator('.arrow').count()) >= 3, 'arrows');
  // The keyboard moves byte by byte.
  await page.locator('.hex').focus();
  await page.keyboard.press('ArrowRight');
  await says(page, '.byte', /byte 0xc19/i);
  await page.keyboard.press('Home');
  await says(page, '.byte', /ELF header/);
  await says(page, '.byte', 'every ELF file begins so');
  await page.keyboard.press('PageDown');
  await says(page, '.byte', /byte 0x100/i);
  await page.keyboard.press('End');
  await says(page, '.byte', /section table/);
  // A click on a hole pins it; the pointer alone explains.
  await page.fill('#find', '0x78');
  await page.keyboard.press('Enter');
  await says(page, '.answer', 'map .bss goes to file offset 0x7c');
  await page.locator('#b64').hover();
  await says(page, '.byte', /insn 0, byte 0/);
  await page.locator('#b192').click();
  await says(page, '.answer', '.data goes to file offset 0xbc');
  await page.getByRole('button', { name: 'the next hole' }).click();
  await says(page, '.turn', 'hole 4 of 5');
  await page.getByRole('button', { name: 'the hole before' }).click();
  await says(page, '.turn', 'hole 3 of 5');
  for (const [what, where] of [['.maps', 'at 0x1e0'], ['tota', 'at 0x'], ['nothing of that name', 'nothing like that']]) {
    await page.fill('#find', what);
    await page.getByRole('button', { name: 'go', exact: true }).click();
    await says(page, '.find output', where);
  }
  assert.ok((await page.locator('.strip .part').count()) > 10, 'the strip has the sections');
  await page.locator('.strip .part', { hasText: 'license' }).click();
  await says(page, '.byte', /Dual MIT\/GPL/);
}

/** @param {Page} page */
async function patch(page) {
  await go(page, 'patch');
  const row = page.locator('.hole-row', { hasText: 'insn 32' });
  const cells = async () => (await row.locator('.cell').allInnerTexts()).join(' ');
  await page.fill('#stage', '0');
  assert.equal(await cells(), '18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00');
  await page.getByRole('button', { name: 'patched' }).click();
  const fd = await page.getByLabel('descriptor of map ports').inputValue();
  assert.equal(await cells(), `18 11 00 00 0${fd} 00 00 00 00 00 00 00 00 00 00 00`);
  assert.equal(await row.locator('.changed').count(), 2);
  await says(page, '.tags', /a317155a4f122c0b equal to minibpf’s/);
  // Another descriptor changes its bytes, and the tag stays.
  await page.getByLabel('descriptor of map ports').fill('513');
  assert.equal(await cells(), '18 11 00 00 01 02 00 00 00 00 00 00 00 00 00 00');
  await says(page, '.tags', /a317155a4f122c0b equal to minibpf’s/);
  await page.locator('.holes').focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator('#stage').inputValue(), '1');
  await page.keyboard.press('Home');
  assert.equal(await page.locator('#hole0').getAttribute('aria-selected'), 'true');
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.locator('#hole1').getAttribute('aria-selected'), 'true');
}

/** @param {Page} page */
async function code(page) {
  await go(page, 'code');
  await page.locator('.insns').focus();
  await page.keyboard.press('Home');
  await says(page, '.state', /r6 = r1/);
  await says(page, '.source-row.pinned', 'int count(struct __sk_buff *skb)');
  await page.keyboard.press('ArrowRight');
  await says(page, '.state', /r1 = 1/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowLeft');
  await says(page, '.state', /r1 = 1/);
  // From the source to the instruction, and on to what made its registers.
  await page.locator('.source-row', { hasText: 'seen = bpf_map_lookup_elem' }).click();
  await says(page, '.insn-row.pinned', /r1 = map fd/);
  await page.locator('.insn-row', { hasText: 'bpf_map_lookup_elem' }).first().click();
  await says(page, '.state', /helper bpf_map_lookup_elem/);
  await says(page, '.state', /r1 ← insn 32/);
  await page.getByRole('button', { name: 'r1 ← insn 32' }).click();
  await says(page, '.state', /filled by the loader/);
  await page.getByRole('button', { name: 'step →' }).click();
  await says(page, '.state', /slot 34/);
  await page.locator('.source').focus();
  await page.keyboard.press('ArrowDown');
  await says(page, '.source-row.pinned', 'if (seen) {');
  await page.locator('.state .go', { hasText: /^insn \d+/ }).first().click();
  await says(page, '.state', /slot 41/);
}

/** What the verifier knew, where a run says so. @param {Page} page */
async function registers(page) {
  await go(page, 'code');
  await page.locator('.insns').focus();
  await page.keyboard.press('Home');
  for (let step = 0; step < 29; step += 1) await page.keyboard.press('ArrowDown');
  await says(page, '.state', /r1 = map fd/);
  await says(page, '.registers .changed', /R1 .*map_ptr\(/);
  assert.ok((await page.locator('.heat.h1, .heat.h2').count()) > 5);
}

/** @param {Page} page */
async function calls(page) {
  await go(page, 'calls');
  await says(page, '.call', /BPF_PROG_LOAD/);
  await says(page, '.explained', /insns.*every hole filled/);
  await page.locator('[data-field=insn_cnt]').click();
  await says(page, '.explained', /insn_cnt.*51/);
  await page.locator('[data-field=license]').hover();
  await says(page, '.explained', /license/);
  await page.locator('[data-field=insn_cnt]').focus();
  await page.keyboard.press('ArrowRight');
  await says(page, '.explained', /insns/);
  await page.locator('.calls').focus();
  await page.keyboard.press('Home');
  await says(page, '.call h2', 'BPF_BTF_LOAD');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.locator('[data-field=max_entries]').click();
  await says(page, '.explained', /1024.*member max_entries/);
  await page.locator('[data-field=map_type]').click();
  await says(page, '.explained', /BPF_MAP_TYPE_HASH = 1/);
  await page.locator('[data-field=map_name]').click();
  await page.locator('.explained .go').click();
  await says(page, '.byte', /symbol 9 ports/);
}

/** @param {Page} page */
async function places(page) {
  await go(page, 'places');
  const hooks = page.locator('#hook');
  await hooks.selectOption({ index: 0 });
  await says(page, '.hit', 'TCP: source port');
  await page.fill('#offset', '13');
  await says(page, '.hit', 'TCP: flags');
  await page.selectOption('#returns', { index: 1 });
  await says(page, '.places', 'the connection stalls');
  await page.selectOption('#returns', { index: 2 });
  await says(page, '.places', 'Kept whole');
  const names = await hooks.locator('option').allInnerTexts();
  assert.ok(names.length >= 14);
  for (let index = 0; index < names.length; index += 1) {
    await hooks.selectOption({ index });
    assert.ok((await page.locator('.packet').innerText()).length > 3, names[index]);
  }
  await hooks.selectOption({ index: names.findIndex((name) => name.startsWith('packet:')) });
  await page.fill('#offset', '12');
  await says(page, '.hit', 'Ethernet: EtherType');
}

/** Without a run: what would be said. @param {Page} page */
async function verifier(page) {
  await go(page, 'verifier');
  await says(page, '.verifier', /R1 type=scalar expected=map_ptr/);
  await page.getByRole('button', { name: 'insn 45' }).click();
  await says(page, '.answer', 'file offset 0x1ac');
}

/** With one: what was said. @param {Page} page */
async function verdict(page) {
  await go(page, 'verifier');
  await says(page, '.verifier', /loaded .*instructions walked/);
  await says(page, '.verifier', /processed \d+ insns/);
  const paths = page.locator('details.path');
  assert.ok((await paths.count()) >= 3);
  await paths.nth(1).locator('summary').click();
  await paths.nth(1).locator('.path-row').nth(3).waitFor();
  await page.locator('.hot-row').first().click();
  await says(page, '.state', /slot \d+/);
}

/** @param {Page} page */
async function run(page) {
  await go(page, 'run');
  await says(page, '.moments', /BPF_PROG_LOAD = \d+/);
  await page.fill('#scrub', '0');
  await says(page, '.run .card', /1 of \d+: syscall/i);
  await page.locator('.moments').focus();
  await page.keyboard.press('ArrowDown');
  await says(page, '.run .card', /2 of \d+: syscall/i);
  await page.locator('.moment').nth(3).click();
  await says(page, '.run', /fd \d+ map ports/);
  // Three tools, each with its command, and what each says of the file, of the kernel and of the calls.
  await says(page, '.verdicts', /\d+ values of readelf, bpftool, strace: ✓ all that can be compared are equal\./);
  const rows = { readelf: [/section 3 socket: file offset 0x40 0x40 ✓ equal/, /section 3 socket: bytes 408 408/, /record 3 of section 4 0x100 ports 0x100 ports ✓ equal/],
    'bpftool prog': [/program count: tag a317155a4f122c0b a317155a4f122c0b ✓ equal/, /bytes_xlated 424 424/, /map_ids \d+ \d+ \d+/],
    'bpftool map': [/map \d+ \.data: type array array/, /bytes_value 4 4/],
    strace: [/bpf call 6 BPF_PROG_LOAD = \d+ BPF_PROG_LOAD = \d+ ✓ equal/, /bpf call 6: insn_cnt 51 51/, /bpf call 1: btf_size 1754 1754/] };
  for (const [tool, wanted] of Object.entries(rows)) {
    const group = page.locator('.referee', { hasText: tool }).first();
    if (!(await group.evaluate((/** @type {any} */ details) => details.open))) await group.locator('summary').click();
    const text = (await group.innerText()).replace(/\s+/g, ' ');
    for (const row of wanted) assert.match(text, row);
  }
  await says(page, '.run > .scroll .referees', /tag of count a317155a4f122c0b/);
  assert.equal(await page.locator('.referees .unequal').count(), 0);
  assert.ok((await page.locator('.run > .scroll .referees .equal').count()) >= 5);
  const copy = page.locator('.referee', { hasText: 'readelf' }).getByRole('button', { name: /^copy: readelf/ });
  await copy.click();
  await copy.filter({ hasText: /copied|marked/ }).waitFor();
}

/** Of an object that cannot be linked: where, why, and how to mend it. @param {Page} page */
export async function refused(page) {
  await go(page, 'bytes');
  await says(page, '.unlinked', /Program lost cannot be linked/);
  await says(page, '.unlinked', /nobody is not defined in this object/);
  await says(page, '.unlinked', /where section socket, insn \d+, 0x[0-9a-f]+/i);
  await says(page, '.unlinked', /source .*unlinkable\.c:1 .*return skb \? nobody\(\) : 0/i);
  await says(page, '.unlinked', /why each object is loaded alone/);
  await says(page, '.unlinked', /mend define it in this object/);
  // The instruction is where the card says, and a call.
  await page.locator('#find').fill('0x0');
  await page.keyboard.press('Enter');
  await page.locator('.unlinked .at').click();
  const at = await page.locator('.unlinked .at').innerText();
  await says(page, '.byte', new RegExp(`byte ${at}`, 'i'));
  assert.equal(await page.locator(`#b${Number(at)}`).innerText(), '85');
  await says(page, '.side', /No program could be linked/);
  await go(page, 'verifier');
  await says(page, '.verifier .unlinked', /cannot be linked/);
  await page.locator('.verifier .unlinked .at').click();
  assert.ok(await page.locator('#view-bytes').isVisible());
}

/** The views that need no run, and those that need one. */
export const PLAIN = { bytes, patch, code, calls, places, verifier };
export const RECORDED = { registers, verdict, run };
