// A small shop over the public API, for tests that need orders: two stores, mugs and something with a very long name.

const LONG = `Hand-painted earthenware teapot with matching cosy, strainer and drip catcher, limited edition of Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch`;

/** Opens it in an empty shop: ways to ask for things, and to walk orders through it. */
export async function openFloor(shop) {
  let asked = 0;
  let headers = {};
  async function ask(method, path, body, more = {}) {
    asked += 1;
    const answer = await fetch(shop.address + path, {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': `floor-${asked}`, ...headers, ...more },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return { json: text ? JSON.parse(text) : null, cookie: answer.headers.get('set-cookie')?.split(';')[0] };
  }
  const post = async (path, body = null) => (await ask('POST', path, body)).json;
  const put = async (path, body, more) => (await ask('PUT', path, body, more)).json;
  const get = async (path) => (await ask('GET', path)).json;

  const token = new URL(shop.setupLink).searchParams.get('token');
  const owner = await ask('POST', '/v1/setup', { token, name: 'Ada Owner', email: 'ada@example.com', password: 'a few words to keep in mind' });
  const session = { cookie: owner.cookie, 'x-csrf-token': owner.json.csrf_token };
  const permissions = (await ask('GET', '/v1/permissions', undefined, session)).json.items.map((one) => one.name);
  const key = await ask('POST', '/v1/api-keys', { name: 'floor', kind: 'secret', permissions }, session);
  headers = { authorization: `Bearer ${key.json.token}` };

  await post('/v1/tax-classes', { code: 'standard', name: 'Standard' });
  const market = await post('/v1/markets', { code: 'gb', name: 'Britain', countries: ['GB'], currency: 'GBP', prices_include_tax: true, language: 'en-GB', time_zone: 'Europe/London' });
  const places = { leeds: ['Leeds, Briggate', 'Leeds', '1 Briggate', 'LS1 4DY'], york: ['York, Coney Street', 'York', '9 Coney Street', 'YO1 9QL'] };
  for (const [code, [name, city, street, postal_code]] of Object.entries(places)) {
    const address = { street: [street], city, postal_code, country: 'GB' };
    const does = { can_ship: true, can_pick_up: true, can_receive: true, can_return: true };
    await post('/v1/locations', { code, name, external_id: code, kind: 'store', time_zone: 'Europe/London', opening_hours: 'mo-sa 09:00-18:00; su 11:00-17:00', address, ...does });
  }
  const network = await post('/v1/networks', { code: 'all', name: 'All', external_id: 'all', members: [{ location: 'leeds' }, { location: 'york' }] });
  await post('/v1/channels', { code: 'web', name: 'The Teapot Company', kind: 'web', market: market.id, network: network.id, payment_kinds: ['cash', 'manual'], external_id: 'web' });
  const method = { channels: ['web'], tax_class: 'standard', rates: { measure: 'value', bands: [{ from: 0, price: { amount: 495, currency: 'GBP' } }] }, lead_days_min: 1, lead_days_max: 3 };
  await post('/v1/delivery-methods', { ...method, code: 'parcel', external_id: 'parcel', name: { text: 'Parcel' }, kind: 'ship', zone: [{ country: 'GB' }] });
  const free = { measure: 'value', bands: [{ from: 0, price: { amount: 0, currency: 'GBP' } }] };
  await post('/v1/delivery-methods', { ...method, rates: free, code: 'collect', external_id: 'collect', name: { text: 'Collect' }, kind: 'pickup', pickup_network: 'all' });
  await post('/v1/carriers', { code: 'van', name: 'Our own van', external_id: 'van', kind: 'own_van', collections: 'mo-su 24:00', tracking_url: 'https://van.example/follow/{tracking}' });
  const prices = await post('/v1/price-lists', { code: 'retail', name: 'Retail', currency: 'GBP', market: market.id, priority: 0 });
  for (const [sku, title, amount] of [['MUG', 'Mug', 1_250], ['LONG', LONG, 123_456]]) {
    const product = await post('/v1/products', { title: { text: title }, status: 'active', tax_class: 'standard', variants: [{ sku, external_id: sku, weight_grams: 350 }] });
    const variant = product.variants[0].id;
    await post('/v1/prices', { price_list: prices.id, variant, amount });
    for (const location of ['leeds', 'york']) await post('/v1/stock/receipts', { location, opening: true, lines: [{ variant, quantity: 1_000 }] });
  }

  /** A paid order, sent or collected at a store: its id. */
  async function order(lines, collectedAt, kind = 'cash') {
    const contact = { name: 'Ada Byron', street: ['1 High Street'], city: 'Leeds', postal_code: 'LS1 4DY', country: 'GB', email: 'ada@example.com' };
    const delivery = collectedAt ? { method: 'collect', location: collectedAt } : { method: 'parcel' };
    const cart = await post('/v1/carts', { channel: 'web', contact, delivery, lines: lines.map(([sku, quantity]) => ({ sku, quantity })) });
    return (await post(`/v1/carts/${cart.id}/checkout`, { payments: [{ kind }] })).id;
  }
  const part = async (id) => `/v1/orders/${id}/fulfilment-orders/${(await get(`/v1/orders/${id}`)).fulfilment_orders[0].id}`;
  const step = async (id, name, body = null) => post(`${await part(id)}/${name}`, body);
  return { get, post, put, order, part, step };
}
