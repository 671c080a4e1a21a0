// Signing in as a customer meets it: by a mailed code without scripts, by a passkey of the browser's own authenticator, and by a real OpenID
// Connect provider; on phone, tablet and desk, by day and by night.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import Provider from 'oidc-provider';

import { DESK_WIDE, PHONE, TABLET, obstacles, openBrowser } from './browser.mjs';
import { openFloor } from './floor.mjs';
import { openMailbox } from './mailbox.mjs';
import { openShop } from './shop.mjs';

const SIZES = { phone: PHONE, tablet: TABLET, desk: DESK_WIDE };
/** Where pictures of the pages are kept, for people to look at; nowhere unless it is set. */
const PICTURES = process.env.TANDEM_PICTURES;

let browser, shop, floor, mailbox, provider, own;
before(async () => {
  mailbox = await openMailbox();
  const settings = { TANDEM_MAIL_SERVER: mailbox.server, TANDEM_SIGN_ON_TO_PRIVATE_ADDRESSES: 'true', TANDEM_SIGN_INS_PER_MINUTE_MAX: '10000' };
  [browser, shop] = await Promise.all([openBrowser(), openShop(settings)]);
  // Browsers give passkeys to names, not to numbers.
  own = shop.address.replace('127.0.0.1', 'localhost');
  floor = await openFloor(shop);
  provider = await openProvider();
  const ours = { issuer: provider.issuer, client_id: 'shop', client_secret: 'a-secret-of-both' };
  await floor.post('/v1/sign-on-providers', { code: 'acme', name: 'Acme & Daughters', ...ours });
  await floor.post('/v1/sign-on-providers', { code: 'house', name: 'the house', audience: 'staff', ...ours });
});
after(() => Promise.all([browser?.close(), shop?.close(), mailbox?.close(), provider?.close()]));

/** A provider that lets in whoever gives a name; the address of a person is the name at acme.example, and seen. */
async function openProvider() {
  const account = (id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} of Acme`, email: `${id}@acme.example`, email_verified: true }) });
  let serving;
  const listening = new Promise((resolve) => {
    // The port is known before the provider is made, for its address names it.
    import('node:http').then(({ createServer }) => {
      const server = createServer((request, response) => serving(request, response));
      server.listen(0, '127.0.0.1', () => resolve(server));
    });
  });
  const server = await listening;
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const made = new Provider(issuer, {
    clients: [{ client_id: 'shop', client_secret: 'a-secret-of-both', redirect_uris: [`${own}/sign-in/back`, `${own}/staff/sign-in/back`], grant_types: ['authorization_code'], response_types: ['code'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => account(id),
    pkce: { required: () => true },
    cookies: { keys: ['for tests only'] },
  });
  serving = made.callback();
  return { issuer, close: () => new Promise((resolve) => server.close(resolve)) };
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

/** Signs in by a code that is mailed; the how-manieth letter to the address it is. */
async function byCode(page, email, many = 1, to = /\/me/) {
  await page.locator('input[name=email]').fill(email);
  await page.locator('form[action^="/sign-in/code"] button').click();
  await page.locator('input[name=code]').fill(await mailbox.code(email, many));
  await page.locator('form[action^="/sign-in/open"] button').click();
  await page.waitForURL(to);
}

/** Gives the browser of a page a device with passkeys, and a person who says yes. */
async function withAuthenticator(page) {
  const devices = await page.context().newCDPSession(page);
  await devices.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', { options });
  return { devices, authenticatorId };
}

/** An order of a customer's. */
async function buy(customer) {
  const contact = { name: 'Ada Byron', street: ['1 High Street'], city: 'Leeds', postal_code: 'LS1 4DY', country: 'GB' };
  const cart = await floor.post('/v1/carts', { channel: 'web', customer, contact, delivery: { method: 'parcel' }, lines: [{ sku: 'MUG', quantity: 1 }] });
  await floor.post(`/v1/carts/${cart.id}/checkout`, { payments: [{ kind: 'cash' }] });
}

const NO_ORDERS = { en: /No orders yet/, de: /Noch keine Bestellungen/ };
const box = (page, part) => page.locator(part).boundingBox();

let made = 0;
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`signing in and one's own page have no obstacles, ${size}, ${colorScheme}`, async () => {
      for (const language of ['en', 'de']) {
        const email = `looker-${made += 1}@example.com`;
        const page = await visit(viewport, `${own}/sign-in?language=${language}`, { colorScheme });
        assert.deepEqual(await obstacles(page), [], language);
        await picture(page, `sign-in-${size}-${colorScheme}-${language}`);
        await page.locator('input[name=email]').fill(email);
        await page.locator('form[action^="/sign-in/code"] button').click();
        assert.deepEqual(await obstacles(page), [], `the code, ${language}`);
        await picture(page, `code-${size}-${colorScheme}-${language}`);
        await page.locator('input[name=code]').fill(await mailbox.code(email));
        await page.locator('form[action^="/sign-in/open"] button').click();
        await page.waitForURL(/\/me/);
        assert.match(await page.locator('main').textContent(), NO_ORDERS[language]);
        const [head, rest] = await Promise.all([box(page, '.head'), box(page, '.column')]);
        assert.deepEqual([rest.x, rest.width], [head.x, head.width], 'what is there takes the width');
        assert.deepEqual(await obstacles(page), [], `without orders, ${language}`);
        await picture(page, `me-without-orders-${size}-${colorScheme}-${language}`);
        const customer = { contact: { name: 'Ada Byron, Countess of Lovelace', email: `known-${email}` } };
        const { id } = await floor.post('/v1/customers', customer);
        await buy(id);
        await page.goto(`${own}/sign-in?language=${language}`);
        await byCode(page, `known-${email}`);
        assert.deepEqual(await obstacles(page), [], `one's own, ${language}`);
        await picture(page, `me-${size}-${colorScheme}-${language}`);
        assert.deepEqual(page.faults, [], language);
        await page.context().close();
      }
    });
  }
}

