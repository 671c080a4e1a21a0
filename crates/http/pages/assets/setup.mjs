// The set-up page: sends what was filled in, shows what is wrong beside each field, and says when it is done.

const form = document.getElementById('setup');
const trouble = document.getElementById('trouble');
const send = document.getElementById('send');

/** Shows one message for the whole form, or none. */
function tell(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

/** Shows what is wrong with a field, or that nothing is. */
function mark(name, text) {
  const input = form.elements.namedItem(name);
  document.getElementById(`${name}-trouble`).textContent = text;
  if (text) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  tell('');
  const fields = ['name', 'email', 'password'];
  const body = { token: new URLSearchParams(location.search).get('token') ?? '' };
  for (const name of fields) {
    body[name] = form.elements.namedItem(name).value;
    mark(name, '');
  }
  send.disabled = true;
  try {
    const answer = await fetch('/v1/setup', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (answer.ok) {
      form.hidden = true;
      const done = document.getElementById('done');
      done.hidden = false;
      done.focus();
      history.replaceState(null, '', '/setup');
      return;
    }
    const problem = await answer.json();
    const named = (problem.errors ?? []).filter((error) => fields.includes(error.field));
    for (const error of named) mark(error.field, error.message);
    if (named.length > 0) form.elements.namedItem(named[0].field).focus();
    else tell(problem.detail ?? 'the shop did not say why not');
  } catch {
    tell('the shop did not answer; try again');
  } finally {
    send.disabled = false;
  }
});
