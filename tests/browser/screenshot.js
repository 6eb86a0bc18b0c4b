// The picture of the README: node screenshot.js FILE.png

import { join } from 'node:path';
import { PAGES, launch, open } from './support.js';

const browser = await launch();
const { page, close } = await open(browser, join(PAGES, 'count.html'), { width: 1200, height: 800 });
await page.screenshot({ path: process.argv[2] });
await close();
await browser.close();
