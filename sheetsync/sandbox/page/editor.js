// The editor: a box over the cell that is typed into. It is no part of the grid, which may be drawn anew under it, and
// what is typed goes to the row it was opened on. Beside it, the list of a dropdown and the warning before kept columns.
const editor = {place: null, box: null, list: null, picked: -1};

function begin(cell, key) {          // typing replaces; the key itself goes on into the box, unless somebody is asked first
  if (cell.ariaChecked) return true;
  if (!cell.dataset.warning) { show(cell, ''); return false; }
  edit(cell, key);
  return true;
}

async function edit(cell, text = null) {
  if (cell.ariaChecked) return tick();
  const place = placeOf(cell);
  if (!await mayType([[cell]]) || !(cell = cellAt(place))) return;
  show(cell, text ?? typedIn(cell), text === null);
}

function show(cell, text, all = false) {
  closeBox();
  const box = document.createElement('textarea'), list = document.createElement('ul');
  Object.assign(editor, {place: placeOf(cell), box, list, picked: -1});
  Object.assign(box, {id: 'editor', rows: 1, value: text, spellcheck: false});
  box.setAttribute('aria-label', `${columnOf(cell).firstChild.textContent}${cell.parentNode.cells[0].textContent}`);
  Object.assign(list, {id: 'choices', role: 'listbox', hidden: true});
  document.body.append(box, list);
  put();
  if (cell.dataset.choices) {
    editor.choices = JSON.parse(cell.dataset.choices);
    box.setAttribute('role', 'combobox');
    box.setAttribute('aria-controls', 'choices');
    offer(all ? '' : text, all ? text : null);
  } else editor.choices = null;
  box.focus({preventScroll: true});
  if (all && editor.choices) box.select(); else box.setSelectionRange(text.length, text.length);
  box.addEventListener('blur', () => editor.box === box && commit());
}

function put() {                     // over its cell, or at the edge of the grid where that has gone out of sight
  const cell = editor.box && cellAt(editor.place);
  if (!cell || cell.parentNode.hidden) return;
  const at = cell.getBoundingClientRect(), edge = cell.closest('.scroll').getBoundingClientRect();
  const top = Math.max(edge.top, Math.min(at.top, edge.bottom - at.height)), left = Math.max(edge.left, Math.min(at.left, edge.right - 60));
  const wide = Math.min(at.width, innerWidth - left - 4);
  Object.assign(editor.box.style, {top: `${top}px`, left: `${left}px`, minWidth: `${wide}px`, height: `${at.height}px`});
  const room = editor.box.scrollHeight > at.height + 4 ? Math.min(editor.box.scrollHeight + 4, 160) : at.height;
  Object.assign(editor.box.style, {height: `${room}px`, width: `${Math.min(Math.max(wide, 9 * editor.box.value.length + 24), 420, innerWidth - left - 4)}px`});
  Object.assign(editor.list.style, {top: `${top + room}px`, left: `${left}px`, minWidth: `${wide}px`});
}

function offer(text, current = null) {   // the choices that begin or go on with what is typed
  const fits = editor.choices.filter(choice => choice.toLowerCase().includes(text.toLowerCase()));
  editor.list.replaceChildren(...fits.map((choice, n) => {
    const item = document.createElement('li');
    Object.assign(item, {id: `choice${n}`, role: 'option', textContent: choice});
    item.addEventListener('mousedown', event => { event.preventDefault(); pick(n); leave(0, 0); });
    return item;
  }));
  editor.list.hidden = !fits.length;
  pick(current === null ? (text && fits.length ? 0 : -1) : fits.indexOf(current));
}

function pick(number) {
  const items = [...editor.list.children];
  editor.picked = items.length ? Math.min(number, items.length - 1) : -1;
  items.forEach((item, n) => { item.ariaSelected = String(n === editor.picked); });
  items[editor.picked]?.scrollIntoView({block: 'nearest'});
  editor.box.setAttribute('aria-expanded', String(!editor.list.hidden));
  editor.box.setAttribute('aria-activedescendant', items[editor.picked]?.id ?? '');
}

function closeBox() {
  const {box, list} = editor;
  editor.box = editor.list = null;
  box?.remove();
  list?.remove();
}

function commit() {
  const {place, box} = editor, text = box.value, cell = cellAt(place);
  closeBox();
  if (cell && text === typedIn(cell)) return;
  if (cell) cell.firstChild.textContent = text;
  post('edit', {book: place.book, sheet: place.sheet, do: 'type', rows: [place.row], columns: [place.column], values: [[text]]},
    `\u201c${text}\u201d was not written: `);
}

function leave(down, right) {        // to the next cell, once what was typed is on its way
  const cell = cellAt(editor.place);
  if (editor.picked >= 0) editor.box.value = editor.list.children[editor.picked].textContent;
  commit();
  if (cell) choose(beside(cell, down, right)); else found();
}

function pressedInEditor(event) {
  const {key, shiftKey: shift} = event;
  if (key === 'Escape') { const cell = cellAt(editor.place); closeBox(); choose(cell); }
  else if (key === 'Enter' && (event.altKey || event.ctrlKey)) editor.box.setRangeText('\n', editor.box.selectionStart, editor.box.selectionEnd, 'end');
  else if (key === 'Enter') leave(shift ? -1 : 1, 0);
  else if (key === 'Tab') leave(0, shift ? -1 : 1);
  else if (editor.choices && (key === 'ArrowDown' || key === 'ArrowUp')) {
    if (editor.list.hidden) offer(''); else pick(Math.max(0, editor.picked + (key === 'ArrowDown' ? 1 : -1)));
  } else return;
  event.preventDefault();
}

document.addEventListener('keydown', event => {
  if (editor.box && event.target === editor.box && !event.isComposing) pressedInEditor(event);
});
document.addEventListener('input', event => {
  if (event.target !== editor.box) return;
  if (editor.choices) offer(editor.box.value);
  put();
});
for (const kind of ['scroll', 'resize']) addEventListener(kind, put, true);

// Columns that the book warns of are typed into only after a yes.
function mayType(cells) {
  const kept = cells.flat().find(cell => cell.dataset.warning);
  if (!kept) return Promise.resolve(true);
  const box = document.createElement('dialog'), back = chosen.at;
  const words = JSON.parse(kept.closest('table').dataset.warnings)[kept.dataset.warning];
  box.innerHTML = '<form method="dialog"><p></p><button value="yes">Type it</button> <button value="" class="main" autofocus>Leave it</button></form>';
  box.querySelector('p').textContent = `${words} Type here all the same?`;
  Object.assign(box, {id: 'warning', ariaLabel: 'Warning'});
  document.body.append(box);
  box.showModal();
  return new Promise(done => box.addEventListener('close', () => {
    box.remove();
    cellAt(back)?.focus({preventScroll: true});
    done(box.returnValue === 'yes');
  }, {once: true}));
}