test('without scripts a newcomer signs in by keyboard, and out again', async () => {
  const page = await visit(PHONE, `${own}/sign-in`, { javaScriptEnabled: false });
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to signing in');
  assert.equal(await page.getByRole('button', { name: 'Use a passkey' }).count(), 0, 'it needs scripts');
  await page.getByLabel('E-mail address').fill('grace@example.com');
  await page.keyboard.press('Enter');
  await page.getByLabel('The six digits').fill('12');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('[role=alert]').textContent(), /does not fit/);
  await page.getByLabel('The six digits').fill(await mailbox.code('grace@example.com'));
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/me/);
  assert.match(await page.locator('h1').textContent(), /Hello, grace@example.com/);
  const cookie = (await page.context().cookies()).find((one) => one.name === 'tandem_customer');
  assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax');
  await page.getByRole('button', { name: 'Sign out' }).press('Enter');
  assert.match(await page.locator('[role=status]').textContent(), /signed out/);
  await page.goto(`${own}/me`);
  assert.match(page.url(), /\/sign-in$/);
  await page.context().close();
});

test('a customer adds a passkey, signs in by it, and removes it', async () => {
  const page = await visit(DESK_WIDE, `${own}/sign-in`);
  const { devices, authenticatorId } = await withAuthenticator(page);
  await byCode(page, 'pat@example.com');
  await page.getByLabel('Name of this device').fill('Laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.waitForURL(/did=add/);
  assert.match(await page.locator('[role=status]').textContent(), /added/);
  await picture(page, 'me-with-passkey');
  const { credentials } = await devices.send('WebAuthn.getCredentials', { authenticatorId });
  assert.equal(credentials[0].rpId, 'localhost');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.waitForURL(/\/me/);
  assert.match(await page.locator('h1').textContent(), /pat@example.com/);

  // The same device makes no second one, and says so.
  await page.getByLabel('Name of this device').fill('Laptop again');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByRole('button', { name: 'Remove passkey Laptop' }).click();
  await page.waitForURL(/did=remove/);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('alert').waitFor();
  assert.deepEqual(await obstacles(page), [], 'a passkey nobody knows');
  await picture(page, 'sign-in-refused');
  await page.context().close();
});

/** Lets somebody in at the provider's own pages. */
async function atProvider(page, name) {
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(/\/me|\/staff/);
}

test('a customer comes by a real OpenID Connect provider, and is the one with the same address', async () => {
  const page = await visit(TABLET, `${own}/sign-in?language=de`);
  await page.getByRole('link', { name: 'Weiter mit Acme & Daughters' }).click();
  await atProvider(page, 'linus');
  assert.match(page.url(), /\/me\?language=de$/);
  assert.match(await page.locator('h1').textContent(), /Guten Tag, linus of Acme/);
  await page.context().close();

  const other = await visit(TABLET, `${own}/sign-in`);
  await byCode(other, 'linus@acme.example');
  assert.match(await other.locator('h1').textContent(), /linus of Acme/, 'the code leads to the same customer');
  await other.goto(`${own}/sign-in/back?code=made-up&state=${'0'.repeat(64)}`);
  assert.match(await other.locator('[role=alert]:visible').textContent(), /did not let you in/);
  await other.context().close();
});

const LONG_COMPANY = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft & Söhne KG';

/** A company that invites somebody: its id, and the link of the mail. */
async function invitation(name, email, language, many = 1) {
  const { id } = await floor.post('/v1/companies', { contact: { company: name, country: 'GB' } });
  const limit = { amount: 123_450_00, currency: 'GBP' };
  await floor.post(`/v1/companies/${id}/invitations`, { email, language, role: 'buyer', limit });
  return { id, link: await mailbox.link(email, '/join', many) };
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`an invitation and the companies of one's own page have no obstacles, ${size}, ${colorScheme}`, async () => {
      for (const language of ['en', 'de']) {
        const email = `invited-${made += 1}@example.com`;
        const { id, link } = await invitation(LONG_COMPANY, email, language);
        const page = await visit(viewport, `${link}?language=${language}`, { colorScheme });
        assert.match(page.url(), /\/sign-in\?/);
        assert.deepEqual(await obstacles(page), [], `led to signing in, ${language}`);
        await picture(page, `join-sign-in-${size}-${colorScheme}-${language}`);
        await byCode(page, email, 2, /\/join\//);
        assert.deepEqual(await obstacles(page), [], `the invitation, ${language}`);
        await picture(page, `join-${size}-${colorScheme}-${language}`);
        await page.locator('form[action^="/join/"] button').click();
        await page.waitForURL(/did=join/);
        await floor.put(`/v1/companies/${id}/terms`, { state: 'blocked', groups: [] }, { 'if-match': '"1"' });
        await page.locator('input[name=code]').fill('0123456789abcdef');
        await page.locator('form[action^="/me/companies"] button').click();
        assert.equal(await page.locator('[role=alert]:visible').count(), 1);
        assert.deepEqual(await obstacles(page), [], `one's own, ${language}`);
        await picture(page, `me-company-${size}-${colorScheme}-${language}`);
        await page.goto(`${link}?language=${language}`);
        assert.deepEqual(await obstacles(page), [], `not once more, ${language}`);
        await picture(page, `join-refused-${size}-${colorScheme}-${language}`);
        assert.ok(page.faults.every((fault) => /status of 40[49]/.test(fault)), String(page.faults));
        await page.context().close();
      }
    });
  }
}

