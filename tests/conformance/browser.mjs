// How each library for pages tells the story: on a page of another address, in a real browser. What it sends is held back until all of it is
// there, and then let through in the order asked for.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { openBrowser } from '../browser/browser.mjs';

/** What each library needs on the page, how many events it tells by itself, how it is begun and tells each step, and by which id it knows the browser. */
const LIBRARIES = {
  'segment-browser': {
    script: '@segment/analytics-next/dist/umd/index.js',
    begin: ({ address, key }) => {
      window.told = window.AnalyticsNext.AnalyticsBrowser.load(
        { writeKey: key, cdnURL: address },
        { integrations: { 'Segment.io': { apiHost: `${address.replace('http://', '')}/v1`, protocol: 'http' } } },
      );
    },
    browser: async () => (await window.told.user()).anonymousId(),
    look: () => void window.told.track('Looked', { sku: 'TEAPOT' }),
    sign_in: (user) => void window.told.identify(user, { email: `${user}@example.com`, plan: 'gold' }),
    buy: () => void window.told.track('Bought', { total: 19.5 }),
  },
  'rudder-browser': {
    script: '@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js',
    begin: async ({ address, key }) => {
      window.told = new window.rudderanalytics.RudderAnalytics();
      window.told.load(key, address, { configUrl: address });
      await new Promise((ready) => window.told.ready(ready));
    },
    browser: () => window.told.getAnonymousId(),
    look: () => window.told.track('Looked', { sku: 'TEAPOT' }),
    sign_in: (user) => window.told.identify(user, { email: `${user}@example.com`, plan: 'gold' }),
    buy: () => window.told.track('Bought', { total: 19.5 }),
  },
  'posthog-browser': {
    script: 'posthog-js/dist/array.full.js',
    by_itself: 1,
    // It keeps still when it meets a browser that is driven by a program, unless it is told not to look.
    begin: ({ address, key }) =>
      new Promise((loaded) => {
        const settings = { api_host: `${address}/posthog`, request_batching: false, opt_out_useragent_filter: true };
        window.told = window.posthog.init(key, { ...settings, loaded: () => loaded() });
      }),
    browser: () => window.told.get_distinct_id(),
    look: () => void window.told.capture('Looked', { sku: 'TEAPOT' }),
    sign_in: (user) => window.told.identify(user, { email: `${user}@example.com` }),
    buy: () => void window.told.capture('Bought', { total: 19.5 }),
  },
};
const STORY = ['look', 'sign_in', 'buy'];
const EVENT_PATH = /^\/(v1\/(t|i|track|identify|batch)|posthog\/(e|i\/v0\/e|batch))\/?$/;
const PATIENCE_MS = 15_000;

export const browserLibraries = Object.keys(LIBRARIES);

/** Tells the whole story by every library for pages, in both orders of arrival. Answers by library and turn which browser it was. */
export async function tellInBrowser({ address, key }) {
  const front = createServer(serve);
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  const browser = await openBrowser();
  const browsers = {};
  try {
    for (const [name, library] of Object.entries(LIBRARIES)) {
      for (const turn of [0, 1]) {
        const site = `http://127.0.0.1:${front.address().port}/${name}`;
        browsers[`${name}-${turn}`] = await tell(browser, library, { site, address, key, turn, user: `${name}-${turn}` });
      }
    }
  } finally {
    await browser.close();
    front.closeAllConnections();
    front.close();
  }
  return browsers;
}

/** The page of a library, and its script. */
async function serve(request, answer) {
  const [, name, script] = request.url.split('/');
  if (script === 'library.js') {
    const file = fileURLToPath(new URL(`node_modules/${LIBRARIES[name].script}`, import.meta.url));
    answer.setHeader('content-type', 'text/javascript').end(await readFile(file));
  } else {
    answer.setHeader('content-type', 'text/html').end(`<!doctype html><title>Teapots</title><script src="/${name}/library.js"></script>`);
  }
}

async function tell(browser, library, { site, address, key, turn, user }) {
  const context = await browser.newContext();
  const held = [];
  await context.route(
    (url) => url.origin === address && EVENT_PATH.test(url.pathname),
    (route) => (route.request().method() === 'POST' ? void held.push(route) : route.continue()),
  );
  const page = await context.newPage();
  await page.goto(site);
  await page.evaluate(library.begin, { address, key });
  const known = await page.evaluate(library.browser);
  for (const step of STORY) await page.evaluate(library[step], user);
  await all(held, STORY.length + (library.by_itself ?? 0), site);
  if (turn === 1) held.reverse();
  for (const route of held) {
    const answer = await route.fetch();
    if (answer.status() !== 200) throw new Error(`${site}: ${answer.status()} ${await answer.text()}`);
    await route.fulfill({ response: answer });
  }
  await context.close();
  return known;
}

/** Waits until each step, and whatever the library tells by itself, has its own request. */
async function all(held, many, site) {
  const until = Date.now() + PATIENCE_MS;
  while (held.length < many) {
    if (Date.now() > until) throw new Error(`${site}: ${held.length} requests of ${many}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
