// Follows an order while its page is open: what changed is shown at once, unless somebody is filling in a form. Without it the page is whole.

const AGAIN_MS = 30_000;
const page = () => document.getElementById('order');

/** Is somebody at work in a form, whose words would be lost? */
function isBusy() {
  const inputs = [...page().querySelectorAll('input, select')];
  const changed = (input) => (input.type === 'radio' ? input.checked !== input.defaultChecked : input.defaultValue !== undefined && input.value !== input.defaultValue);
  return inputs.some((input) => input === document.activeElement || (input.type !== 'hidden' && changed(input)));
}

/** Shows the page as it is now, with the same parts opened. */
async function renew() {
  const answer = await fetch(page().dataset.page);
  if (answer.status === 404) {
    location.reload();
    return;
  }
  if (!answer.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const next = now.getElementById('order');
  if (!next || next.dataset.look === page().dataset.look) return;
  for (const open of page().querySelectorAll('details[open]')) {
    const same = next.querySelector(`#${open.id}`);
    if (same) same.open = true;
  }
  const hadFocus = page().contains(document.activeElement);
  page().replaceWith(next);
  document.title = now.title;
  document.getElementById('told').textContent = next.querySelector('h1').textContent;
  if (hadFocus) next.focus();
}

function follow() {
  const stream = new EventSource(page().dataset.stream);
  stream.addEventListener('message', (event) => {
    if (event.lastEventId === page().dataset.look) return;
    if (isBusy()) document.getElementById('news').hidden = false;
    else renew();
  });
  stream.addEventListener('error', () => {
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(follow, AGAIN_MS);
  });
}

follow();
