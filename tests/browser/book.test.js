// The book as a site: every page in a real browser, every link, the search, and what it asks of the network (nothing).

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './support.js';

const BOOK = process.env.BOOK ?? join(process.cwd(), '..', 'book');
/** Pages of other kinds: reports have tests of their own, toc.html is a frame of every page, and 404.html is for a server, at its root. */
const OTHERS = /^(reports\/|toc\.html$|404\.html$)/;
const pages = readdirSync(BOOK, { recursive: true }).map(String).filter((name) => name.endsWith('.html') && !OTHERS.test(name)).sort();

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** A window that keeps what goes wrong in it. */
async function window_() {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`error: ${error}`));
  // What is aborted was still under way, a picture for the window's title, when the next page was opened.
  page.on('requestfailed', (request) => request.failure()?.errorText === 'net::ERR_ABORTED' || wrong.push(`not loaded: ${request.url()}`));
  page.on('request', (request) => /^(file|data|blob):/.test(request.url()) || wrong.push(`request: ${request.url()}`));
  return { page, wrong };
}

/** What a page refers to, and what on it can be referred to. */
const partsOf = (page) => page.evaluate(() => ({
  ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
  links: [...document.querySelectorAll('main a[href], nav a[href]')].map((link) => /** @type {HTMLAnchorElement} */ (link).href),
  broken: [...document.images].filter((image) => !image.complete || image.naturalWidth === 0).map((image) => image.src),
  silent: [...document.querySelectorAll('main img:not([alt]), main img[alt=""]')].length,
  wide: document.documentElement.scrollWidth - innerWidth,
  title: document.querySelector('main h1')?.textContent ?? '',
}));

describe('the book', () => {
  test('has every page without an error, and no link that leads nowhere', async () => {
    assert.ok(pages.length > 60, `only ${pages.length} pages`);
    const { page, wrong } = await window_();
    const anchors = new Map();
    const links = new Map();
    for (const name of pages) {
      await page.goto(`file://${join(BOOK, name)}`);
      const parts = await partsOf(page);
      assert.deepEqual(wrong, [], name);
      assert.deepEqual(parts.broken, [], `${name}: an image is not there`);
      assert.equal(parts.silent, 0, `${name}: an image says nothing to those who do not see it`);
      assert.ok(parts.wide <= 0, `${name} is wider than its window by ${parts.wide}`);
      assert.ok(parts.title !== '' || name === 'print.html', `${name} has no title`);
      anchors.set(join(BOOK, name), new Set(parts.ids));
      links.set(name, parts.links);
    }
    const nowhere = [];
    let count = 0;
    for (const [name, targets] of links) {
      for (const target of targets.filter((target) => target.startsWith('file:'))) {
        count += 1;
        const url = new URL(target);
        const file = fileURLToPath(`file://${url.pathname}`);
        const anchor = decodeURIComponent(url.hash.slice(1));
        if (!existsSync(file)) nowhere.push(`${name}: ${relative(BOOK, file)}`);
        else if (anchor !== '' && anchors.has(file) && !anchors.get(file).has(anchor)) nowhere.push(`${name}: ${relative(BOOK, file)}#${anchor}`);
      }
    }
    assert.deepEqual(nowhere, []);
    console.log(`  ${pages.length} pages, ${count} links`);
  });

  test('finds a word, and leads to where it stands', async () => {
    const { page, wrong } = await window_();
    await page.goto(`file://${join(BOOK, 'index.html')}`);
    await page.keyboard.press('s');
    await page.keyboard.type('relocation');
    await page.locator('#mdbook-searchresults li a, #searchresults li a').first().click();
    await page.waitForLoadState();
    assert.match(await page.locator('main').innerText(), /relocation/i);
    assert.deepEqual(wrong, []);
  });

  test('leads from each chapter to its solutions, and on to the next chapter by the arrow key', async () => {
    const { page, wrong } = await window_();
    const chapters = pages.filter((name) => /^ch\d\d-/.test(name));
    assert.ok(chapters.length >= 24, `${chapters.length} chapters`);
    await page.goto(`file://${join(BOOK, chapters[0])}`);
    for (const next of chapters.slice(1)) {
      const solutions = page.locator('main a[href^="solutions/"]').first();
      assert.ok(existsSync(join(dirname(fileURLToPath(page.url())), (await solutions.getAttribute('href')) ?? '')), `${page.url()}: no solutions`);
      await page.keyboard.press('ArrowRight');
      await page.waitForURL(`file://${join(BOOK, next)}`, { timeout: 5000 });
    }
    assert.deepEqual(wrong, []);
  });
});
