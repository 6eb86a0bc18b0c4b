// Every sample in a real browser, the largest, and those that would be something else than text.

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { dataOf } from './data.js';
import { MATRIX, PAGES, VIEWS, go, launch, open, page, read, window_, withData } from './support.js';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Opens each view, faster than a person; how much wider than the window each is. @param {import('playwright-core').Page} opened */
const through = (opened) => opened.evaluate(async (views) => {
  const wide = [];
  for (const view of views) {
    document.getElementById(`tab-${view}`)?.click();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    wide.push([view, document.documentElement.scrollWidth - innerWidth]);
  }
  return wide;
}, VIEWS);

describe('what is in an object', () => {
  test('opens without a message or a request, every sample and every view', async () => {
    const names = readdirSync(PAGES).filter((name) => name.endsWith('.html'));
    assert.ok(names.length > 55, `only ${names.length} pages`);
    let slowest = 0;
    const { page: opened, wrong, show, close } = await window_(browser);
    for (const name of names) {
      slowest = Math.max(slowest, await show(join(PAGES, name)));
      await through(opened);
      assert.deepEqual(wrong, [], name);
    }
    await close();
    console.log(`  ${names.length} pages, the slowest open in ${Math.round(slowest)} ms`);
  });

  test('opens without a message or a request, every object of the test matrix, the slowest in less than two seconds', async () => {
    const names = readdirSync(MATRIX).filter((name) => name.endsWith('.html'));
    assert.ok(names.length > 200, `only ${names.length} pages`);
    const { page: opened, wrong, show, close } = await window_(browser);
    let slowest = 0;
    for (const name of names) {
      slowest = Math.max(slowest, await show(join(MATRIX, name)));
      // Every view, without waiting for each to be painted.
      await opened.evaluate((views) => {
        for (const view of views) document.getElementById(`tab-${view}`)?.click();
        return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      }, VIEWS);
      assert.deepEqual(wrong, [], name);
    }
    await close();
    console.log(`  ${names.length} pages of the matrix, the slowest open in ${Math.round(slowest)} ms`);
    assert.ok(slowest < 2000, `${slowest} ms`);
  });

  test('can be large: 100,000 instructions are there in less than two seconds', async () => {
    const { page: opened, wrong, took, close } = await open(browser, page('large'));
    const slots = dataOf(read('large.html')).programs[0].text.length;
    assert.ok(slots >= 100000, `${slots} slots`);
    console.log(`  ${slots} slots, ${(statSync(page('large')).size / 1e6).toFixed(1)} MB: open in ${Math.round(took)} ms`);
    assert.ok(took < 2000, `${took} ms`);
    await go(opened, 'code');
    await opened.locator('.insns').focus();
    const start = performance.now();
    await opened.keyboard.press('End');
    await opened.locator(`#i${slots - 1}`).waitFor();
    console.log(`  to its last instruction in ${Math.round(performance.now() - start)} ms`);
    assert.ok((await opened.locator('.insn-row').count()) < 200, 'only the rows in sight exist');
    await go(opened, 'bytes');
    await opened.locator('.hex').focus();
    await opened.keyboard.press('End');
    assert.match(await opened.locator('.byte').innerText(), /section table/);
    assert.deepEqual(wrong, []);
    await close();
  });

  test('is text, whatever it says', async () => {
    const hostile = ['</script><script>alert(1)</script>', '<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', "'; alert(1); //", '\u202etxt.exe\u0000', '`${alert(1)}`', '<style>*{display:none}</style>', 'n'.repeat(10000), 'javascript:alert(1)', '__proto__'];
    const { page: opened, wrong, show, close } = await window_(browser);
    for (const [index, text] of hostile.entries()) {
      // Every string of the data but those that the page counts on.
      const kept = new Set(['kind', 'call', 'syscall', 'bytes', 'before', 'after', 'hole', 'role', 'from', 'origin', 'type']);
      const swap = (value, name) => {
        if (typeof value === 'string') return kept.has(name) ? value : name === 'why' || name === 'fills' ? value.replace(/`[^`]*`/g, () => `\`${text}\``) : text;
        if (Array.isArray(value)) return value.map((each) => swap(each, name));
        return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, key === 'layouts' || key === 'numbers' ? each : swap(each, key)])) : value;
      };
      for (const source of ['count.html', 'null-check.html', 'unlinkable.html']) {
        const file = withData('hostile.html', read(source), (data) => swap(data, ''));
        await show(file);
        const widths = await through(opened);
        const made = await opened.evaluate(() => [document.scripts.length, document.styleSheets.length, document.querySelectorAll('img, iframe, object, embed, a, link, svg[onload]').length, /[\u202a-\u202e\u2066-\u2069\u0000]/.test(document.body.innerText)]);
        assert.deepEqual(made, [2, 1, 0, false], text);
        assert.deepEqual(wrong, [], `${source} ${index}`);
        for (const [view, wide] of widths) assert.ok(wide <= 0, `${text.slice(0, 40)}: ${view} is ${wide} pixels too wide`);
      }
    }
    await close();
  });

  test('is text, also in the names that a compiler took', async () => {
    const { page: opened, wrong, close } = await open(browser, page('hostile-names'));
    for (const view of VIEWS) await go(opened, view);
    await go(opened, 'code');
    assert.match(await opened.locator('.code-view').innerText(), /<script>alert\(2\)<\/script>/);
    await go(opened, 'calls');
    assert.match(await opened.locator('body').innerText(), /<img src=x onerror=alert\(1\)>/);
    assert.equal(await opened.locator('img').count(), 0);
    assert.deepEqual(wrong, []);
    await close();
  });

  test('may come with a run of which little is left', async () => {
    const { page: opened, wrong, show, close } = await window_(browser);
    const kinds = ['syscall', 'program', 'loaded', 'attached', 'event', 'map', 'summary', 'warning', 'error', 'packet', 'insn'];
    const bare = { run: () => kinds.map((kind) => ({ kind })), named: () => kinds.map((kind) => ({ kind, name: 'count', call: 'BPF_MAP_CREATE', ret: -1, tag: '', explanation: { reason: '' }, given: [], maps: [], log: '0: (95) exit' })) };
    for (const run of Object.values(bare)) {
      await show(withData('bare.html', read('count.html'), (data) => {
        data.run = run();
      }));
      await through(opened);
      assert.deepEqual(wrong, []);
    }
    await close();
  });
});