test('without scripts a newcomer accepts an invitation by keyboard, and gives the code of another', async () => {
  const first = await invitation('Mugs & Sons', 'katherine@example.com');
  const page = await visit(PHONE, first.link, { javaScriptEnabled: false });
  assert.match(await page.locator('[role=status]').textContent(), /you can accept the invitation/);
  await page.getByLabel('E-mail address').fill('katherine@example.com');
  await page.keyboard.press('Enter');
  await page.getByLabel('The six digits').fill(await mailbox.code('katherine@example.com', 2));
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/join\//);
  assert.match(await page.locator('h1').textContent(), /Mugs & Sons invites you/);
  assert.match(await page.locator('dl').textContent(), /Buyer · up to £123,450.00 an order[^]*katherine@example.com/);
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to the invitation');
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Accept');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/me\?did=join/);
  assert.match(await page.locator('[role=status]').textContent(), /in the company's name/);
  assert.equal(await page.getByRole('listitem').filter({ hasText: 'Mugs & Sons' }).count(), 1);

  const second = await invitation('Tea & Daughters', 'katherine@example.com', 'en', 3);
  const field = page.getByLabel("The code from the company's invitation");
  await field.fill(first.link.split('/').at(-1));
  await page.keyboard.press('Enter');
  await page.locator('#vain').waitFor();
  assert.ok(await field.evaluate((one) => one === document.activeElement), 'the field is where one goes on');
  const told = await field.evaluate((one) => document.getElementById(one.getAttribute('aria-describedby')).textContent);
  assert.match(told, /buy for this company already/);
  await field.fill(second.link.split('/').at(-1).toUpperCase());
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/me\?did=join/);
  assert.equal(await page.getByRole('listitem').filter({ hasText: 'Tea & Daughters' }).count(), 1);
  await page.context().close();
});

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`signing in as a colleague has no obstacles, ${size}, ${colorScheme}`, async () => {
      for (const language of ['en', 'de']) {
        const page = await visit(viewport, `${own}/staff/sign-in?language=${language}`, { colorScheme });
        assert.deepEqual(await obstacles(page), [], language);
        await picture(page, `staff-sign-in-${size}-${colorScheme}-${language}`);
        await page.locator('input[name=email]').fill('ada@example.com');
        await page.locator('input[name=password]').fill('not these words');
        await page.locator('form[action^="/staff/sign-in/open"] button').click();
        assert.equal(await page.locator('[role=alert]').count(), 1);
        assert.deepEqual(await obstacles(page), [], `refused, ${language}`);
        await page.locator('input[name=password]').fill('a few words to keep in mind');
        await page.locator('form[action^="/staff/sign-in/open"] button').click();
        await page.waitForURL(/\/staff\?language/);
        assert.deepEqual(await obstacles(page), [], `signed in, ${language}`);
        await picture(page, `staff-${size}-${colorScheme}-${language}`);
        await page.context().close();
      }
    });
  }
}

