// The start page and the API reference as people meet them: on phone, tablet and desk, by day and by night, while orders come in.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DESK_WIDE, PHONE, TABLET, obstacles, openBrowser } from './browser.mjs';
import { openShop } from './shop.mjs';

const SIZES = { phone: PHONE, tablet: TABLET, desk: DESK_WIDE };

let browser, shop;
before(async () => {
  [browser, shop] = await Promise.all([openBrowser(), openShop({ TANDEM_PUBLIC_FIGURES: 'true' })]);
});
after(() => Promise.all([browser?.close(), shop?.close()]));

/** Figures as the shop sends them. */
function figures(orders) {
  const money = (amount) => ({ amount, currency: 'GBP' });
  const sum = { orders, units: 24 * orders, revenue: 4_215 * orders, currency: 'GBP' };
  const latest = Array.from({ length: Math.min(orders, 12) }, (_, back) => ({
    number: `7KQ4-${String(orders - back).padStart(4, '0')}`,
    channel: back % 2 ? 'Till Leeds' : 'Web shop',
    gross: money(4_215),
    state: back === 1 ? 'pending_payment' : 'completed',
    at: '2026-11-21T09:30:00Z',
  }));
  const long = 'The till beside the lift on the second floor of the department store that was once a railway station';
  const channels = [['Web shop', 9], ['Till Leeds', 3], [long, 1]].map(([name, part]) => ({
    name,
    kind: 'till',
    orders: part * orders,
    revenue: money(421_500 * part * orders),
  }));
  const locations = [['Daventry warehouse', 410_233], ['Wakefield', 0], [`Store ${'Llanfairpwllgwyngyll'.repeat(3)}`, 7]];
  return {
    today: orders ? [sum] : [],
    total: orders ? [sum] : [],
    channels: orders ? channels : [],
    locations: locations.map(([name, pieces]) => ({ name, kind: 'store', pieces })),
    latest,
  };
}

/** A page whose stream the test speaks on: `page.tell(figures)`. */
async function visit(viewport, options = {}) {
  const context = await browser.newContext({ viewport, ...options });
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.EventSource = class extends EventTarget {
      constructor() {
        super();
        window.stream = this;
        window.streams = (window.streams ?? 0) + 1;
      }
      close() {}
    };
  });
  page.tell = (data) =>
    page.evaluate((text) => window.stream.dispatchEvent(new MessageEvent('message', { data: text })), JSON.stringify(data));
  return page;
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the start page has no obstacles, ${size}, ${colorScheme}`, async () => {
      const page = await visit(viewport, { colorScheme });
      await page.goto(shop.address);
      assert.deepEqual(await obstacles(page), [], 'while it loads');
      await page.tell(figures(0));
      assert.match(await page.locator('#latest-empty').textContent(), /No orders yet/);
      assert.deepEqual(await obstacles(page), [], 'without orders');
      await page.tell(figures(38));
      assert.deepEqual(await obstacles(page), [], 'with orders and long names');
      await page.context().close();
    });
  }

  test(`the API reference has no obstacles, ${size}`, async () => {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    await page.goto(`${shop.address}/docs#create_location`);
    assert.ok(await page.locator('#create_location').evaluate((entry) => entry.open), 'the address opens its operation');
    assert.deepEqual(await obstacles(page), []);
    await context.close();
  });
}

test('figures move when an order arrives, and only the new one is marked', async () => {
  const page = await visit(PHONE);
  await page.goto(shop.address);
  await page.tell(figures(38));
  assert.equal(await page.locator('#orders-today').textContent(), '38');
  assert.equal(await page.locator('#latest li.new').count(), 0);
  await page.tell(figures(39));
  assert.equal(await page.locator('#orders-today').textContent(), '39');
  assert.match(await page.locator('#revenue-today').textContent(), /1,643\.85/);
  assert.deepEqual(await page.locator('#latest li.new .number').allTextContents(), ['7KQ4-0039']);
  assert.match(await page.locator('#latest li').nth(1).textContent(), /waits for payment/);
  await page.context().close();
});

test('a lost stream says so, keeps its figures, and is taken up again', async () => {
  const page = await visit(PHONE);
  await page.goto(shop.address);
  await page.tell(figures(38));
  await page.evaluate(() => window.stream.dispatchEvent(new Event('error')));
  assert.match(await page.locator('#status').textContent(), /Connection lost, trying again/);
  assert.equal(await page.locator('#orders-today').textContent(), '38');
  await page.waitForFunction(() => window.streams === 2, null, { timeout: 10_000 });
  await page.tell(figures(40));
  assert.equal(await page.locator('#status').textContent(), 'Live');
  await page.context().close();
});

test('the real stream comes at once', async () => {
  const context = await browser.newContext({ viewport: PHONE });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(shop.address);
  await page.waitForFunction(() => document.getElementById('status').dataset.state === 'live', null, { timeout: 10_000 });
  assert.match(await page.locator('#stock-empty').textContent(), /No locations yet/);
  assert.deepEqual(faults, []);
  await context.close();
});

test('one finds an operation by typing, and nothing else stays', async () => {
  const context = await browser.newContext({ viewport: PHONE });
  const page = await context.newPage();
  await page.goto(`${shop.address}/docs`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.getByLabel('Find an operation or a shape').fill('make location');
  await page.waitForFunction(() => document.getElementById('found').textContent !== '');
  assert.ok(await page.locator('#create_location').isVisible());
  assert.ok(!(await page.locator('#read_liveness').isVisible()));
  await context.close();
});
