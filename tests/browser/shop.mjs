// An empty shop for the tests: the built program on a free port with books of its own. It closes when its input does.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = process.env.TANDEM ?? new URL('../../target/debug/tandem', import.meta.url).pathname;

/** Opens a shop with these environment variables: where it serves, the first owner's link, and how to close it. */
export async function openShop(environment = {}) {
  const home = await mkdtemp(join(tmpdir(), 'tandem-shop-'));
  const flags = ['serve', '--json', '--until-input-ends', '--listen', '127.0.0.1:0', '--data', home, '--log-filter', 'warn'];
  const shop = spawn(PROGRAM, flags, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => shop.once('exit', resolve));
  const close = async () => {
    shop.stdin.end();
    await gone;
    await rm(home, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: shop.stdout })) {
    const { address, setup_link: setupLink } = JSON.parse(line);
    return { address, setupLink, close };
  }
  throw new Error('the shop did not start; it said why above');
}
