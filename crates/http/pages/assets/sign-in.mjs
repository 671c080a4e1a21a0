// Passkeys on the pages of signing in and of one's own. Without this script, or in a browser without passkeys, the code by mail stays.

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Asks one of the shop's own pages; what it answers, or a fault. */
async function ask(path, body = {}) {
  const answer = await fetch(path, { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

/** Does `deed` when the form is sent, once at a time; says so when it did not work. */
function onSend(form, deed) {
  const [button, refused] = [form.querySelector('button'), form.querySelector('[role=alert]')];
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    [button.disabled, refused.hidden] = [true, true];
    try {
      location.assign(await deed(form));
    } catch (fault) {
      refused.hidden = false;
      console.info(fault);
      button.disabled = false;
      button.focus();
    }
  });
}

async function signIn(suffix) {
  const { public_key: asked } = await ask('/sign-in/passkey-challenge');
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked);
  const credential = await navigator.credentials.get({ publicKey });
  const { page } = await ask(`/sign-in/passkey${suffix}`, credential.toJSON());
  return page;
}

async function add(suffix, name) {
  const { public_key: asked } = await ask('/me/passkey-challenge');
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked);
  const credential = await navigator.credentials.create({ publicKey });
  await ask('/me/passkeys', { credential: credential.toJSON(), name });
  return `/me${suffix}${suffix ? '&' : '?'}did=add`;
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const place of document.querySelectorAll('[data-passkey]')) {
    onSend(place.querySelector('form'), () => signIn(place.dataset.passkey));
    place.hidden = false;
  }
  for (const place of document.querySelectorAll('[data-new-passkey]')) {
    onSend(place.querySelector('form'), (form) => add(place.dataset.newPasskey, form.elements.name.value));
    place.hidden = false;
  }
}
