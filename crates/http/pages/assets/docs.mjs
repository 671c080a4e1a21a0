// The API reference: finds operations and shapes as one types, and opens what an address points at.

const entries = [...document.querySelectorAll('.entry')].map((entry) => ({
  entry,
  words: `${entry.dataset.words} ${[...entry.querySelectorAll('dt')].map((term) => term.textContent).join(' ')}`.toLowerCase(),
}));
const groups = [...document.querySelectorAll('.group')];
const field = document.getElementById('words');
const found = document.getElementById('found');

function find() {
  const asked = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { entry, words } of entries) {
    entry.hidden = !asked.every((word) => words.includes(word));
    count += entry.hidden ? 0 : 1;
  }
  for (const group of groups) group.hidden = !group.querySelector('.entry:not([hidden])');
  found.textContent = asked.length ? `${count} found` : '';
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.matches('.entry')) return;
  if (target.hidden) {
    field.value = '';
    find();
  }
  target.open = true;
  target.scrollIntoView();
}

field.addEventListener('input', find);
document.getElementById('search').addEventListener('submit', (event) => event.preventDefault());
addEventListener('hashchange', openTarget);
openTarget();
