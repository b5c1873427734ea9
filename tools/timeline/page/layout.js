// The layout of the lanes: which tasks have a lane, and where each column is.

const ROW = 26;
const FOOT = 40;
let columnWidth = 40;
let gutter = 120;
let left = [];       // Where each column begins, and the end of the last.
let lanesShown = [];
let rowOf = new Map();

// The lanes that are related to the failure; the others are folded.
function chooseLanes() {
  const all = data.lanes.map((name, lane) => lane)
      .filter((lane) => data.spans[lane].length > 0);
  const most = 24;
  lanesShown = all;
  let hidden = 0;
  if (!$("show-all").checked && all.length > most) {
    const wanted = new Set();
    const add = (lane) => {
      if (lane !== undefined && wanted.size < most) wanted.add(lane);
    };
    for (const column of stops) add(steps[column].lane);
    for (const task of data.cycle) add(data.lanes.indexOf(data.waits[task].task));
    for (let column = steps.length - 1; column >= 0; --column) add(steps[column].lane);
    lanesShown = all.filter((lane) => wanted.has(lane));
    hidden = all.length - lanesShown.length;
  }
  rowOf = new Map(lanesShown.map((lane, row) => [lane, row]));
  const longest = Math.max(6, ...lanesShown.map((lane) => laneName(lane).length));
  const widest = $("lanes").clientWidth < 700 ? 12 : 24;
  gutter = 16 + Math.min(longest, widest) * 7.2;
  return hidden;
}

let folded = 0;

function layOut() {
  folded = chooseLanes();
  left = new Array(steps.length + 1);
  left[0] = 0;
  if ($("axis-time").checked) {
    // Every step keeps a width, so that steps at the same instant can be
    // distinguished; between instants there is room for the time that passes.
    const total = steps.length > 0 ? steps[steps.length - 1].t - steps[0].t : 0;
    const scale = total > 0 ? Math.max(900, steps.length * 4) / total : 0;
    const width = Math.max(6, columnWidth / 3);
    for (let i = 0; i < steps.length; ++i) {
      const passes = i + 1 < steps.length ? steps[i + 1].t - steps[i].t : 0;
      left[i + 1] = left[i] + width + passes * scale;
    }
  } else {
    for (let i = 0; i < steps.length; ++i) left[i + 1] = left[i] + columnWidth;
  }
  const height = lanesShown.length * ROW + (folded ? ROW : 0) + FOOT + 8;
  $("lanes-space").style.width = gutter + left[steps.length] + 24 + "px";
  $("lanes-space").style.height = height + "px";
  redraw();
}

// The width of a step's own block, without the time that passes after it.
function blockWidth(column) {
  const whole = left[column + 1] - left[column];
  if (!$("axis-time").checked) return whole;
  return Math.min(whole, Math.max(6, columnWidth / 3));
}

function firstColumnAt(x) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (left[middle + 1] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The first span of a lane that ends after a column.
function firstSpan(spans, column) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle][1] <= column) low = middle + 1;
    else high = middle;
  }
  return low;
}
