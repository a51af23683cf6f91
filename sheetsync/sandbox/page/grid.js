// The grids: where the person is, which cells are chosen, and what keys, mouse and clipboard do to them.
// A place is named by the ids of its row and column, which hold wherever these move meanwhile.
const chosen = {at: null, to: null, dragging: false};    // the cell someone is in, and the opposite corner

const cellOf = target => target.closest?.('.grid td');
const columnOf = cell => cell.closest('table').rows[0].cells[cell.cellIndex];
const linesOf = table => [...table.querySelectorAll('tr[data-row]:not([hidden])')];
const placeOf = cell => ({book: cell.closest('table').dataset.book, sheet: cell.closest('table').dataset.sheet,
  row: cell.parentNode.dataset.row, column: columnOf(cell).dataset.column, line: cell.parentNode.rowIndex, across: cell.cellIndex});
const tableAt = place =>
  document.querySelector(`.grid[data-book="${CSS.escape(place.book)}"][data-sheet="${CSS.escape(place.sheet)}"]`);

function cellAt(place) {             // undefined where its row or column is gone
  const table = place && tableAt(place);
  const row = table?.querySelector(`tr[data-row="${place.row}"]`), column = table?.querySelector(`th[data-column="${place.column}"]`);
  return row && column ? row.cells[column.cellIndex] : undefined;
}

function choose(cell, {extend = false, focus = true} = {}) {
  if (!cell) return;
  chosen.to = placeOf(cell);
  if (!extend || !cellAt(chosen.at) || chosen.at.sheet !== chosen.to.sheet) chosen.at = chosen.to;
  paint();
  const isWide = cell.offsetWidth > cell.closest('.scroll').clientWidth / 2;      // then its beginning is what is looked at
  cell.scrollIntoView({block: 'nearest', inline: isWide ? 'start' : 'nearest'});
  if (focus) cellAt(chosen.at).focus({preventScroll: true});
}

function block() {                   // the chosen cells, line by line; lines that a filter hides are not among them
  const first = cellAt(chosen.at), last = cellAt(chosen.to) || first;
  if (!first) return [];
  const lines = linesOf(first.closest('table')), ends = [first, last].map(cell => lines.indexOf(cell.parentNode)).sort((a, b) => a - b);
  const [left, right] = [first, last].map(cell => cell.cellIndex).sort((a, b) => a - b);
  return lines.slice(ends[0], ends[1] + 1).map(line => [...line.cells].slice(left, right + 1));
}

function paint() {
  for (const old of document.querySelectorAll('.chosen')) { old.classList.remove('chosen', 'at'); old.tabIndex = -1; old.ariaSelected = null; }
  for (const cell of block().flat()) { cell.classList.add('chosen'); cell.ariaSelected = 'true'; }
  for (const table of document.querySelectorAll('.grid')) {        // one stop for the Tab key in each grid
    const at = cellAt(chosen.at);
    const stop = at && table.contains(at) ? at : table.querySelector('tr.head td');
    if (stop) { stop.tabIndex = 0; stop.classList.toggle('at', stop === at); }
  }
}

function found() {                   // after a redraw: where someone was may be gone
  if (chosen.at && !cellAt(chosen.at)) {
    const table = tableAt(chosen.at), line = table?.rows[Math.min(chosen.at.line, table.rows.length - 1)];
    const cell = line?.cells[Math.min(chosen.at.across, line.cells.length - 1)];
    chosen.at = chosen.to = cell ? placeOf(cell) : null;
  }
  paint();
}

const within = (number, least, most) => Math.max(least, Math.min(number, most));

function beside(cell, down, right, far = false) {
  const lines = linesOf(cell.closest('table')), times = far ? 1e6 : 1;
  const line = lines[within(lines.indexOf(cell.parentNode) + down * times, 0, lines.length - 1)];
  return line.cells[within(cell.cellIndex + right * times, 1, line.cells.length - 1)];
}

const shownIn = cell => cell.firstChild.textContent;
const typedIn = cell => cell.dataset.typed ?? (cell.ariaChecked ? cell.ariaChecked.toUpperCase() : shownIn(cell));

// Values into cells: `values` begin at the first of `cells`; lines that are not on the page yet are named null.
function type(cells, values) {
  const first = cells[0][0], table = first.closest('table'), lines = linesOf(table);
  const from = lines.indexOf(first.parentNode), letters = table.rows[0].cells, wide = values[0].length;
  const rows = values.map((_, n) => lines[from + n]?.dataset.row ?? null);
  const columns = Array.from({length: wide}, (_, n) => letters[first.cellIndex + n]?.dataset.column ?? null);
  return send(first, {do: 'type', rows, columns, values});
}

function send(cell, body) {
  const {book, sheet} = cell.closest('table').dataset;
  return post('edit', {book, sheet, ...body});
}

async function clear() {
  const cells = block();
  if (cells.length && await mayType(cells)) type(cells, cells.map(line => line.map(() => null)));
}

async function tick() {
  const cells = block(), on = cellAt(chosen.at).ariaChecked !== 'true';
  const ticks = cells.map(line => line.map(cell => cell.ariaChecked ? on : typedIn(cell)));
  if (await mayType(cells)) type(cells, ticks);
}

