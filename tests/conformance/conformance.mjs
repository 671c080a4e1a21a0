// Each library tells the same story twice: somebody looks around without a name, says who he is, and buys. Once it comes in that order, once
// with the purchase first. In the end all of it must be on one person, each event once.
//
//     conformance.mjs ADDRESS PYTHON
//
// TANDEM_KEY is an API key that may do everything.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { browserLibraries, tellInBrowser } from './browser.mjs';
import { libraries } from './libraries.mjs';

const [address, python] = process.argv.slice(2);
const headers = { 'Authorization': `Bearer ${process.env.TANDEM_KEY}`, 'Content-Type': 'application/json' };

async function ask(method, path, body) {
  const answer = await fetch(address + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function openSource(kind) {
  return (await ask('POST', '/v1/sources', { name: `Conformance of ${kind}`, kind })).write_key;
}

const key = await openSource('server');
const pythonLibraries = ['segment-python', 'rudder-python', 'posthog-python'];
const orders = [['look', 'sign_in', 'buy'], ['buy', 'sign_in', 'look']];

for (const [turn, order] of orders.entries()) {
  for (const [name, tell] of Object.entries(libraries)) {
    await tell({ address, key, order, user: `${name}-${turn}`, browser: `browser-of-${name}-${turn}` });
  }
  for (const name of pythonLibraries) {
    const script = fileURLToPath(new URL('libraries.py', import.meta.url));
    const said = spawnSync(python, [script, name, address, key, String(turn), ...order], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(said.status, 0, `${name}: ${said.stdout}${said.stderr}`);
  }
}
const browsers = await tellInBrowser({ address, key: await openSource('web') });

const names = [...Object.keys(libraries), ...pythonLibraries, ...browserLibraries];
const wrong = [];
for (const name of names) {
  for (const turn of orders.keys()) {
    try {
      const known = browsers[`${name}-${turn}`] ?? `browser-of-${name}-${turn}`;
      const user = await ask('POST', '/v1/profiles/find', { kind: 'user_id', value: `${name}-${turn}` });
      const browser = await ask('POST', '/v1/profiles/find', { kind: 'anonymous_id', value: known });
      assert.equal(browser.id, user.id, 'the browser and the person are one');
      const events = (await ask('GET', `/v1/profiles/${user.id}/events?limit=200`)).items;
      // PostHog's library tells by itself that the page came and went.
      const own = events.filter((event) => event.type !== 'page' && !event.name?.startsWith('$'));
      const told = own.map((event) => event.name ?? event.type);
      assert.deepEqual(told.sort(), ['Bought', 'Looked', 'identify']);
    } catch (error) {
      wrong.push(`${name}, ${orders[turn].join(' – ')}: ${error.message}`);
    }
  }
}
assert.deepEqual(wrong, []);
console.log(`${names.length} libraries: every event once, on the right person, in any order`);
