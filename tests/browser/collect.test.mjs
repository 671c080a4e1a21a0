// What people do on pages of another address reaches the shop by its own small script: once, on one person, whatever the browser keeps.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { PHONE, openBrowser } from './browser.mjs';
import { openShop } from './shop.mjs';
import { openFloor } from './floor.mjs';

let browser, shop, floor, key, front, server;
before(async () => {
  [browser, shop] = await Promise.all([openBrowser(), openShop()]);
  floor = await openFloor(shop);
  key = (await floor.post('/v1/sources', { name: 'Front', kind: 'web' })).write_key;
  const html = `<!doctype html><title>Teapots</title><script src="${shop.address}/collect.js" data-key="${key}"></script>`;
  server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(html));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  front = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server?.closeAllConnections();
  return Promise.all([browser?.close(), shop?.close(), new Promise((resolve) => server?.close(resolve) ?? resolve())]);
});

/** A page of another address that has the script. */
async function visit(context) {
  const page = await context.newPage();
  await page.goto(`${front}/teapots?size=2`);
  return page;
}

/** What is told of a user once there are so many events, the earliest first. */
async function told(user, many) {
  for (let tries = 0; ; tries += 1) {
    const profile = await floor.post('/v1/profiles/find', { kind: 'user_id', value: user }).catch(() => null);
    const events = profile ? (await floor.get(`/v1/profiles/${profile.id}/events?limit=50`)).items : [];
    if (events.length >= many || tries === 50) return events.reverse().map((event) => event.name ?? event.type);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('what was done before somebody signed in is theirs afterwards', async () => {
  const context = await browser.newContext({ viewport: PHONE });
  const page = await visit(context);
  await page.evaluate(() => window.tandem.track('Product Viewed', { sku: 'TEAPOT' }));
  await page.evaluate(() => window.tandem.identify('user-1', { plan: 'gold' }));
  await page.close({ runBeforeUnload: true });
  const again = await visit(context);
  await again.evaluate(() => window.tandem.track('Cart Viewed'));
  assert.deepEqual(await told('user-1', 5), ['Teapots', 'Product Viewed', 'identify', 'Teapots', 'Cart Viewed']);
  await again.evaluate(() => window.tandem.reset());
  await again.evaluate(() => window.tandem.track('Somebody else'));
  await again.evaluate(() => window.tandem.identify('user-2'));
  assert.deepEqual(await told('user-2', 2), ['Somebody else', 'identify']);
  assert.equal((await told('user-1', 5)).length, 5);
  await context.close();
});
