// How each library for Node tells the story. Every call is waited for before the next, so that the order is the one asked for.

import { Analytics } from '@segment/analytics-node';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { PostHog } from 'posthog-node';
import { jitsuAnalytics } from '@jitsu/js';

async function segment({ address, key, order, user, browser }) {
  const tell = {
    look: (analytics) => analytics.track({ anonymousId: browser, event: 'Looked', properties: { sku: 'TEAPOT' } }),
    sign_in: (analytics) => analytics.identify({ userId: user, anonymousId: browser, traits: { email: `${user}@example.com`, plan: 'gold' } }),
    buy: (analytics) => analytics.track({ userId: user, event: 'Bought', properties: { total: 19.5 } }),
  };
  for (const step of order) {
    const analytics = new Analytics({ writeKey: key, host: address, path: '/v1/batch' });
    const failed = [];
    analytics.on('error', (error) => failed.push(error));
    tell[step](analytics);
    await analytics.closeAndFlush({ timeout: 10_000 });
    if (failed.length > 0) throw new Error(`segment: ${JSON.stringify(failed)}`);
  }
}

async function rudder({ address, key, order, user, browser }) {
  const tell = {
    look: (analytics) => analytics.track({ anonymousId: browser, event: 'Looked', properties: { sku: 'TEAPOT' } }),
    sign_in: (analytics) => analytics.identify({ userId: user, anonymousId: browser, traits: { email: `${user}@example.com` } }),
    buy: (analytics) => analytics.track({ userId: user, event: 'Bought' }),
  };
  for (const step of order) {
    const analytics = new RudderAnalytics(key, { dataPlaneUrl: address, flushAt: 1 });
    tell[step](analytics);
    await analytics.flush();
  }
}

async function posthog({ address, key, order, user, browser }) {
  const tell = {
    look: (client) => client.capture({ distinctId: browser, event: 'Looked', properties: { $process_person_profile: false } }),
    sign_in: (client) => client.identify({ distinctId: user, properties: { $anon_distinct_id: browser, $set: { email: `${user}@example.com` } } }),
    buy: (client) => client.capture({ distinctId: user, event: 'Bought' }),
  };
  for (const step of order) {
    const client = new PostHog(key, { host: `${address}/posthog`, flushAt: 1 });
    tell[step](client);
    await client.shutdown();
  }
}

async function jitsu({ address, key, order, user, browser }) {
  for (const step of order) {
    const analytics = jitsuAnalytics({ host: address, writeKey: `${key}:any`, fetch });
    if (step === 'buy') {
      await analytics.track('Bought', { total: 19.5 }, { userId: user, anonymousId: null });
    } else {
      await analytics.setAnonymousId(browser);
      await (step === 'look' ? analytics.track('Looked', {}) : analytics.identify(user, { plan: 'gold' }));
    }
  }
}

export const libraries = { 'segment-node': segment, 'rudder-node': rudder, 'posthog-node': posthog, jitsu };
