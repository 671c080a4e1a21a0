// The first owner follows the printed link, is told what is wrong beside each field, and is signed in; the link then works no more.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { DESK_WIDE, PHONE, obstacles, openBrowser } from './browser.mjs';

const PROGRAM = process.env.TANDEM ?? new URL('../../target/debug/tandem', import.meta.url).pathname;

let browser, shop, told, home;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'tandem-setup-'));
  const flags = ['serve', '--json', '--until-input-ends', '--listen', '127.0.0.1:0', '--data', home, '--log-filter', 'warn'];
  shop = spawn(PROGRAM, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: shop.stdout })) {
    told = JSON.parse(line);
    break;
  }
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  shop?.stdin.end();
  await new Promise((gone) => (shop ? shop.once('exit', gone) : gone()));
  await rm(home, { recursive: true, force: true });
});

async function visit(viewport) {
  const page = await (await browser.newContext({ viewport })).newPage();
  await page.goto(told.setup_link);
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
  const session = await page.request.get(`${told.address}/v1/session`);
  assert.equal(session.status(), 200);

  const late = await visit(DESK_WIDE);
  await fill(late, 'Eve', 'eve@example.com', 'another few words to keep');
  await late.locator('#trouble').filter({ hasText: /./ }).waitFor();
  assert.deepEqual(await obstacles(late), []);
});
