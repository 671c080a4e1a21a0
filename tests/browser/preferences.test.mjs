// The page of preferences as whoever follows the link in a message meets it: on phone, tablet and desk, by day and by night, and without
// scripts.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { DESK_WIDE, PHONE, TABLET, obstacles, openBrowser } from './browser.mjs';
import { openFloor } from './floor.mjs';
import { openShop } from './shop.mjs';

const SIZES = { phone: PHONE, tablet: TABLET, desk: DESK_WIDE };
/** Where pictures of the pages are kept, for people to look at; nowhere unless it is set. */
const PICTURES = process.env.TANDEM_PICTURES;

let browser, shop, floor;
before(async () => {
  [browser, shop] = await Promise.all([openBrowser(), openShop()]);
  floor = await openFloor(shop);
  const long = { text: 'Walking boots, sandals and everything else for feet that like to be outside', translations: { de: 'Wanderschuhe, Sandalen und Outdoorausrüstungszubehör' } };
  await floor.put('/v1/topics/shoes', { name: long });
  await floor.put('/v1/topics/hats', { name: { text: 'Hats', translations: { de: 'Hüte' } } });
});
after(() => Promise.all([browser?.close(), shop?.close()]));

let made = 0;
/** Somebody new: the address of their page, and of what they agreed to. */
async function somebody() {
  const id = `PERSON-${made += 1}`;
  await floor.post('/v1/customers', { external_id: id, contact: { name: 'Ada', email: `${id}@example.com` } });
  const { page } = await floor.post(`/v1/customers/${id}/preference-links`, null);
  return { page: shop.address + page, consents: `/v1/customers/${id}/consents` };
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
    test(`the page of preferences has no obstacles, ${size}, ${colorScheme}`, async () => {
      const { page: address } = await somebody();
      for (const language of ['en', 'de']) {
        const page = await visit(viewport, `${address}?language=${language}`, { colorScheme });
        assert.deepEqual(await obstacles(page), [], language);
        await picture(page, `preferences-${size}-${colorScheme}-${language}`);
        assert.deepEqual(page.faults, [], language);
        await page.context().close();
      }
      const gone = await visit(viewport, `${shop.address}/p/${'0'.repeat(64)}`, { colorScheme });
      assert.deepEqual(await obstacles(gone), [], 'a link that leads nowhere');
      await gone.context().close();
    });
  }
}

test('without scripts a person chooses by keyboard, pauses, and leaves', async () => {
  const { page: address, consents } = await somebody();
  const page = await visit(PHONE, address, { javaScriptEnabled: false });
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to your choice');
  const news = page.getByRole('group', { name: 'News and offers' });
  await news.getByLabel('E-mail').press('Space');
  await page.getByRole('button', { name: 'Keep my choice' }).press('Enter');
  await page.waitForURL(/did=save/);
  assert.match(await page.locator('.notice').textContent(), /Your choice is kept/);
  assert.ok(await news.getByLabel('Hats').isChecked(), 'the whole has its topics');
  await news.getByLabel('Hats').uncheck();
  await page.getByRole('button', { name: 'Keep my choice' }).click();
  await page.waitForURL(/did=save/);
  assert.ok(await news.getByLabel('E-mail').isChecked());
  assert.equal(await news.getByLabel('Hats').isChecked(), false);
  await page.getByLabel('How long').selectOption('30');
  await page.getByRole('button', { name: 'Pause now' }).click();
  await page.getByText('Paused until').waitFor();
  assert.ok((await floor.get(consents)).paused_until);
  await page.getByRole('button', { name: 'End the pause' }).click();
  await page.waitForURL(/did=resume/);
  await page.getByRole('button', { name: 'Unsubscribe from everything' }).click();
  await page.waitForURL(/did=unsubscribe/);
  const held = (await floor.get(consents)).items.filter((one) => one.purpose === 'marketing');
  assert.ok(held.length > 0 && held.every((one) => !one.holds));
  await page.context().close();
});

test('German readers read German', async () => {
  const { page: address } = await somebody();
  const page = await visit(PHONE, `${address}?language=de`);
  assert.equal(await page.locator('h1').textContent(), 'Was wir Ihnen schreiben dürfen');
  await page.context().close();
});
