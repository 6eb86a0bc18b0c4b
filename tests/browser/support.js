// A browser, pages of reports, and what is wrong with them: messages on the console, requests, barriers.

import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import axe from 'axe-core';
import { changed } from './data.js';

export const PAGES = join(process.cwd(), 'pages');
export const MATRIX = join(process.cwd(), 'matrix');
export const SHOTS = join(process.cwd(), 'screenshots');
export const VIEWS = ['bytes', 'patch', 'code', 'calls', 'places', 'verifier', 'run'];
export const page = (name) => join(PAGES, `${name}.html`);
mkdirSync(SHOTS, { recursive: true });

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Each with a profile of its own, which is gone with it. */
export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });

/** Opens a page and keeps what goes wrong on it. @param {import('playwright-core').Browser} browser */
export async function open(browser, file, { hash = '', ...how } = {}) {
  const opened = await window_(browser, how);
  const took = await opened.show(file, hash);
  return { ...opened, took };
}

/** A window in which one page after the other can be shown. @param {import('playwright-core').Browser} browser */
export async function window_(browser, { width = 1360, height = 900, scheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const wrong = [];
  let url = '';
  page.on('console', (message) => wrong.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`error: ${error.stack ?? error}`));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url) wrong.push(`request: ${request.url()}`);
  });
  /** Milliseconds until it is drawn. */
  async function show(file, hash = '') {
    url = `file://${file}`;
    const start = performance.now();
    await page.goto(url + hash);
    await page.waitForSelector('[role=tabpanel]:not([hidden])', { timeout: 20000 });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    return performance.now() - start;
  }
  return { page, wrong, show, close: () => context.close() };
}

/** What keeps people out who do not use a mouse or do not see the page. @param {import('playwright-core').Page} page */
export async function barriers(page) {
  // Not by a script element: the page's policy would refuse it.
  await page.evaluate(axe.source);
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return result.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
}

/** A page of its own with other data. */
export function withData(name, html, change) {
  const file = join(PAGES, '..', name);
  writeFileSync(file, changed(html, change));
  return file;
}

export const read = (name) => readFileSync(join(PAGES, name), 'utf8');

/** @param {import('playwright-core').Page} page @param {string} view */
export async function go(page, view) {
  await page.click(`#tab-${view}`);
  await page.waitForSelector(`#view-${view}:not([hidden])`);
}

/** @param {import('playwright-core').Page} page @param {string} selector @param {RegExp | string} wanted */
export async function says(page, selector, wanted) {
  const text = (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ');
  if (wanted instanceof RegExp) assert.match(text, wanted);
  else assert.ok(text.includes(wanted), `${selector} says “${text.slice(0, 400)}”, not “${wanted}”`);
}
