// The page of an order as its customer meets it: on phone, tablet and desk, by day and by night, with long names and without scripts.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { DESK_WIDE, PHONE, TABLET, obstacles, openBrowser } from './browser.mjs';
import { openShop } from './shop.mjs';
import { openFloor } from './floor.mjs';

const SIZES = { phone: PHONE, tablet: TABLET, desk: DESK_WIDE };
/** Where pictures of the pages are kept, for people to look at; nowhere unless it is set. */
const PICTURES = process.env.TANDEM_PICTURES;

let browser, shop, floor, orders;
before(async () => {
  [browser, shop] = await Promise.all([openBrowser(), openShop()]);
  floor = await openFloor(shop);
  orders = await stories();
});
after(() => Promise.all([browser?.close(), shop?.close()]));

/** Orders in every state a customer may find theirs in: the address of the page of each. */
async function stories() {
  const placed = await floor.order([['MUG', 2], ['LONG', 1]]);
  const pickup = await floor.order([['MUG', 2]], 'york');
  await floor.step(pickup, 'ready');
  const parcels = await floor.order([['MUG', 9], ['LONG', 4]]);
  const part = await floor.part(parcels);
  await floor.post(`${part}/pick`, { lines: [{ variant: 'MUG', quantity: 9 }, { variant: 'LONG', quantity: 4 }] });
  const packed = [];
  for (const [sku, quantity] of [['MUG', 3], ['MUG', 3], ['MUG', 3], ['LONG', 2], ['LONG', 2]]) {
    packed.push(await floor.post(`${part}/parcels`, { lines: [{ variant: sku, quantity }], carrier: 'van' }));
  }
  for (const parcel of packed.slice(0, 4)) await floor.post(`/v1/orders/${parcels}/parcels/${parcel.id}/ship`, {});
  await floor.post(`/v1/orders/${parcels}/parcels/${packed[0].id}/attempt`, { outcome: 'delivered' });
  await floor.post(`/v1/orders/${parcels}/parcels/${packed[1].id}/attempt`, { outcome: 'not_at_home' });
  const back = await floor.order([['MUG', 4]]);
  await floor.step(back, 'ship', { tracking: 'JD014600003GB' });
  const line = (await floor.get(`/v1/orders/${back}`)).lines[0].id;
  await floor.post('/v1/returns/requests', { order: back, way: 'post', reason: 'too_small', lines: [{ line, quantity: 1 }] });
  const claim = { order: back, kind: 'damaged', reason: 'damaged', lines: [{ line, quantity: 1 }] };
  const claimed = await floor.post('/v1/claims', claim);
  await floor.post(`/v1/claims/${claimed.id}/resolve`, { remedy: 'refund' });
  const changing = await floor.order([['MUG', 3]]);
  const first = (await floor.get(`/v1/orders/${changing}`)).lines[0].id;
  await floor.post(`/v1/orders/${changing}/changes`, { actions: [{ remove: { line: first, quantity: 1 } }] });
  const cancelled = await floor.order([['MUG', 1]]);
  await floor.post(`/v1/orders/${cancelled}/cancel`, { reason: 'customer' });
  const unpaid = await floor.order([['MUG', 1]], undefined, 'manual');
  const pages = {};
  for (const [name, order] of Object.entries({ placed, pickup, parcels, back, changing, cancelled, unpaid })) {
    pages[name] = { order, page: shop.address + (await floor.post(`/v1/orders/${order}/status-links`, { days: 5 })).page };
  }
  return pages;
}

