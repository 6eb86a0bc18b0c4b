// `minibpf report` in a real browser: every view, every interaction; no message, no request, no barrier.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SHOTS, VIEWS, barriers, go, launch, open, page, read, withData } from './support.js';
import { PLAIN, RECORDED, refused } from './views.js';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

describe('what a page shows', () => {
  for (const [view, check] of Object.entries(PLAIN)) {
    test(`${view}: its facts are there and every interaction works`, async () => {
      const { page: opened, wrong, close } = await open(browser, page('plain-count'));
      await check(opened);
      assert.deepEqual(wrong, []);
      await close();
    });
  }
  for (const [view, check] of Object.entries(RECORDED)) {
    test(`${view}, of a recorded run: its facts are there and every interaction works`, async () => {
      const { page: opened, wrong, close } = await open(browser, page('count'));
      await check(opened);
      assert.deepEqual(wrong, []);
      await close();
    });
  }

  test('what cannot be linked is shown as far as it can be read, with where, why and how to mend it', async () => {
    const { page: opened, wrong, close } = await open(browser, page('unlinkable'));
    await refused(opened);
    assert.deepEqual(wrong, []);
    await close();
    for (const [name, says] of [['no-program', /SEC\("socket"\)/], ['damaged', /is the file complete\?/]]) {
      const each = await open(browser, page(name));
      assert.match(await each.page.locator('.unlinked').first().innerText(), says);
      assert.ok((await each.page.locator('.b').count()) > 100, 'the bytes are there');
      assert.deepEqual(each.wrong, []);
      await each.close();
    }
  });

  test('without a click the page says which offset got the descriptor, why, and what the verifier would have said', async () => {
    const { page: opened, close } = await open(browser, page('plain-count'));
    const card = (await opened.locator('.side .card').first().innerText()).replace(/\s+/g, ' ');
    assert.match(card, /The descriptor of map ports goes to file offset 0x144/);
    assert.match(card, /Why Line 44 says seen = bpf_map_lookup_elem\(&ports, &port\);/i);
    assert.match(card, /the verifier would say R1 type=scalar expected=map_ptr/i);
    await close();
  });

  test('the failing instruction of a refused program is opened and explained', async () => {
    const { page: opened, wrong, close } = await open(browser, page('null-check'), { hash: '#verifier' });
    const text = (await opened.locator('.verifier').innerText()).replace(/\s+/g, ' ');
    assert.match(text, /refused, EACCES/);
    assert.match(text, /why a lookup can miss/);
    assert.match(text, /mend test the pointer before you use it/);
    assert.ok(await opened.locator('.path.failed[open] .path-row.stop').isVisible());
    await opened.locator('.walk .stop .go').click();
    assert.match(await opened.locator('.state').innerText(), /r1 = \*\(u64 \*\)\(r0 \+ 0\)/);
    assert.deepEqual(wrong, []);
    await close();
  });

  test('what the kernel keeps is the last step of the patching, where a run has it', async () => {
    const html = read('count.html');
    const file = withData('kept.html', html, (data) => {
      data.run.push({ kind: 'insn', n: 32, text: 'r1 = map[id:7]', bytes: '18110000070000000000000000000000', given: [{ n: 32, text: 'r1 = map fd 6' }], change: 'map', why: 'a descriptor becomes an address' });
    });
    const { page: opened, wrong, close } = await open(browser, file, { hash: '#patch' });
    await opened.fill('#stage', '3');
    assert.match(await opened.locator('.hole-row', { hasText: 'insn 32' }).innerText(), /map\[id:7\]\s+a descriptor becomes an address/);
    assert.deepEqual(wrong, []);
    await close();
  });

  test('a value that differs is said, and so is one of which the page knows nothing; both are text', async () => {
    const html = '<img src=x onerror=alert(1)>\u0000\u202e';
    const file = withData('differs.html', read('count.html'), (data) => {
      data.referees.find((said) => said.what === 'program count: tag').value = '0123456789abcdef';
      data.referees.push({ tool: html, what: html, value: 'v'.repeat(10000), command: 'true; rm -rf x' }, { tool: 'readelf', what: 'section 99 socket: bytes', value: '1', command: 'readelf -SrW count.bpf.o' });
      data.referees.push(...['constructor', '__proto__', 'strace'].map((tool) => ({ tool, what: 'bpf call 0: __proto__', value: '', command: '' })));
    });
    const { page: opened, wrong, close } = await open(browser, file, { hash: '#run' });
    assert.match(await opened.locator('.verdicts').innerText(), /✗ 1 is different \(5 of which this page says nothing\)/);
    const differs = opened.locator('.referee.differs');
    assert.equal(await differs.count(), 1);
    assert.ok(await differs.evaluate((/** @type {any} */ details) => details.open), 'it stands open');
    const first = (await differs.locator('tbody tr').first().innerText()).replace(/\s+/g, ' ');
    assert.match(first, /program count: tag a317155a4f122c0b 0123456789abcdef ✗ different/);
    // A command that a shell would take for more than one is not offered.
    const foreign = opened.locator('.referee', { hasText: 'rm -rf x' });
    assert.match(await foreign.innerText(), /<img src=x onerror=alert\(1\)>[^]*not compared/);
    assert.equal(await foreign.getByRole('button').count(), 0);
    assert.deepEqual(await barriers(opened), []);
    assert.ok(await opened.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.deepEqual(wrong, []);
    await close();
  });

  test('the tabs turn by arrow keys, and a link leads to a view', async () => {
    const { page: opened, wrong, close } = await open(browser, page('count'), { hash: '#calls' });
    assert.ok(await opened.locator('#view-calls').isVisible());
    await opened.locator('#tab-calls').focus();
    await opened.keyboard.press('ArrowRight');
    assert.equal(await opened.evaluate(() => document.activeElement?.id), 'tab-places');
    await opened.keyboard.press('Home');
    assert.ok(await opened.locator('#view-bytes').isVisible());
    await opened.keyboard.press('End');
    assert.ok(await opened.locator('#view-run').isVisible());
    const outline = await opened.evaluate(() => getComputedStyle(/** @type {Element} */ (document.activeElement)).outlineWidth);
    assert.notEqual(outline, '0px', 'focus is visible');
    assert.deepEqual(wrong, []);
    await close();
  });
});

describe('a page whose data is gone', () => {
  const strips = {
    bytes: { 'the patches': (data) => without(data, 'patch'), 'the bytes': (data) => (data.file.bytes = ''), 'the maps': (data) => without(data, 'mapdef') },
    patch: { 'the patches': (data) => without(data, 'patch'), 'the tags': (data) => data.facts.forEach((line) => delete line.tag_sha256) },
    code: { 'the instructions': (data) => data.programs.forEach((program) => (program.text = [])), 'the lines': (data) => data.programs.forEach((program) => (program.lines = [])), 'the helpers': (data) => (data.helpers = {}) },
    calls: { 'the steps': (data) => without(data, 'step'), 'the layouts': (data) => (data.attr.layouts = {}), 'the sources': (data) => data.facts.forEach((line) => delete line.sources) },
    places: { 'the hooks': (data) => data.hooks.forEach((hook) => Object.assign(hook, { byte0: '', returns: '', hook: '' })) },
    verifier: { 'what an open hole leads to': (data) => data.facts.forEach((line) => line.left_open && (line.left_open = '')) },
    registers: { 'the run': (data) => (data.run = []) },
    verdict: { 'the run': (data) => (data.run = []), 'the log': (data) => data.run.forEach((line) => delete line.log) },
    refused: { 'the refusals': (data) => (data.refusals = []), 'the bytes': (data) => (data.file.bytes = '') },
    run: { 'the run': (data) => (data.run = []), 'the calls': (data) => (data.run = data.run.filter((line) => line.kind !== 'syscall')), 'what others say': (data) => (data.referees = []), 'what bpftool says': (data) => (data.referees = data.referees.filter((said) => said.tool !== 'bpftool')), 'what the page says': (data) => without(data, 'section') },
  };
  const without = (data, kind) => (data.facts = data.facts.filter((line) => line.kind !== kind));

  test('fails the test of its view', async () => {
    const all = { ...PLAIN, ...RECORDED, refused };
    const source = (view) => (view === 'refused' ? 'unlinkable' : view in PLAIN ? 'plain-count' : 'count');
    assert.deepEqual(Object.keys(strips).sort(), Object.keys(all).sort(), 'every view has something to lose');
    for (const [view, cases] of Object.entries(strips)) {
      // Nothing taken out: the control, without which a failure would say nothing.
      for (const [what, strip] of [['', () => {}], ...Object.entries(cases)]) {
        const file = withData('stripped.html', read(`${source(view)}.html`), (data) => {
          strip(data);
          return data;
        });
        const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
        const opened = await context.newPage();
        await opened.goto(`file://${file}`);
        if (what) {
          // What is gone does not come; the control may take as long as a busy machine takes.
          opened.setDefaultTimeout(1500);
          await assert.rejects(() => all[view](opened), `${view} does not miss ${what}`);
        } else {
          await all[view](opened);
        }
        await context.close();
      }
    }
  });
});

describe('who reads a page', () => {
  for (const scheme of ['light', 'dark']) {
    test(`has no barrier in any view, ${scheme}`, async () => {
      const { page: opened, wrong, close } = await open(browser, page('null-check'), { scheme });
      for (const view of VIEWS) {
        await go(opened, view);
        assert.deepEqual(await barriers(opened), [], view);
      }
      assert.deepEqual(wrong, []);
      await close();
    });
  }

  test('has no barrier either where there is no hole and no run', async () => {
    for (const name of ['pass', 'plain-count', 'unlinkable', 'damaged']) {
      const { page: opened, close } = await open(browser, page(name));
      for (const view of VIEWS) {
        await go(opened, view);
        assert.deepEqual(await barriers(opened), [], `${name}: ${view}`);
      }
      await close();
    }
  });

  test('on a phone sees every view without scrolling sideways, and without a barrier', async () => {
    const { page: opened, wrong, close } = await open(browser, page('count'), { width: 390, height: 844 });
    for (const view of VIEWS) {
      await go(opened, view);
      const [wide, room] = await opened.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= room, `${view}: ${wide} pixels in ${room}`);
      assert.deepEqual(await barriers(opened), [], view);
      await opened.screenshot({ path: join(SHOTS, `phone-${view}.png`) });
    }
    assert.deepEqual(wrong, []);
    await close();
  });

  test('prints two sheets', async () => {
    for (const name of ['count', 'pass', 'null-check', 'large', 'unlinkable']) {
      const { page: opened, close } = await open(browser, page(name));
      const pdf = (await opened.pdf({ format: 'A4' })).toString('latin1');
      assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 2, name);
      await close();
    }
  });

  test('and can look at it later: screenshots', async () => {
    for (const [name, scheme] of [['count', 'light'], ['count', 'dark'], ['null-check', 'light']]) {
      const { page: opened, close } = await open(browser, page(name), { scheme });
      for (const view of VIEWS) {
        await go(opened, view);
        if (view === 'patch') await opened.fill('#stage', '2');
        await opened.screenshot({ path: join(SHOTS, `${name}-${scheme}-${view}.png`) });
      }
      await close();
    }
  });
});
