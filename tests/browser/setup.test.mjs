// The first owner follows the printed link, is told what is wrong beside each field, and is signed in; the link then works no more.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DESK_WIDE, PHONE, obstacles, openBrowser } from './browser.mjs';
import { openShop } from './shop.mjs';

let browser, shop;
before(async () => {
  [browser, shop] = await Promise.all([openBrowser(), openShop()]);
});
after(() => Promise.all([browser?.close(), shop?.close()]));

async function visit(viewport) {
  const page = await (await browser.newContext({ viewport })).newPage();
  await page.goto(shop.setupLink);
  return page;
}

async function fill(page, name, email, password) {
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Your e-mail, to sign in with').fill(email);
  await page.getByLabel('A password of 12 to 200 characters').fill(password);
  await page.getByLabel('A password of 12 to 200 characters').press('Enter');
}

test('the first owner sets up the shop by keyboard, once', async () => {
  const page = await visit(PHONE);
  assert.deepEqual(await obstacles(page), []);
  await fill(page, 'Ada Owner', 'ada', 'short');
  await page.locator('#password-trouble').filter({ hasText: /./ }).waitFor();
  await page.locator('#email-trouble').filter({ hasText: /./ }).waitFor();
  assert.deepEqual(await obstacles(page), []);
  await fill(page, 'Ada Owner', 'ada@example.com', 'a few words to keep in mind');
  await page.getByText('You are signed in as the owner').waitFor();
  assert.deepEqual(await obstacles(page), []);
  const session = await page.request.get(`${shop.address}/v1/session`);
  assert.equal(session.status(), 200);

  const late = await visit(DESK_WIDE);
  await fill(late, 'Eve', 'eve@example.com', 'another few words to keep');
  await late.locator('#trouble').filter({ hasText: /./ }).waitFor();
  assert.deepEqual(await obstacles(late), []);
});