async function visit(viewport, address, options = {}) {
  const context = await browser.newContext({ viewport, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on('console', (message) => message.type() === 'error' && page.faults.push(message.text()));
  page.on('pageerror', (error) => page.faults.push(String(error)));
  await page.goto(address);
  return page;
}

async function picture(page, name) {
  if (!PICTURES) return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the page of an order has no obstacles, ${size}, ${colorScheme}`, async () => {
      for (const [name, { page: address }] of Object.entries(orders)) {
        const page = await visit(viewport, address, { colorScheme });
        assert.deepEqual(await obstacles(page), [], name);
        for (const summary of await page.locator('summary').all()) await summary.click();
        assert.deepEqual(await obstacles(page), [], `${name}, with everything opened`);
        await picture(page, `${name}-${size}-${colorScheme}`);
        assert.deepEqual(page.faults, [], name);
        await page.context().close();
      }
      const gone = await visit(viewport, `${shop.address}/o/${'0'.repeat(64)}`, { colorScheme });
      assert.deepEqual(await obstacles(gone), [], 'a link that leads nowhere');
      await picture(gone, `gone-${size}-${colorScheme}`);
      await gone.context().close();
    });
  }
}

test('German customers read German', async () => {
  const page = await visit(PHONE, `${orders.parcels.page}?language=de`);
  assert.equal(await page.locator('h1').textContent(), 'Zum Teil unterwegs');
  assert.deepEqual(await obstacles(page), []);
  await picture(page, 'parcels-phone-german');
  await page.context().close();
});

test('without scripts everything is there, and forms work by keyboard', async () => {
  const page = await visit(PHONE, orders.pickup.page, { javaScriptEnabled: false });
  assert.match(await page.locator('.code').textContent(), /^\d{6}$/);
  assert.ok(await page.locator('svg.qr').isVisible());
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to the order');
  await page.getByLabel(/Where are you/).fill('Bay 2');
  await page.getByLabel(/Where are you/).press('Enter');
  await page.waitForURL(/did=arrive/);
  assert.match(await page.locator('main .notice').textContent(), /We know that you are here/);
  assert.ok(await page.getByText('Bay 2').isVisible());
  await page.context().close();
});

test('what the store does is shown at once, and nobody loses what they are writing', async () => {
  const order = await floor.order([['MUG', 2]], 'york');
  const address = shop.address + (await floor.post(`/v1/orders/${order}/status-links`, { days: 5 })).page;
  const page = await visit(PHONE, address);
  assert.equal(await page.locator('h1').textContent(), 'We have your order');
  await floor.step(order, 'start-picking');
  await page.getByRole('heading', { level: 1, name: 'We are getting it ready' }).waitFor({ timeout: 5_000 });
  await floor.step(order, 'ready');
  await page.locator('svg.qr').waitFor({ timeout: 5_000 });
  assert.equal(await page.locator('#told').textContent(), 'Ready for you to collect');
  await page.getByLabel(/Where are you/).fill('Bay');
  await floor.step(order, 'on-the-way', {});
  await page.getByText('There is news of your order.').waitFor({ timeout: 5_000 });
  assert.equal(await page.getByLabel(/Where are you/).inputValue(), 'Bay');
  await page.getByRole('link', { name: 'Show it' }).click();
  await page.getByText('You said you are on your way').waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('an order is made smaller, and then cancelled, by the customer alone', async () => {
  const order = await floor.order([['MUG', 3]]);
  const address = shop.address + (await floor.post(`/v1/orders/${order}/status-links`, { days: 5 })).page;
  const page = await visit(DESK_WIDE, address);
  await page.getByText('Change the order', { exact: true }).click();
  await page.getByRole('spinbutton').first().fill('1');
  await page.getByRole('button', { name: 'Show what changes' }).click();
  await page.getByText('This is what would change.').waitFor();
  await page.getByRole('button', { name: 'Yes, change it' }).click();
  await page.getByText('Your order was changed.').waitFor();
  await page.getByText('Cancel the order', { exact: true }).click();
  await page.getByRole('button', { name: 'Yes, cancel the order' }).click();
  await page.getByRole('heading', { level: 1, name: 'Cancelled' }).waitFor();
  assert.equal((await floor.get(`/v1/orders/${order}`)).state, 'cancelled');
  await page.context().close();
});
