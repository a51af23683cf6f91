// The menu of a cell's row and column: sort, filter, insert, delete. By the letter's button, a right click or Shift+F10.
let menu = null;

function showMenu(cell, {x, y} = {}) {
  const at = cell.getBoundingClientRect(), letter = columnOf(cell), name = letter.firstChild.textContent;
  const cells = block().flat().includes(cell) ? block() : [[cell]];
  const rows = cells.map(line => line[0].parentNode.dataset.row), columns = cells[0].map(one => columnOf(one).dataset.column);
  const column = letter.dataset.column, number = cell.parentNode.cells[0].textContent;
  const many = (lines, one) => lines.length > 1 ? `${lines.length} ${one}s` : one;
  const does = body => () => send(cell, body);
  listed([
    [`Sort by ${name}, A to Z`, does({do: 'sort', column, ascending: true})],
    [`Sort by ${name}, Z to A`, does({do: 'sort', column, ascending: false})],
    [`Filter ${name} \u2026`, () => showFilter(cell)],
    [`Insert a row above ${number}`, does({do: 'insert', dimension: 'ROWS', beside: rows[0]})],
    [`Insert a row below ${number}`, does({do: 'insert', dimension: 'ROWS', beside: rows.at(-1), after: true})],
    [`Insert a column left of ${name}`, does({do: 'insert', dimension: 'COLUMNS', beside: columns[0]})],
    [`Insert a column right of ${name}`, does({do: 'insert', dimension: 'COLUMNS', beside: columns.at(-1), after: true})],
    [`Delete ${many(rows, 'row')}`, does({do: 'delete', dimension: 'ROWS', lines: rows})],
    [`Delete ${many(columns, 'column')}`, async () => { if (await mayType(cells)) send(cell, {do: 'delete', dimension: 'COLUMNS', lines: columns}); }],
    ['Undo', does({do: 'undo'})],
    ['Redo', does({do: 'redo'})],
  ], cell, x ?? at.left, y ?? at.bottom);
}

function listed(items, cell, x, y) {
  popUp('menu', cell, x, y, items.map(([text, act]) => {
    const item = document.createElement('button');
    Object.assign(item, {role: 'menuitem', textContent: text});
    item.addEventListener('click', () => { shut(); act(); });
    return item;
  }));
}

function showFilter(cell) {
  const at = cell.getBoundingClientRect(), letter = columnOf(cell), hidden = JSON.parse(letter.dataset.hidden ?? '[]');
  const below = [...cell.closest('table').querySelectorAll('tr[data-row]:not(.head)')]
    .filter(row => [...row.cells].some((one, n) => n && !one.ariaChecked && shownIn(one)));
  const texts = [...new Set(below.map(row => shownIn(row.cells[cell.cellIndex])))].sort();
  const boxes = texts.map(text => {
    const label = document.createElement('label'), box = document.createElement('input');
    Object.assign(box, {type: 'checkbox', value: text, checked: !hidden.includes(text)});
    label.append(box, text || '(empty)');
    return label;
  });
  const apply = document.createElement('button');
  apply.textContent = 'Show these';
  apply.className = 'main';
  apply.addEventListener('click', () => {
    const off = [...menu.querySelectorAll('input:not(:checked)')].map(box => box.value);
    shut();
    send(cell, {do: 'filter', column: letter.dataset.column, hidden: off});
  });
  popUp('dialog', cell, at.left, at.bottom, [...boxes, apply]);
}

function popUp(role, cell, x, y, parts) {
  shut(false);
  menu = document.createElement('div');
  Object.assign(menu, {id: 'menu', role, ariaLabel: `Column ${columnOf(cell).firstChild.textContent}`});
  menu.append(...parts);
  document.body.append(menu);
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - menu.offsetWidth - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - menu.offsetHeight - 4))}px`;
  menu.querySelector('button, input').focus();
}

function shut(back = true) {
  if (!menu) return;
  menu.remove();
  menu = null;
  if (back) cellAt(chosen.at)?.focus({preventScroll: true});
}

document.addEventListener('keydown', event => {
  if (!menu?.contains(event.target)) return;
  const parts = [...menu.querySelectorAll('button, input')], now = parts.indexOf(event.target);
  const step = {ArrowDown: 1, ArrowUp: -1, Tab: event.shiftKey ? -1 : 1}[event.key];
  if (event.key === 'Escape') shut();
  else if (event.key === 'Enter' && event.target.type === 'checkbox') parts.at(-1).click();
  else if (step) parts[(now + step + parts.length) % parts.length].focus();
  else return;
  event.preventDefault();
});
document.addEventListener('mousedown', event => { if (!menu?.contains(event.target)) shut(false); });
document.addEventListener('contextmenu', event => {
  const cell = cellOf(event.target);
  if (!cell) return;
  event.preventDefault();
  if (!cell.matches('.chosen')) choose(cell);
  showMenu(cell, event.clientX ? {x: event.clientX, y: event.clientY} : {});
});
document.addEventListener('click', event => {
  const letter = event.target.closest('.letters .open')?.closest('th');
  if (!letter) return;
  const at = letter.getBoundingClientRect(), cell = linesOf(letter.closest('table'))[0].cells[letter.cellIndex];
  choose(cell);
  showMenu(cell, {x: at.left, y: at.bottom});
});
