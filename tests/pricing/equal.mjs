// Random promotions and carts, priced twice: by the program and by the WebAssembly module. Every answer must be the same bytes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { MODULE, open } from './module.mjs';

const CARTS = Number(process.argv[2] ?? 10_000);
const CARTS_PER_RULES = 50;
const GZIP_BYTES_MAX = 300 * 1000;
const PROGRAM = 'target/debug/examples/price';
const ZONES = ['Europe/London', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland'];

// A generator of its own (mulberry32), so that every run makes the same carts.
let seed = 20261129;
function chance() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const upTo = (most) => Math.floor(chance() * (most + 1));
const between = (least, most) => least + upTo(most - least);
const oneOf = (list) => list[upTo(list.length - 1)];
const maybe = (share) => chance() < share;
const many = (least, most, make) => Array.from({ length: between(least, most) }, make);

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const id = (prefix, number) => {
  let digits = '';
  for (let rest = number; digits.length < 26; rest = Math.floor(rest / 32)) digits = DIGITS[rest % 32] + digits;
  return `${prefix}_${digits}`;
};
const variant = () => id('var', upTo(30));
const category = () => ({ category: id('cat', upTo(6)) });
const selection = () => {
  const any = many(0, 2, () => (maybe(0.8) ? category() : { variant: variant() }));
  return { any, except: maybe(0.2) ? [category()] : [] };
};
const rate = () => between(1, 1000) * 1000;
const off = () => oneOf([() => ({ rate: rate() }), () => ({ amount: between(1, 900) }), () => ({ price: upTo(900) })])();
const share = () => oneOf([() => ({ rate: rate() }), () => ({ amount: between(1, 2000) })])();
const steps = (make, most) => {
  let from = 0;
  return many(1, 3, () => ({ from: (from += between(1, most)), off: make() }));
};

const benefits = [
  () => ({ each: { of: selection(), by: oneOf(['quantity', 'amount']), steps: steps(off, 5) } }),
  () => {
    const parts = many(1, 3, () => ({ of: selection(), pieces: between(1, 3) }));
    const gives = oneOf([
      off,
      () => ({ cheapest: { pieces: 1, rate: maybe(0.5) ? 1_000_000 : rate() } }),
      () => ({ part: { part: parts.length - 1, rate: rate() } }),
    ])();
    return { set: { parts, gives, ...(maybe(0.5) && { times_max: between(1, 3) }) } };
  },
  () => ({ whole: { of: selection(), steps: steps(share, 3000), ...(maybe(0.3) && { amount_max: between(1, 3000) }) } }),
  () => ({ delivery: { methods: maybe(0.3) ? [id('dlv', upTo(1))] : [], off: off() } }),
  () => ({ gift: { variant: variant(), pieces: between(1, 2) } }),
];
const conditions = [
  () => ({ channels: [id('chn', upTo(2))] }),
  () => ({ stores: [id('loc', upTo(2))] }),
  () => ({ groups: [oneOf(['trade', 'staff', 'gold'])] }),
  () => ({ segments: ['sleeping'] }),
  () => ({ first_order: true }),
  () => ({ colleague: true }),
  () => ({ payments: [oneOf(['card', 'cash'])] }),
  () => ({ hours: oneOf(['fr 17:00-19:00', 'mo-fr 09:00-18:00; sa 10:00-16:00', 'sa 22:00-04:00; su 01:30-03:00']) }),
  () => ({ has: { of: selection(), by: oneOf(['quantity', 'amount']), at_least: between(1, 3000) } }),
];
const promotion = (_, number) => ({
  id: id('pro', number),
  ...(maybe(0.2) && { left: upTo(3000) }),
  terms: {
    lane: upTo(3),
    priority: upTo(5),
    stacking: oneOf(['with_others', 'with_others', 'with_others', 'alone_on_pieces', 'alone_in_cart']),
    needs_coupon: maybe(0.25),
    currency: 'GBP',
    conditions: many(0, 2, () => oneOf(conditions)()),
    benefit: oneOf(benefits)(),
  },
});
const rules = () => ({
  promotions: Array.from({ length: between(1, 25) }, promotion),
  modes: Object.fromEntries(many(0, 3, () => [upTo(3), oneOf(['best_deal', 'priority', 'best_one'])])),
});
const line = () => ({
  variant: variant(),
  tags: many(0, 2, category),
  quantity: between(1, maybe(0.1) ? 500 : 6),
  unit: maybe(0.9) ? 'piece' : 'gram',
  unit_price: upTo(5000),
  tax_rate: oneOf([0, 55_000, 107_500, 200_000, 250_000]),
  agreed: maybe(0.05),
  ...(maybe(0.1) && { discount: share() }),
});
const cart = (promotions) => ({
  lines: many(0, 12, line),
  ...(maybe(0.6) && { delivery: { method: id('dlv', upTo(1)), amount: upTo(900), tax_rate: 200_000 } }),
  coupons: promotions
    .filter((own) => own.terms.needs_coupon)
    .slice(0, upTo(4))
    .map((own, number) => ({ coupon: id('cpn', number), promotion: own.id })),
  ...(maybe(0.1) && { discount: share() }),
  occasion: {
    channel: id('chn', upTo(2)),
    ...(maybe(0.5) && { store: id('loc', upTo(2)) }),
    time_zone: oneOf(ZONES),
    at: new Date(1_740_000_000_000 + upTo(60_000_000) * 1000).toISOString(),
    currency: 'GBP',
    ...(maybe(0.5) && { payment: oneOf(['card', 'cash']) }),
    groups: many(0, 1, () => oneOf(['trade', 'staff', 'gold'])),
    segments: maybe(0.3) ? ['sleeping'] : [],
    first_order: maybe(0.3),
    colleague: maybe(0.2),
  },
  policy: {
    prices_include_tax: maybe(0.5),
    rounding_level: oneOf(['line', 'order']),
    rounding: oneOf(['half_up', 'half_even']),
  },
});

const questions = ['{"price": {}}', '{"rules": {"promotions": [{"id": "pro_1", "terms": {"benefit": {}}}]}}'];
for (let made = 0; made < CARTS; made += CARTS_PER_RULES) {
  const own = rules();
  questions.push(JSON.stringify({ rules: own }));
  const room = Math.min(CARTS_PER_RULES, CARTS - made);
  for (let number = 0; number < room; number += 1) questions.push(JSON.stringify({ price: cart(own.promotions) }));
}

const ask = await open();
const byModule = questions.map(ask);
const input = `${questions.join('\n')}\n`;
const byProgram = execFileSync(PROGRAM, { input, maxBuffer: 2 ** 30 }).toString().trimEnd().split('\n');

assert.equal(byModule.length, byProgram.length);
let lowered = 0;
byModule.forEach((own, place) => {
  assert.equal(own, byProgram[place], `the till answers otherwise than the server: ${questions[place]}`);
  if (place >= 2) assert.ok(!own.includes('"error"'), `${own}: ${questions[place]}`);
  if (own.includes('"by":"promotion"')) lowered += 1;
});
assert.ok(byModule.slice(0, 2).every((own) => own.includes('"error"')), 'bad questions are told');
assert.ok(lowered > CARTS / 3, `promotions lower ${lowered} of ${CARTS} carts only`);
const size = gzipSync(readFileSync(MODULE), { level: 9 }).length;
assert.ok(size < GZIP_BYTES_MAX, `the module has ${size} bytes compressed, ${GZIP_BYTES_MAX} allowed`);
console.log(`${CARTS} carts priced alike, ${lowered} of them lowered by promotions; the module has ${size} bytes compressed`);
