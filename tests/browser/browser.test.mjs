// The proof that the careful look sees what it should: a good page passes, a bad one does not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DESK, PHONE, obstacles, openBrowser } from './browser.mjs';

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

async function look(viewport, main) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.setContent(
    `<!doctype html><html lang="en"><head><title>Shop</title>
     <meta name="viewport" content="width=device-width, initial-scale=1"></head>
     <body><main><h1>Shop</h1>${main}</main></body></html>`,
  );
  const found = await obstacles(page);
  await context.close();
  return found;
}

test('a page with labels and names has no obstacles, on phone and desk', async () => {
  const form = '<label for="mail">E-mail</label> <input id="mail" type="email"> <button>Subscribe</button>';
  assert.deepEqual(await look(PHONE, form), []);
  assert.deepEqual(await look(DESK, form), []);
});

test('a picture without words, a field without a label and a page too wide are obstacles', async () => {
  const found = await look(
    PHONE,
    '<img src="data:,"><input placeholder="E-mail"><div style="width: 900px">wide</div>',
  );
  for (const start of ['image-alt: ', 'no label: <input placeholder="E-mail">', 'page is 9']) {
    assert.ok(found.some((obstacle) => obstacle.startsWith(start)), `${start} not in ${found.join('\n')}`);
  }
});
