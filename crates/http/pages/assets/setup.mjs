// Setting up the shop: the first owner, then a first API key.

const byId = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get('token') ?? '';
// The link works once; it need not stay in the address or the history.
history.replaceState(null, '', location.pathname);

async function ask(method, path, body, headers = {}) {
  const request = { method, headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) } };
  const answer = await fetch(path, { ...request, ...(body ? { body: JSON.stringify(body) } : {}) });
  const json = await answer.json().catch(() => ({}));
  if (answer.ok) return json;
  throw Object.assign(new Error(json.detail ?? 'the shop does not answer; try again'), { errors: json.errors ?? [] });
}

/** Each fault beside its field; the rest above the form. */
function showFaults(fault) {
  const rest = [];
  for (const error of fault?.errors ?? []) {
    const place = byId(`${error.field}-wrong`);
    if (place) place.textContent = error.message;
    else rest.push(error.message);
  }
  for (const field of ['name', 'email', 'password']) {
    byId(field).setAttribute('aria-invalid', String(byId(`${field}-wrong`).textContent !== ''));
  }
  byId('wrong').textContent = rest.join('; ') || (fault && !fault.errors?.length ? fault.message : '');
}

byId('setup').addEventListener('submit', async (event) => {
  event.preventDefault();
  document.querySelectorAll('.wrong').forEach((place) => (place.textContent = ''));
  showFaults();
  const button = event.target.querySelector('button');
  button.disabled = true;
  try {
    await ask('POST', '/v1/setup', { token, ...Object.fromEntries(new FormData(event.target)) });
    byId('setup').hidden = true;
    byId('done').hidden = false;
    byId('done').focus();
  } catch (fault) {
    showFaults(fault);
    document.querySelector('[aria-invalid="true"]')?.focus();
  } finally {
    button.disabled = false;
  }
});

byId('make-key').addEventListener('click', async (event) => {
  event.target.disabled = true;
  byId('key-wrong').textContent = '';
  try {
    const session = await ask('GET', '/v1/session');
    const permissions = session.grants.flatMap((grant) => grant.permissions);
    const key = { name: 'First key', kind: 'secret', permissions: [...new Set(permissions)] };
    const made = await ask('POST', '/v1/api-keys', key, { 'x-csrf-token': session.csrf_token });
    const use = `curl -H 'Authorization: Bearer ${made.token}' ${location.origin}/v1/orders`;
    byId('key-use').textContent = `${made.token}\n\n${use}`;
    byId('key').hidden = false;
    event.target.hidden = true;
  } catch (fault) {
    byId('key-wrong').textContent = fault.message;
    event.target.disabled = false;
  }
});