test('without scripts a colleague signs in by keyboard and password, and out again', async () => {
  const page = await visit(PHONE, `${own}/staff`, { javaScriptEnabled: false });
  assert.match(page.url(), /\/staff\/sign-in$/);
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to signing in');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByLabel('Password').fill('a few words to keep in mind');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/staff$/);
  assert.match(await page.locator('h1').textContent(), /Signed in, Ada Owner/);
  const cookie = (await page.context().cookies()).find((one) => one.name === 'tandem_session');
  assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax');
  await page.getByRole('button', { name: 'Sign out' }).press('Enter');
  assert.match(await page.locator('[role=status]').textContent(), /signed out/);
  await page.goto(`${own}/staff`);
  assert.match(page.url(), /\/staff\/sign-in$/);
  await page.context().close();
});

test('a colleague comes by the company, and nobody becomes one by it', async () => {
  await floor.post('/v1/staff', { name: 'Grace Hopper', email: 'grace@acme.example', roles: [] });
  const page = await visit(TABLET, `${own}/staff/sign-in?language=de`);
  await page.getByRole('link', { name: 'Weiter mit the house' }).click();
  await atProvider(page, 'grace');
  assert.match(page.url(), /\/staff\?language=de$/);
  assert.match(await page.locator('h1').textContent(), /Angemeldet, Grace Hopper/);
  await page.context().close();

  const stranger = await visit(TABLET, `${own}/staff/sign-in`);
  await stranger.getByRole('link', { name: 'Go on with the house' }).click();
  await atProvider(stranger, 'stranger');
  assert.match(await stranger.locator('[role=alert]').textContent(), /did not let you in/);
  assert.deepEqual(await obstacles(stranger), []);
  await stranger.context().close();
});
