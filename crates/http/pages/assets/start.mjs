// The start page's figures, as they change: follows the stream, says so when it is lost, and tries again.

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat();
const formats = new Map();

/** An amount in minor units as people write it; without pence where they only distract. */
function money(minor, currency, short) {
  const key = currency + (short ? ' short' : '');
  if (!formats.has(key)) {
    const options = { style: 'currency', currency, ...(short ? { maximumFractionDigits: 0 } : {}) };
    formats.set(key, new Intl.NumberFormat(undefined, options));
  }
  const digits = new Intl.NumberFormat(undefined, { style: 'currency', currency }).resolvedOptions();
  return formats.get(key).format(minor / 10 ** digits.maximumFractionDigits);
}

function sum(list, of) {
  return list.reduce((total, item) => total + of(item), 0);
}

function showSums(when, sums) {
  byId(`orders-${when}`).textContent = whole.format(sum(sums, (one) => one.orders));
  byId(`units-${when}`).textContent = whole.format(sum(sums, (one) => one.units));
  const amounts = sums.map((one) => money(one.revenue, one.currency, Math.abs(one.revenue) >= 1_000_000));
  byId(`revenue-${when}`).textContent = amounts.join(' + ') || whole.format(0);
}

/** One row from a template, its parts filled by class name. */
function row(template, parts) {
  const made = byId(template).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(parts)) made.querySelector(`.${name}`).textContent = text;
  return made;
}

function showBars(id, items, none) {
  const most = Math.max(1, ...items.map((item) => item.size));
  const rows = items.map((item) => {
    const made = row('bar-row', { name: item.name, amount: item.amount, more: item.more ?? '' });
    made.querySelector('i').style.width = `${Math.max(0, (100 * item.size) / most)}%`;
    return made;
  });
  byId(id).replaceChildren(...rows);
  byId(`${id}-empty`).textContent = items.length ? '' : none;
}

let known;

function showLatest(orders) {
  const rows = orders.map((order) => {
    const made = row('order-row', {
      number: order.number,
      channel: order.state === 'pending_payment' ? `${order.channel} · waits for payment` : order.channel,
      amount: money(order.gross.amount, order.gross.currency),
    });
    if (known && !known.has(order.number)) made.classList.add('new');
    return made;
  });
  known = new Set(orders.map((order) => order.number));
  byId('latest').replaceChildren(...rows);
  byId('latest-empty').textContent = orders.length ? '' : 'No orders yet. The first one appears here by itself.';
}

function show(figures) {
  showSums('today', figures.today);
  showSums('total', figures.total);
  byId('pieces').textContent = whole.format(sum(figures.locations, (place) => place.pieces));
  byId('places').textContent = whole.format(figures.locations.length);
  showLatest(figures.latest);
  const channels = figures.channels.map((channel) => ({
    name: channel.name,
    amount: money(channel.revenue.amount, channel.revenue.currency, true),
    more: `${whole.format(channel.orders)} ${channel.orders === 1 ? 'order' : 'orders'}`,
    size: channel.revenue.amount,
  }));
  showBars('channels', channels, 'No channel has sold anything yet.');
  const places = figures.locations.map((place) => ({
    name: place.name,
    amount: whole.format(place.pieces),
    size: place.pieces,
  }));
  showBars('stock', places, 'No locations yet.');
  byId('start').dataset.state = figures.latest.length ? 'ready' : 'empty';
}

let shownAt = '';

function say(state, text) {
  const status = byId('status');
  if (status.dataset.state === state && status.textContent === text) return;
  status.dataset.state = state;
  status.textContent = text;
}

const RETRY_MS = 3000;

function follow() {
  const stream = new EventSource('/start/stream');
  stream.addEventListener('message', (message) => {
    show(JSON.parse(message.data));
    shownAt = new Date().toLocaleTimeString();
    say('live', 'Live');
  });
  stream.addEventListener('error', () => {
    // The browser's own retry gives up on refusals; ours does not.
    stream.close();
    const since = shownAt ? `Figures of ${shownAt}. ` : '';
    say('lost', `${since}Connection lost, trying again`);
    setTimeout(follow, RETRY_MS);
  });
}

follow();
