// The script of the sandbox's page: posts to /_sandbox/... and redraws what changed.
const shown = {};                    // which tab of each book is in front
let revision = document.body.dataset.revision;

async function post(name, body) {
  const answer = await fetch('/_sandbox/' + name,
    {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
  if (!answer.ok) complain((await answer.json()).error.message);
  await redraw();
}

function complain(text) {
  const box = document.getElementById('problem');
  box.textContent = text;
  box.style.display = 'block';
  setTimeout(() => { box.style.display = 'none'; }, 4000);
}

function front(book, name) {
  shown[book] = name;
  for (const sheet of document.querySelectorAll('.sheet'))
    if (sheet.dataset.of === book) sheet.hidden = sheet.id !== name;
  for (const button of document.querySelectorAll('[data-show]'))
    if (button.dataset.tabOf === book) button.classList.toggle('on', button.dataset.show === name);
}

function fronts() {
  const first = {};
  for (const sheet of document.querySelectorAll('.sheet')) first[sheet.dataset.of] ??= sheet.id;
  for (const book in first) front(book, document.getElementById(shown[book]) ? shown[book] : first[book]);
}

function focused() {                 // the cell someone is in
  const cell = document.activeElement?.closest('td[data-r]'), grid = cell?.closest('table');
  return cell && {cell, place: `table[data-book="${grid.dataset.book}"][data-tab="${CSS.escape(grid.dataset.tab)}"] `
    + `td[data-r="${cell.dataset.r}"][data-c="${cell.dataset.c}"]`};
}

async function redraw() {
  const at = focused(), typing = at?.cell.querySelector('[contenteditable]');
  if (typing && typing.textContent !== typing.dataset.was) return;    // not under someone's fingers
  const fresh = new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html');
  const places = [...document.querySelectorAll('.sheet')].map(s => [s.id, s.scrollLeft, s.scrollTop]);
  const open = [...document.querySelectorAll('details')].map(d => d.open);
  revision = fresh.body.dataset.revision;
  for (const part of ['main', 'dl']) document.querySelector(part).replaceWith(fresh.querySelector(part));
  document.querySelectorAll('details').forEach((d, n) => { d.open = open[n] || false; });
  fronts();
  for (const [id, left, top] of places) document.getElementById(id)?.scrollTo(left, top);
  if (at) document.querySelector(at.place)?.firstElementChild?.focus({preventScroll: true});
}

function typed(element, value) {
  const cell = element.closest('td'), grid = element.closest('table');
  post('cell', {book: grid.dataset.book, tab: grid.dataset.tab, row: +cell.dataset.r, column: +cell.dataset.c, value});
}

document.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.post) post(button.dataset.post, JSON.parse(button.dataset.body));
  else if (button.dataset.show) front(button.dataset.tabOf, button.dataset.show);
  else if (button.classList.contains('box')) typed(button, button.getAttribute('aria-pressed') !== 'true');
});
document.addEventListener('change', event => { if (event.target.matches('.grid select')) typed(event.target, event.target.value); });
document.addEventListener('focusin', event => {
  if (event.target.isContentEditable) event.target.dataset.was = event.target.textContent;
});
document.addEventListener('focusout', event => {
  const cell = event.target;
  if (cell.isContentEditable && cell.textContent !== cell.dataset.was) typed(cell, cell.textContent);
});
document.addEventListener('keydown', event => {
  if (!event.target.isContentEditable) return;
  if (event.key === 'Escape') event.target.textContent = event.target.dataset.was;
  if (event.key === 'Enter' || event.key === 'Escape') { event.preventDefault(); event.target.blur(); }
});

async function look() {
  try {
    const state = await (await fetch('/_sandbox/state')).json();
    document.getElementById('clock').textContent = state.clock.slice(0, 16).replace('T', ' ');
    const busy = document.activeElement && document.activeElement.closest('.grid');
    if (String(state.revision) !== revision && !busy) await redraw();
  } catch { complain('The sandbox has been stopped.'); }
}
fronts();
setInterval(look, 2000);