const quoted = text => /[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const asText = cells => cells.map(line => line.map(cell => quoted(cell.ariaChecked ? typedIn(cell) : shownIn(cell))).join('\t')).join('\n');

function asValues(text) {            // what spreadsheets put on the clipboard: tabs, lines, quotes round those that hold some
  const lines = [[]], part = /("(?:[^"]|"")*"|[^\t\n]*)(\t|\n|$)/y;
  text = text.replaceAll('\r\n', '\n').replace(/\n$/, '');
  for (let found; part.lastIndex <= text.length && (found = part.exec(text));) {
    const [, held, end] = found;
    lines.at(-1).push(held.startsWith('"') && held.length > 1 ? held.slice(1, -1).replaceAll('""', '"') : held);
    if (!end) break;
    if (end === '\n') lines.push([]);
  }
  const wide = Math.max(...lines.map(line => line.length));
  return lines.map(line => Array.from({length: wide}, (_, n) => line[n] || null));
}

async function paste(text) {
  let cells = block(), values = asValues(text);
  const first = cells[0]?.[0];
  if (!first) return;
  if (values.length === 1 && values[0].length === 1) values = cells.map(line => line.map(() => values[0][0]));
  const lines = linesOf(first.closest('table')), from = lines.indexOf(first.parentNode);
  const under = lines.slice(from, from + values.length)
    .map(line => [...line.cells].slice(first.cellIndex, first.cellIndex + values[0].length));
  if (!await mayType(under)) return;
  await type([[first]], values);
  const table = tableAt(chosen.at), start = cellAt(chosen.at);
  if (start && table) {              // what was pasted is chosen, as in any spreadsheet
    const now = linesOf(table), last = now[Math.min(now.indexOf(start.parentNode) + values.length, now.length) - 1];
    choose(last.cells[Math.min(start.cellIndex + values[0].length, last.cells.length) - 1], {extend: true});
  }
}

const MOVES = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-15, 0], PageDown: [15, 0]};

function pressed(event, cell) {      // a key on a cell: true where it was one of the grid's
  const {key, shiftKey: shift} = event, far = event.ctrlKey || event.metaKey;
  const corner = shift ? cellAt(chosen.to) || cell : cell;
  if (key in MOVES && !event.altKey) choose(beside(corner, ...MOVES[key], far), {extend: shift});
  else if (key === 'Tab') choose(beside(cell, 0, shift ? -1 : 1));
  else if (key === 'Enter' && !event.altKey) choose(beside(cell, shift ? -1 : 1, 0));
  else if (key === 'Home' || key === 'End') {
    const edge = beside(corner, 0, key === 'End' ? 1 : -1, true);
    choose(far ? beside(edge, key === 'End' ? 1 : -1, 0, true) : edge, {extend: shift});
  } else if (key === 'Delete' || key === 'Backspace') clear();
  else if (key === 'F2' || (event.altKey && key.startsWith('Arrow')) || (event.altKey && key === 'Enter')) edit(cell);
  else if (key === 'ContextMenu' || (shift && key === 'F10')) showMenu(cell);
  else if (key === 'Escape') document.querySelector(`[data-show="${CSS.escape(cell.closest('.sheet').id)}"]`).focus();
  else if (far) return letters(event, cell);
  else if (key === ' ' && cell.ariaChecked) tick();
  else if (key.length === 1 && !event.altKey) return begin(cell, key);
  else return false;
  return true;
}

function letters(event, cell) {      // Ctrl and a letter
  const key = event.key.toLowerCase();
  if (key === 'z') send(cell, {do: event.shiftKey ? 'redo' : 'undo'});
  else if (key === 'y') send(cell, {do: 'redo'});
  else if (key === 'a') {
    const lines = linesOf(cell.closest('table'));
    choose(lines[0].cells[1]);
    choose([...lines.at(-1).cells].at(-1), {extend: true});
  } else return false;
  return true;
}

function chooseLine(head, extend) {  // a whole row, or a whole column, by its head
  const table = head.closest('table'), lines = linesOf(table), isRow = head.matches('.n');
  const first = isRow ? head.nextSibling : lines[0].cells[head.cellIndex];
  const last = isRow ? head.parentNode.lastChild : lines.at(-1).cells[head.cellIndex];
  if (!extend) choose(first);
  choose(last, {extend: true});
}

document.addEventListener('keydown', event => {
  const cell = cellOf(event.target);
  if (cell && !event.isComposing && pressed(event, cell)) event.preventDefault();
});
document.addEventListener('mousedown', event => {
  const cell = cellOf(event.target), head = event.target.closest('.grid th');
  if (event.button || event.target.closest('button') || (!cell && !head?.textContent)) return;
  event.preventDefault();
  if (head) return chooseLine(head, event.shiftKey);
  chosen.dragging = true;
  choose(cell, {extend: event.shiftKey});
  const box = cell.getBoundingClientRect();
  if (cell.matches('.list') && event.clientX > box.right - 22) edit(cell);
  if (cell.matches('.tick') && Math.abs(event.clientX - (box.left + box.right) / 2) < 12) tick();
});
document.addEventListener('mouseover', event => {
  if (chosen.dragging && cellOf(event.target)) choose(cellOf(event.target), {extend: true});
});
document.addEventListener('mouseup', () => { chosen.dragging = false; });
document.addEventListener('dblclick', event => { if (cellOf(event.target)) edit(cellOf(event.target)); });
document.addEventListener('focusin', event => {
  const cell = cellOf(event.target);
  if (cell && !cell.matches('.chosen')) choose(cell);
});
for (const kind of ['copy', 'cut']) document.addEventListener(kind, event => {
  if (!cellOf(document.activeElement)) return;
  event.preventDefault();
  event.clipboardData.setData('text/plain', asText(block()));
  if (kind === 'cut') clear();
});
document.addEventListener('paste', event => {
  if (!cellOf(document.activeElement)) return;
  event.preventDefault();
  paste(event.clipboardData.getData('text/plain'));
});
