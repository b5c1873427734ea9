// The selected step: by key, by click, and by the address of the page.

let selected = -1;
const stops = [];  // Deviations, and the failure.
steps.forEach((step, column) => {
  if (step.deviates || column === data.failing) stops.push(column);
});

function select(column, options = {}) {
  if (column < 0 || column >= steps.length) return;
  selected = column;
  if (options.address !== false) {
    history.replaceState(null, "", "#s" + steps[column].n);
  }
  reveal(column);
  drawDetails();
  drawSource();
  redraw();
}

function move(by) {
  select(Math.max(0, Math.min(steps.length - 1, selected + by)));
}

function moveToMark(forward) {
  const others = stops.filter((column) => forward ? column > selected : column < selected);
  if (others.length > 0) select(forward ? others[0] : others[others.length - 1]);
}

function selectFromAddress() {
  const match = /^#s(\d+)$/.exec(location.hash);
  if (match === null) return false;
  const column = columnOf(Number(match[1]));
  if (column < 0) return false;
  showView("timeline");
  select(column, {address: false});
  return true;
}
