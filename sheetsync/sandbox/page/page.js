// The page: posts to /_sandbox/..., tabs, and what is drawn anew when something has changed, under whoever is typing.
const shown = {};                    // which tab of each book is in front
let revision = document.body.dataset.revision, drawing = 0, line = Promise.resolve();

function post(name, body, refusal = '', method = 'POST') {   // one after another, as they were done
  line = line.then(async () => {
    const answer = await fetch('/_sandbox/' + name,
      {method, headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
    const {error, refused = error?.message} = await answer.json();
    if (refused) complain(refusal + refused);
    await redraw();
  }).catch(() => complain('The sandbox has been stopped.'));
  return line;
}

function complain(text) {
  const box = document.getElementById('problem');
  box.textContent = text;
  box.style.display = 'block';
  clearTimeout(complain.timer);
  complain.timer = setTimeout(() => { box.style.display = 'none'; }, 6000);
}

function front(book, name) {
  shown[book] = name;
  for (const sheet of document.querySelectorAll('.sheet'))
    if (sheet.dataset.of === book) sheet.hidden = sheet.id !== name;
  for (const button of document.querySelectorAll('[data-show]'))
    if (button.dataset.tabOf === book) button.ariaPressed = String(button.dataset.show === name);
}

function fronts() {
  const first = {};
  for (const sheet of document.querySelectorAll('.sheet')) first[sheet.dataset.of] ??= sheet.id;
  for (const book in first) front(book, document.getElementById(shown[book]) ? shown[book] : first[book]);
}

const partsOf = page => [page.querySelector('#trouble'), page.querySelector('dl'), ...page.querySelector('main').children];
let drawn = partsOf(document).map(part => part.outerHTML);

function replace(fresh) {            // what is as it was stays, with whatever somebody is about to press there
  const parts = partsOf(fresh), old = partsOf(document), now = parts.map(part => part.outerHTML);
  if (parts.length !== old.length) document.querySelector('main').replaceWith(fresh.querySelector('main'));
  parts.slice(0, old.length).forEach((part, n) => { if (now[n] !== drawn[n] && old[n].isConnected) old[n].replaceWith(part); });
  drawn = now;
}

const nameOf = element => element.tagName + JSON.stringify(element.dataset) + element.textContent;

async function redraw() {
  const mine = ++drawing;
  const fresh = new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html');
  if (mine !== drawing || chosen.dragging) return;         // a later one is on its way, or a mouse is held down
  const focus = document.activeElement, inGrid = cellOf(focus), name = nameOf(focus);
  const places = [...document.querySelectorAll('.scroll')].map(box => [box.parentNode.id, box.scrollLeft, box.scrollTop]);
  const open = [...document.querySelectorAll('details')].map(one => one.open);
  revision = fresh.body.dataset.revision;
  replace(fresh);
  document.querySelectorAll('details').forEach((one, n) => { one.open = open[n] || false; });
  fronts();
  for (const [id, left, top] of places) document.getElementById(id)?.querySelector('.scroll').scrollTo(left, top);
  found();
  if (inGrid) cellAt(chosen.at)?.focus({preventScroll: true});
  else if (!focus.isConnected) [...document.querySelectorAll('button, summary')].find(one => nameOf(one) === name)?.focus({preventScroll: true});
  put();
}

document.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (!button) return;
  const {post: name, body, method, show: tab, tabOf, add} = button.dataset;
  if (name) post(name, JSON.parse(body), '', method);
  else if (tab) front(tabOf, tab);
  else if (add) post('edit', {do: 'add_tab', book: add}).then(() => {
    const last = [...document.querySelectorAll('.sheet')].filter(sheet => sheet.dataset.of === add).at(-1);
    front(add, last.id);
  });
});

async function look() {
  try {
    const state = await (await fetch('/_sandbox/state')).json();
    document.getElementById('clock').textContent = state.clock.slice(0, 16).replace('T', ' ');
    if (String(state.revision) !== revision) await redraw();
  } catch { complain('The sandbox has been stopped.'); }
}
fronts();
paint();
setInterval(look, 1500);
