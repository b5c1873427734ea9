
// Draws the timeline from the data in the page, which tools/timeline/show.py has
// put there: `steps` are columns; `spans` say what each lane does from one column
// to another; `arrows` say which step made which task ready. However many steps
// there are, only those in view are elements of the page.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps;
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

// ---- Small helpers. ----

// An element with attributes and children; a text child is text, never markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

function draw(parent, tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

const count = (n) => n.toLocaleString("en-US");
const cut = (text, room) => text.length <= room ? text : room < 2 ? "" : text.slice(0, room - 1) + "\u2026";
const laneName = (lane) => data.lanes[lane] === "-" ? "callbacks" : data.lanes[lane];
// The task in "worker-1 (job_queue.cc:23)".
const stepTask = (step) => step.lane === undefined ? step.taken : laneName(step.lane);
const place = (frame) => frame.line ? frame.file + ":" + frame.line : "";
const frameText = (frame) => [frame.function, place(frame)].filter(Boolean).join(" ");

// The column of a number, which is that of a step or of a decision in a step.
function columnOf(number) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle].n <= number) low = middle + 1;
    else high = middle;
  }
  const column = low - 1;
  return column >= 0 && number <= (steps[column].last || steps[column].n) ? column : -1;
}

// ---- The header. ----

function replayLine() {
  if (data.replay_command) {
    const lines = data.replay_command.replace(/\\\n\s*/g, "").split("\n");
    return lines[lines.length - 1].replace(/^same binary:\s*/, "");
  }
  return data.replay ? "CLOTHO_REPLAY=" + data.replay : "";
}

async function copyReplay() {
  let done = true;
  try {
    await navigator.clipboard.writeText(replayLine());
  } catch (error) {
    // Not every browser lets a page from the file system use the clipboard.
    const field = make("textarea", {class: "mono"});
    field.value = replayLine();
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
  }
  $("copied").textContent = done ? "copied" : "could not copy: " + replayLine();
}

function drawHeader() {
  $("test").textContent = data.test || "Execution";
  const failed = data.failing !== undefined || Boolean(data.failure);
  $("verdict").textContent = failed ? "FAILED" : "passed";
  $("verdict").classList.toggle("fails", failed);
  $("replay").textContent = data.replay;
  $("copy").hidden = replayLine() === "";
  $("copy").title = replayLine();
  $("copy").addEventListener("click", copyReplay);
  // If it has a drawing, only the first line; the rest can be unfolded.
  const lines = data.failure.split("\n");
  const isLong = lines.length > 6;
  let text = isLong ? lines[0] : data.failure;
  $("failure-more").hidden = !isLong;
  $("failure-rest").textContent = data.failure;
  if (data.failed.file) {
    text += "\n" + (data.failed.function ?
        "in " + data.failed.function + " (" + place(data.failed) + ")" :
        "at " + place(data.failed));
  }
  $("failure").textContent = text;
  $("drawn").textContent = data.first === 0 ? "" :
      "Drawn: " + count(steps.length) + " of " + count(data.total) +
      " steps, up to the failure. `clotho show` without --format=html has all of them.";
}

// ---- The selection. ----

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

// ---- The two rows. ----

const CHIP = 132;
const fifoSteps = data.fifo ? data.fifo.steps : [];
// Both runs are the same up to here; 0 if there is nothing to compare.
const parting = data.fifo && data.fifo.parts !== null ? data.fifo.parts : steps.length;

function drawCompareFrame() {
  const chips = Math.max(steps.length, fifoSteps.length);
  $("compare-space").style.width = chips * CHIP + "px";
  $("compare").classList.toggle("single", !data.fifo);
  if (data.fifo) {
    const fails = Boolean(data.fifo.failure);
    $("fifo-end").textContent = fails ? "fails" : "passes";
    $("fifo-end").title = data.fifo.failure;
    $("fifo-end").classList.toggle("fails", fails);
    if (data.fifo.left_out) {
      $("fifo-end").title += " (" + count(data.fifo.left_out) + " more steps)";
    }
  }
  const failed = $("verdict").classList.contains("fails");
  $("run-end").textContent = failed ? "fails" : "passes";
  $("run-end").classList.toggle("fails", failed);
}

function drawCompare() {
  const box = $("compare-scroll");
  const space = $("compare-space");
  const from = Math.max(0, Math.floor(box.scrollLeft / CHIP) - 1);
  const to = Math.ceil((box.scrollLeft + box.clientWidth) / CHIP) + 1;
  const chips = [];
  const chip = (row, column, text, classes, onclick) => {
    const tag = onclick ? "button" : "span";
    const element = make(tag, {class: "chip row" + row + classes, title: text}, text);
    if (onclick) {
      element.type = "button";
      element.tabIndex = -1;
      element.addEventListener("click", onclick);
    }
    element.style.left = column * CHIP + 2 + "px";
    element.style.width = CHIP - 4 + "px";
    chips.push(element);
  };
  for (let column = from; column < to; ++column) {
    if (column < fifoSteps.length) {
      const [number, task, taken] = fifoSteps[column];
      chip(0, column, number + " " + (task === "-" ? taken : task),
           column >= parting ? " apart" : "");
    }
    if (column < steps.length) {
      const step = steps[column];
      const fails = column === data.failing;
      const mark = fails ? "\u2715" : step.deviates ? "\u2217" : "";
      chip(1, column, mark + step.n + " " + stepTask(step),
           (step.deviates ? " deviates" : "") + (fails ? " fails" : "") +
               (column === selected ? " selected" : ""),
           () => select(column));
    }
  }
  if (data.fifo && parting < steps.length) {
    const line = make("div", {class: "parting"});
    line.style.left = parting * CHIP - 1 + "px";
    chips.push(line);
  }
  space.replaceChildren(...chips);
}

// ---- The lanes. ----

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

function drawLanes() {
  const box = $("lanes");
  const chart = $("chart");
  const marks = $("marks");
  const width = box.clientWidth;
  const space = $("lanes-space");
  const height = Math.min(box.clientHeight, parseFloat(space.style.height));
  chart.setAttribute("width", width);
  chart.setAttribute("height", height);
  const x = (column) => gutter + left[column] - box.scrollLeft;
  const from = Math.max(0, firstColumnAt(box.scrollLeft) - 1);
  const to = Math.min(steps.length, firstColumnAt(box.scrollLeft + width - gutter) + 1);
  const top = box.scrollTop;
  const y = (row) => 4 + row * ROW - top;
  const firstRow = Math.max(0, Math.floor(top / ROW) - 1);
  const lastRow = Math.min(lanesShown.length, Math.ceil((top + height - FOOT) / ROW) + 1);
  const group = document.createElementNS(SVG, "g");
  group.id = "marks";

  if (selected >= from && selected < to) {
    draw(group, "rect", {class: "selection", x: x(selected), y: 0, width: blockWidth(selected), height});
  }
  for (let row = firstRow; row < lastRow; ++row) {
    draw(group, "line", {class: "rule", x1: gutter, x2: width, y1: y(row) + ROW, y2: y(row) + ROW});
  }
  const texts = [];
  for (let row = firstRow; row < lastRow; ++row) {
    const spans = data.spans[lanesShown[row]];
    for (let i = firstSpan(spans, from); i < spans.length && spans[i][0] < to; ++i) {
      drawSpan(group, texts, lanesShown[row], spans[i], x, y(row));
    }
  }
  if ($("show-wakes").checked) {
    for (const [start, lane, end, other, kind] of data.arrows) {
      if (end < from || start >= to) continue;
      const a = rowOf.get(lane);
      const b = rowOf.get(other);
      if (a === undefined || b === undefined) continue;
      if (Math.max(a, b) < firstRow || Math.min(a, b) > lastRow) continue;
      const down = b > a;
      const x1 = x(start) + blockWidth(start) * 0.7;
      const y1 = y(a) + (down ? ROW - 5 : 5);
      const x2 = x(start) + blockWidth(start) + 1;
      const y2 = y(b) + ROW / 2;
      const bend = (y2 - y1) * 0.6;
      draw(group, "path", {
        class: "arrow " + kind, "marker-end": "url(#arrowhead)",
        d: `M${x1} ${y1} C${x1} ${y1 + bend} ${x2 - 14} ${y2} ${x2} ${y2}`,
      });
    }
  }
  if ($("show-accesses").checked) {
    for (let column = from; column < to; ++column) drawAccesses(group, column, x, y);
  }
  for (const text of texts) group.append(text);
  drawFlags(group, from, to, x, height);
  drawFoot(group, from, to, x, width, height);
  drawGutter(group, firstRow, lastRow, y, height);
  marks.replaceWith(group);
}

function drawSpan(group, texts, lane, [begin, end, state, text], x, y) {
  const middle = y + ROW / 2;
  const from = Math.max(x(begin), gutter - 30);
  const to = Math.min(x(end), $("lanes").clientWidth + 30);
  if (state === "running") {
    const step = steps[begin];
    const own = step.lane === lane;
    const fails = begin === data.failing && own;
    const width = Math.max(3, blockWidth(begin) - 4);
    const block = draw(group, "rect", {
      class: "run step" + (step.deviates && own ? " deviates" : "") + (fails ? " fails" : ""),
      x: x(begin) + 2, y: y + 4, width, height: ROW - 8, rx: 3, "data-column": begin,
    });
    draw(block, "title", {}, "step " + step.n + ": " + step.taken);
    const label = String(step.n);
    if (width > label.length * 7.2 + 4) {
      const number = draw(group, "text", {class: "inrun step", x: x(begin) + 2 + width / 2, y: middle + 4, "text-anchor": "middle", "data-column": begin}, label);
      texts.push(number);
    }
    return;
  }
  if (state === "ready") {
    draw(group, "rect", {class: "readyspan", x: from + 1, y: middle - 4, width: Math.max(1, to - from - 2), height: 8, rx: 2});
    return;
  }
  // First the reason for the wait, then a line for its length.
  const label = text.replace(/^await /, "");
  let line = Math.max(from, gutter) + 5;
  const room = Math.floor((to - line - 4) / 7.2);
  if (room >= 4 && label) {
    const shown = cut(label, room);
    texts.push(draw(group, "text", {class: "soft", x: line, y: middle + 4}, shown));
    line += shown.length * 7.2 + 5;
  }
  if (line < to - 4) {
    draw(group, "line", {class: state === "timer" ? "timerwait" : "wait", x1: line, x2: to - 4, y1: middle, y2: middle});
  }
}

function drawAccesses(group, column, x, y) {
  const accesses = (steps[column].events || []).filter((event) => event.kind === "read" || event.kind === "write");
  const room = blockWidth(column) - 8;
  accesses.forEach((event, i) => {
    const row = rowOf.get(event.lane);
    if (row === undefined || room < 6) return;
    const at = x(column) + 6 + Math.min(i * 8, room);
    const dot = draw(group, "circle", {class: "access " + event.kind, cx: at, cy: y(row) + ROW - 6, r: 3.2});
    draw(dot, "title", {}, event.text.replace(/^\| /, "") + (event.place ? " " + event.place : ""));
  });
}

// Marks of deviations, including those of no task, and of the failure.
function drawFlags(group, from, to, x, height) {
  for (const column of stops) {
    if (column < from || column >= to) continue;
    const fails = column === data.failing;
    const kind = fails ? "fails" : "deviates";
    const flag = draw(group, "rect", {class: "flag step " + kind, x: x(column) + 1, y: 0, width: Math.max(3, blockWidth(column) - 2), height: 3, "data-column": column});
    draw(flag, "title", {}, fails ? "the failure" : steps[column].deviates.map((deviation) => deviation.taken).join("\n"));
    draw(group, "line", {class: "flag " + kind, x1: x(column), x2: x(column), y1: 0, y2: height - FOOT, stroke: `var(--${kind})`, "stroke-width": 1, "stroke-dasharray": "2 3"});
  }
}

// The number of ready tasks, and the time.
function drawFoot(group, from, to, x, width, height) {
  const top = height - FOOT;
  draw(group, "rect", {class: "foot", x: 0, y: top, width, height: FOOT});
  draw(group, "line", {class: "rule", x1: 0, x2: width, y1: top, y2: top});
  const most = steps.reduce((n, step) => Math.max(n, step.candidates || 1), 1);
  let free = gutter;
  let first = true;
  for (let column = from; column < to; ++column) {
    const step = steps[column];
    const ready = (step.candidates || 1) - (step.timer ? 1 : 0);
    const label = String(ready);
    if (blockWidth(column) >= label.length * 7.2 + 6) {
      draw(group, "text", {class: "soft", x: x(column) + blockWidth(column) / 2, y: top + 15, "text-anchor": "middle"}, label);
    } else {
      const size = 15 * ready / most;
      draw(group, "rect", {class: "bar", x: x(column), y: top + 18 - size, width: Math.max(1, blockWidth(column) - 1), height: size});
    }
    const passes = column === 0 || steps[column - 1].t !== step.t;
    const at = Math.max(x(column), gutter);
    if ((passes || first) && at >= free && x(column + 1) > gutter) {
      first = false;
      const text = step.when;
      draw(group, "text", {class: "soft", x: at + 3, y: top + 33}, text);
      if (passes) draw(group, "line", {class: "rule", x1: at, x2: at, y1: top + 20, y2: height});
      free = at + text.length * 7.2 + 10;
    }
  }
}

function drawGutter(group, firstRow, lastRow, y, height) {
  draw(group, "rect", {class: "gutter", x: 0, y: 0, width: gutter, height});
  draw(group, "line", {class: "rule", x1: gutter, x2: gutter, y1: 0, y2: height});
  const top = height - FOOT;
  const room = Math.floor((gutter - 14) / 7.2);
  for (let row = firstRow; row <= lastRow && row <= lanesShown.length; ++row) {
    if (y(row) + ROW / 2 + 6 > top) break;
    if (row === lanesShown.length) {
      if (folded) {
        draw(group, "text", {class: "soft", x: 8, y: y(row) + ROW / 2 + 4}, "+" + folded + " tasks");
      }
      break;
    }
    const name = laneName(lanesShown[row]);
    const label = draw(group, "text", {x: 8, y: y(row) + ROW / 2 + 4}, cut(name, room));
    draw(label, "title", {}, name);
  }
  draw(group, "text", {class: "soft", x: 8, y: top + 15}, "ready");
  draw(group, "text", {class: "soft", x: 8, y: top + 33}, "t");
}

// Scrolls both pictures so that a column is visible.
function reveal(column) {
  const chips = $("compare-scroll");
  if (chips.clientWidth > 0) {
    const at = column * CHIP;
    if (at < chips.scrollLeft || at + CHIP > chips.scrollLeft + chips.clientWidth) {
      chips.scrollLeft = Math.max(0, at - chips.clientWidth / 2 + CHIP / 2);
    }
  }
  const lanes = $("lanes");
  if (lanes.clientWidth > 0 && left.length > 0) {
    const room = lanes.clientWidth - gutter;
    const at = left[column];
    const wide = Math.min(left[column + 1] - at, room);
    if (at < lanes.scrollLeft || at + wide > lanes.scrollLeft + room) {
      lanes.scrollLeft = Math.max(0, at - room / 2);
    }
    const row = rowOf.get(steps[column].lane);
    if (row !== undefined) {
      const tall = lanes.clientHeight - FOOT;
      if (row * ROW < lanes.scrollTop || (row + 1) * ROW + 4 > lanes.scrollTop + tall) {
        lanes.scrollTop = Math.max(0, row * ROW - tall / 2);
      }
    }
  }
}

let drawing = false;
function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if ($("view-timeline").hidden) return;
    drawCompare();
    drawLanes();
  });
}

// ---- The selected step. ----

function list(items) {
  return make("ul", {}, ...items.map((item) => make("li", {}, ...[item].flat())));
}

function stepLink(number) {
  return columnOf(number) < 0 ? "step " + number : make("a", {href: "#s" + number}, "step " + number);
}

function madeReadyBy(step) {
  if (step.since === undefined) {
    if (step.lane === undefined) return ["the timer fires early"];
    return step.why ? [step.why[step.choice || 0]] : [];
  }
  if (step.by === undefined) return ["its timer was due after ", stepLink(step.since)];
  return [laneName(step.by) + " in ", stepLink(step.since)];
}

// The last wait of the step's task before this step.
function stackBefore(column) {
  const lane = steps[column].lane;
  if (lane === undefined) return [];
  const begins = (steps[column].events || []).find((event) => event.lane === lane && (event.kind === "start" || event.kind === "resume"));
  if (begins && begins.kind === "start") return [];
  for (let i = column - 1; i >= 0; --i) {
    for (const event of [...(steps[i].events || [])].reverse()) {
      if (event.lane !== lane || event.kind !== "await") continue;
      if (event.stack !== undefined) return data.stacks[event.stack].map(frameText);
      return event.place ? [event.place] : [];
    }
  }
  return [];
}

function drawDetails() {
  const box = $("details");
  if (selected < 0) {
    box.replaceChildren(make("p", {class: "note"}, "No steps."));
    return;
  }
  const step = steps[selected];
  const events = step.events || [];
  const heading = make("h2", {}, "step " + step.n + ", t = " + step.when + ": " + stepTask(step));
  if (step.deviates) heading.append(make("span", {class: "tag deviates"}, "deviation"));
  if (selected === data.failing) heading.append(make("span", {class: "tag fails"}, "failure"));
  const facts = make("dl");
  const fact = (name, ...values) => facts.append(make("dt", {}, name), make("dd", {}, ...values));

  const names = step.named && step.named.length > 0 ? step.named : [step.taken];
  const candidates = names.map((name, i) => {
    const parts = [name];
    if (names.length > 1 || step.candidates > 1) {
      if (i === 0) parts.push(make("span", {class: "tag"}, "FIFO"));
      if (i === step.choice) parts.push(make("span", {class: "tag taken"}, "taken"));
    }
    if (step.why && step.why[i]) parts.push(make("div", {class: "why"}, step.why[i]));
    return parts;
  });
  if (step.candidates > names.length) {
    candidates.push("and " + count(step.candidates - names.length) + " more");
  }
  fact("could have run", list(candidates));
  if (step.deviates) {
    fact("deviation", list(step.deviates.map((deviation) => [deviation.taken, make("div", {class: "why"}, deviation.fifo)])));
  }
  const ready = madeReadyBy(step);
  if (ready.length > 0) fact("made ready by", ...ready);
  const stack = stackBefore(selected);
  if (stack.length > 0) fact("stack", list(stack.map((frame) => make("span", {class: "mono"}, frame))));
  const accesses = events.filter((event) => event.kind === "read" || event.kind === "write");
  if (accesses.length > 0) {
    fact("accesses", list(accesses.map((event) => [event.text.replace(/^\| /, ""), " ", make("span", {class: "place"}, event.place || "")])));
  }
  const notes = events.filter((event) => !["read", "write"].includes(event.kind));
  if (notes.length > 0) {
    fact("notes", list(notes.map((event) => {
      const own = event.lane === step.lane || event.kind === "timer";
      return [(own ? "" : laneName(event.lane) + ": ") + (event.kind === "failure" ? "FAILS: " : "") + event.text.replace(/^\| /, ""), " ", make("span", {class: "place"}, event.place || "")];
    })));
  }
  if (selected === data.failing) {
    fact("failure", make("pre", {}, data.failure));
    if (data.race) fact("race", make("pre", {}, data.race));
  }
  box.replaceChildren(heading, facts);
}

function drawSource() {
  const box = $("source");
  if (!data.sources || selected < 0) return;
  const lines = new Map();  // By file: the notes at its lines.
  let first = "";
  for (const event of steps[selected].events || []) {
    const match = /^(.*):(\d+)$/.exec(event.place || "");
    if (match === null || !(match[1] in data.sources)) continue;
    first = first || match[1];
    if (match[1] !== first) continue;
    lines.set(Number(match[2]), event.text.replace(/^\| /, ""));
  }
  box.hidden = first === "";
  if (first === "") return;
  const numbers = [...lines.keys()];
  const begin = Math.max(1, Math.min(...numbers) - 4);
  const end = Math.min(data.sources[first].length, Math.max(...numbers) + 4, begin + 60);
  const text = make("pre");
  for (let number = begin; number <= end; ++number) {
    const note = lines.get(number);
    const line = String(number).padStart(5) + "  " + data.sources[first][number - 1] + (note ? "    \u2190 " + note : "");
    text.append(note ? make("span", {class: "here"}, line) : line, "\n");
  }
  box.replaceChildren(make("h2", {}, first), text);
}

// ---- The wait-for graph. ----

function drawWaits() {
  const view = $("view-waits");
  if (data.waits.length === 0) {
    view.replaceChildren(make("p", {class: "note"}, "No task was waiting when the execution ended, or the trace does not say."));
    return;
  }
  const parts = [];
  parts.push(make("p", {class: "note"}, data.cycle.length > 0 ?
      "These " + data.cycle.length + " tasks wait for each other in a cycle." :
      "The waits when the execution ended. There is no cycle."));
  parts.push(make("div", {class: "scroll"}, waitGraph()));
  const rows = data.waits.map((wait) => {
    let who = (wait.holders || []).map((i) => data.waits[i].task).join(", ");
    if (wait.taken && wait.held) who += ", taken at " + place(wait.held);
    if (!who && wait.what) who = "unknown";
    return make("tr", {},
        make("td", {class: "tight"}, wait.task),
        make("td", {class: "tight"}, wait.what || "nothing: it could have run"),
        make("td", {class: "tight"}, wait.since_step ? stepLink(wait.since_step) : "\u2013", wait.since_step ? ", t = " + wait.since_text : ""),
        make("td", {class: "mono"}, (wait.stack || []).map(frameText).join(" > ")),
        make("td", {}, who));
  });
  const head = make("tr", {}, ...["task", "waits for", "since", "awaiting at", "which task could end the wait"].map((name) => make("th", {scope: "col"}, name)));
  parts.push(make("div", {class: "scroll"}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
  view.replaceChildren(...parts);
}

function waitGraph() {
  // The tasks of the cycle on a circle, the others in rows below it.
  const LIMIT = 60;
  const ring = data.cycle.slice(0, LIMIT);
  const holders = new Set();
  data.waits.forEach((wait) => (wait.holders || []).forEach((i) => holders.add(i)));
  const others = data.waits.map((wait, i) => i)
      .filter((i) => !data.cycle.includes(i) && (holders.has(i) || data.waits[i].what))
      .slice(0, LIMIT);
  const name = (i) => cut(data.waits[i].task, 20);
  const widthOf = (i) => name(i).length * 7.4 + 18;
  const widest = Math.max(60, ...ring.concat(others).map(widthOf));
  const whats = Math.max(0, ...data.waits.map((wait) => Math.min(22, (wait.what || "").length)));
  const radius = ring.length === 0 ? 0 : ring.length === 2 ? Math.max(120, whats * 5) : Math.max(190, ring.length * 23);
  const vertical = ring.length === 2 ? 46 : Math.max(120, ring.length * 14);
  const perRow = Math.max(1, Math.min(others.length || 1, Math.floor(1000 / (widest + 40))));
  const width = Math.max(2 * radius + widest + 200, perRow * (widest + 60) + 40, 420);
  const ringHeight = ring.length === 0 ? 0 : 2 * vertical + 90;
  const otherTop = ringHeight === 0 ? 40 : ringHeight + 30;
  // A few tasks fit on a large circle.
  const inside = ring.length >= 8 && others.length <= 2;
  const height = inside ? ringHeight : otherTop + Math.max(0, Math.ceil(others.length / perRow) - 1) * 84 + (others.length ? 46 : 0);
  const at = new Map();
  ring.forEach((task, i) => {
    const angle = 2 * Math.PI * i / ring.length - (ring.length === 2 ? Math.PI : Math.PI / 2);
    at.set(task, [width / 2 + radius * Math.cos(angle), ringHeight / 2 + vertical * Math.sin(angle)]);
  });
  others.forEach((task, i) => {
    if (inside) {
      at.set(task, [width / 2, ringHeight / 2 + (i - (others.length - 1) / 2) * 60]);
      return;
    }
    const inRow = Math.min(perRow, others.length - Math.floor(i / perRow) * perRow);
    at.set(task, [width / 2 + (i % perRow - (inRow - 1) / 2) * (widest + 60), otherTop + Math.floor(i / perRow) * 84]);
  });
  const graph = document.createElementNS(SVG, "svg");
  graph.setAttribute("class", "graph");
  graph.setAttribute("viewBox", `0 0 ${width} ${height}`);
  graph.setAttribute("width", width);
  graph.style.minWidth = Math.min(width, 800) + "px";
  graph.setAttribute("role", "img");
  graph.setAttribute("aria-label", "Wait-for graph; the table below has the same content");
  const inCircle = (a, b) => data.cycle.some((task, i) => task === a && data.cycle[(i + 1) % data.cycle.length] === b);
  const labels = [];
  for (const [task, [x1, y1]] of at) {
    for (const holder of data.waits[task].holders || []) {
      if (!at.has(holder)) continue;
      const [x2, y2] = at.get(holder);
      const circle = inCircle(task, holder) ? " circle" : "";
      // Curved, so that both directions are visible; from border to border.
      const length = Math.hypot(x2 - x1, y2 - y1) || 1;
      const bend = ring.length === 2 && circle ? 70 : Math.min(28, length / 6);
      // Curves of the cycle bend inwards, others outwards.
      const side = !circle && x2 < x1 ? -bend : bend;
      const mx = (x1 + x2) / 2 + (y1 - y2) / length * side;
      const my = (y1 + y2) / 2 + (x2 - x1) / length * side;
      const edge = (x, y, i, tx, ty) => {
        const w = widthOf(i) / 2 + 4;
        const h = 17;
        const dx = tx - x || 0.001;
        const dy = ty - y || 0.001;
        const scale = Math.min(w / Math.abs(dx), h / Math.abs(dy));
        return [x + dx * scale, y + dy * scale];
      };
      const both = ring.length === 2 && circle;
      const [cx, cy] = both ? [(x1 + x2) / 2, x2 > x1 ? y1 - bend : y1 + bend] : [mx, my];
      const [ax, ay] = edge(x1, y1, task, cx, cy);
      const [bx, by] = edge(x2, y2, holder, cx, cy);
      draw(graph, "path", {class: "edge" + circle, d: `M${ax} ${ay} Q${cx} ${cy} ${bx} ${by}`});
      const angle = Math.atan2(by - cy, bx - cx);
      const tip = (turn, size) => `${bx - size * Math.cos(angle + turn)} ${by - size * Math.sin(angle + turn)}`;
      draw(graph, "path", {class: "tip" + circle, d: `M${bx} ${by} L${tip(0.42, 10)} L${tip(-0.42, 10)} z`});
      if (data.waits[task].what && !data.waits[task].what.startsWith("Gather")) {
        const text = cut(data.waits[task].what, 22);
        let lx = (ax + 2 * cx + bx) / 4;
        let ly = (ay + 2 * cy + by) / 4;
        if (circle && ring.length > 2) {
          // Inside the circle, where there is room.
          const dx = width / 2 - lx;
          const dy = ringHeight / 2 - ly;
          const off = Math.hypot(dx, dy) || 1;
          lx += dx / off * (12 + text.length * 3.4 * Math.abs(dx / off));
          ly += dy / off * 20;
        }
        labels.push([lx, ly, text]);
      }
    }
  }
  for (const [x, y, text] of labels) {
    if (ring.length <= 2) {
      const wide = text.length * 6.8 + 6;
      draw(graph, "rect", {x: x - wide / 2, y: y - 8, width: wide, height: 16, fill: "var(--back)"});
    }
    draw(graph, "text", {class: "what", x, y: y + 4, "text-anchor": "middle"}, text);
  }
  for (const [task, [x, y]] of at) {
    const wide = widthOf(task);
    const node = draw(graph, "rect", {class: "node" + (data.cycle.includes(task) ? " circle" : ""), x: x - wide / 2, y: y - 13, width: wide, height: 26, rx: 5});
    draw(node, "title", {}, data.waits[task].task);
    draw(graph, "text", {x, y: y + 4, "text-anchor": "middle"}, name(task));
    if (data.waits[task].what && !(data.waits[task].holders || []).length) {
      draw(graph, "text", {class: "what", x, y: y + 30, "text-anchor": "middle"}, cut(data.waits[task].what, 22));
    }
  }
  return graph;
}

// ---- Histories. ----

function drawHistories() {
  const view = $("view-history");
  const parts = [];
  for (const history of data.histories) {
    parts.push(make("h2", {}, "History \"" + history.name + "\"" + (history.key ? ", " + history.key : "") + (history.undecided ? " is undecided" : " is not linearizable")));
    if (history.operations.length > 0) parts.push(...historyChart(history));
  }
  if (parts.length === 0) parts.push(make("p", {class: "note"}, "This failure is not about a history."));
  view.replaceChildren(...parts);
}

function historyChart(history) {
  const operations = history.operations;
  const clients = [...new Set(operations.map((operation) => operation.client))];
  const lastEvent = operations.reduce((last, operation) => Math.max(last, operation.called, operation.returned || 0), 0);
  // By the order of calls and returns, since only that order matters.
  const ROWS = 30;
  const wide = Math.max(28, Math.min(60, 1100 / (lastEvent + 1)));
  const names = 16 + Math.min(20, Math.max(...clients.map((client) => client.length))) * 7.2;
  const width = names + (lastEvent + 2) * wide;
  const height = clients.length * ROWS + 12;
  const chart = document.createElementNS(SVG, "svg");
  chart.setAttribute("class", "history-chart");
  chart.setAttribute("width", width);
  chart.setAttribute("height", height);
  chart.setAttribute("role", "group");
  chart.setAttribute("aria-label", "Operations of each client, in the order of their calls and returns");
  const told = make("div", {class: "note", role: "status"});
  let chosen = null;
  const choose = (operation, element) => {
    if (chosen) chosen.classList.remove("chosen");
    chosen = element;
    element.classList.add("chosen");
    const times = ["called at t = " + operation.called_text];
    if (operation.called_step) times.push(" in ", stepLink(operation.called_step));
    if (operation.returned === undefined) times.push("; it has not returned");
    else {
      times.push(", returned at t = " + operation.returned_text);
      if (operation.returned_step) times.push(" in ", stepLink(operation.returned_step));
    }
    told.replaceChildren(operation.client + ": " + operation.text + "   ", ...times);
  };
  clients.forEach((client, row) => {
    const y = 6 + row * ROWS;
    draw(chart, "text", {class: "client", x: 6, y: y + 18}, cut(client, 20));
    draw(chart, "line", {class: "rule", x1: 0, x2: width, y1: y + ROWS, y2: y + ROWS});
  });
  // The failing part is drawn last, to be on top.
  const weight = (operation) => operation.stuck ? 2 : operation.part || operation.context ? 1 : 0;
  for (const operation of operations) {
    const y = 6 + clients.indexOf(operation.client) * ROWS;
    const begin = names + operation.called * wide;
    const end = operation.returned === undefined ? width - 6 : names + operation.returned * wide + wide * 0.7;
    const kind = ["", operation.part ? " in" : " beside", " stuck"][weight(operation)];
    const group = draw(chart, "g", {class: "operation" + kind, tabindex: 0, role: "button", "aria-label": operation.client + ": " + operation.text});
    draw(group, "rect", {x: begin, y: y + 4, width: Math.max(6, end - begin), height: ROWS - 8, rx: 4});
    draw(group, "text", {x: begin + 6, y: y + 18}, cut(operation.text, Math.floor((end - begin - 8) / 7.2)));
    draw(group, "title", {}, operation.text);
    group.addEventListener("click", () => choose(operation, group));
    group.addEventListener("focus", () => choose(operation, group));
    if (operation.stuck) choose(operation, group);
  }
  const parts = [make("div", {class: "history-scroll", tabindex: 0}, chart), told];
  const stuck = operations.find((operation) => operation.stuck);
  if (stuck) {
    const reasons = [];
    if (history.order && history.order.length > 0) reasons.push("After " + history.order.join(", ") + " ");
    reasons.push((reasons.length ? "the" : "The") + " model holds " + (history.state || "its initial state") + "; there " + stuck.text.replace(/ -> .*$/, "") + " must return " + (history.right_results || []).join(" or ") + ".");
    parts.push(make("p", {}, reasons.join("")));
    parts.push(make("p", {class: "note"}, "Filled: the operations that contradict each other. Dashed: operations they depend on. The others do not matter."));
  }
  return parts;
}

// ---- Goals, the search. ----

function drawGoals() {
  const view = $("view-goals");
  if (data.goals.length === 0) {
    view.replaceChildren(make("p", {class: "note"}, "This search has reached no Sometimes() or Reachable()."));
    return;
  }
  const rows = data.goals.map((goal) => make("tr", goal.reached ? {} : {class: "goal-missing"},
      make("td", {}, goal.reached ? "reached" : "NEVER reached"),
      make("td", {}, goal.goal),
      make("td", {}, goal.reached ? count(goal.reached) + "\u00d7" : ""),
      make("td", {class: "mono"}, goal.place)));
  const head = make("tr", {}, ...["", "goal", "times reached", "place"].map((name) => make("th", {scope: "col"}, name)));
  view.replaceChildren(
      make("p", {class: "note"}, "In all executions up to the failure."),
      make("div", {class: "scroll"}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
}

function drawSearch() {
  const search = data.search;
  const facts = make("dl");
  const fact = (name, value) => {
    if (value !== undefined && value !== "") facts.append(make("dt", {}, name), make("dd", {}, value));
  };
  fact("strategy", search.strategy);
  if (search.seed !== undefined) fact("base seed", String(search.seed));
  if (search.executions !== undefined) {
    fact("found in", "execution " + count(search.executions) + (search.schedules ? " of " + count(search.schedules) : ""));
  }
  fact("replay", data.replay && make("code", {}, data.replay));
  fact("replay line", data.replay_command && make("pre", {}, data.replay_command));
  if (search.deviations_found !== undefined) {
    fact("shrunk", "from " + count(search.deviations_found) + " to " + count(data.deviations.length) + " deviations in " + count(search.shrink_runs || 0) + " runs" + (search.minimal ? "; all of them are needed" : ""));
  }
  if (data.deviations.length > 0) {
    fact("deviations", list(data.deviations.map((deviation) => [stepLink(deviation.step), ": " + deviation.taken, make("div", {class: "why"}, deviation.fifo)])));
  }
  fact("turning point", search.turning_point);
  fact("nearest pass", search.nearest_pass && search.nearest_pass.replace(/^nearest pass\s+/, ""));
  fact("in asyncio", search.reachable);
  fact("input", data.input && make("pre", {}, data.input));
  fact("race", data.race && make("pre", {}, data.race));
  $("view-search").replaceChildren(facts);
}

// ---- The raw trace. ----

const LINE = 20;
let rawLines = null;
let rawShown = [];

function prepareRaw() {
  if (rawLines !== null) return;
  rawLines = [];
  steps.forEach((step, column) => {
    const events = step.events || [{lane: step.lane, kind: "", text: step.taken}];
    events.forEach((event, i) => {
      const who = event.kind === "timer" || event.lane === undefined ? "" : laneName(event.lane);
      rawLines.push({column, first: i === 0, who, text: (event.kind === "failure" ? "FAILS: " : "") + event.text + (event.place ? "   " + event.place : "")});
    });
  });
  filterRaw();
}

function filterRaw() {
  if (rawLines === null) return;
  const wanted = $("filter").value.toLowerCase();
  rawShown = wanted === "" ? rawLines : rawLines.filter((line) => (line.who + " " + line.text).toLowerCase().includes(wanted));
  $("filtered").textContent = wanted === "" ? "" : count(rawShown.length) + " of " + count(rawLines.length) + " lines";
  $("raw-space").style.height = rawShown.length * LINE + "px";
  drawRaw();
}

function drawRaw() {
  const box = $("raw");
  const from = Math.max(0, Math.floor(box.scrollTop / LINE) - 3);
  const to = Math.min(rawShown.length, Math.ceil((box.scrollTop + box.clientHeight) / LINE) + 3);
  const filtered = rawShown !== rawLines;
  const lines = [];
  for (let i = from; i < to; ++i) {
    const {column, first, who, text} = rawShown[i];
    const step = steps[column];
    const mark = column === data.failing ? "\u2715 " : step.deviates ? "\u2217 " : "";
    const shown = first || filtered;
    const line = make("a", {class: "line" + (column === selected ? " selected" : ""), href: "#s" + step.n},
        make("span", {class: "n"}, shown ? mark + step.n : ""),
        make("span", {class: "t"}, shown ? step.when : ""),
        make("span", {class: "who"}, who),
        make("span", {}, text));
    line.style.top = i * LINE + "px";
    lines.push(line);
  }
  $("raw-space").replaceChildren(...lines);
}

// ---- Views, keys, and start-up. ----

const views = ["timeline", "waits", "history", "goals", "search", "raw"];

function showView(name) {
  for (const view of views) {
    const shown = view === name;
    $("view-" + view).hidden = !shown;
    $("tab-" + view).setAttribute("aria-selected", String(shown));
    $("tab-" + view).tabIndex = shown ? 0 : -1;
  }
  if (name === "timeline") {
    layOut();
    if (selected >= 0) reveal(selected);
  }
  if (name === "history") {
    for (const box of document.querySelectorAll(".history-scroll")) {
      const stuck = box.querySelector(".stuck rect");
      if (stuck) box.scrollLeft = stuck.x.baseVal.value - box.clientWidth / 2;
    }
  }
  if (name === "raw") {
    prepareRaw();
    const at = rawShown.findIndex((line) => line.column === selected);
    if (at >= 0) $("raw").scrollTop = Math.max(0, at * LINE - $("raw").clientHeight / 2);
    drawRaw();
  }
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof HTMLInputElement && event.target.type === "search";
  if (event.key === "Escape") {
    if ($("help").open) $("help").close();
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return;
  }
  if (typing || $("help").open && event.key !== "?") return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "n") moveToMark(true);
  else if (event.key === "N") moveToMark(false);
  else if (event.key === "?") {
    if ($("help").open) $("help").close();
    else $("help").showModal();
  } else return;
  event.preventDefault();
  if (!$("view-raw").hidden) drawRaw();
}

function onTabKey(event) {
  const at = views.findIndex((view) => $("tab-" + view) === document.activeElement);
  const open = views.filter((view) => !$("tab-" + view).hidden);
  if (at < 0) return;
  const place = open.indexOf(views[at]);
  let next = -1;
  if (event.key === "ArrowRight") next = (place + 1) % open.length;
  else if (event.key === "ArrowLeft") next = (place + open.length - 1) % open.length;
  else if (event.key === "Home") next = 0;
  else if (event.key === "End") next = open.length - 1;
  if (next < 0) return;
  event.preventDefault();
  showView(open[next]);
  $("tab-" + open[next]).focus();
}

function zoom(factor) {
  const lanes = $("lanes");
  columnWidth = Math.max(4, Math.min(240, columnWidth * factor));
  layOut();
  if (selected >= 0) lanes.scrollLeft = Math.max(0, left[selected] - (lanes.clientWidth - gutter) / 2);
  redraw();
}

function begin() {
  drawHeader();
  drawCompareFrame();
  // With few steps, each is wide enough to say what its task waits for.
  const room = Math.max(200, document.documentElement.clientWidth - 200);
  columnWidth = Math.max(30, Math.min(110, room / Math.max(1, steps.length)));
  for (const view of views) {
    $("tab-" + view).addEventListener("click", () => showView(view));
  }
  $("tab-history").hidden = data.histories.length === 0;
  $("tabs").addEventListener("keydown", onTabKey);
  drawWaits();
  drawHistories();
  drawGoals();
  drawSearch();
  for (const id of ["axis-steps", "axis-time", "show-all"]) {
    $(id).addEventListener("change", () => {
      layOut();
      if (selected >= 0) reveal(selected);
    });
  }
  for (const id of ["show-wakes", "show-accesses"]) $(id).addEventListener("change", redraw);
  $("wider").addEventListener("click", () => zoom(1.5));
  $("narrower").addEventListener("click", () => zoom(1 / 1.5));
  $("previous").addEventListener("click", () => move(-1));
  $("next").addEventListener("click", () => move(1));
  $("next-mark").addEventListener("click", () => moveToMark(true));
  $("help-button").addEventListener("click", () => $("help").showModal());
  $("help-close").addEventListener("click", () => $("help").close());
  $("filter").addEventListener("input", filterRaw);
  $("raw").addEventListener("scroll", drawRaw);
  $("lanes").addEventListener("scroll", redraw);
  $("compare-scroll").addEventListener("scroll", redraw);
  $("lanes").addEventListener("click", (event) => {
    const column = event.target instanceof Element ? event.target.getAttribute("data-column") : null;
    if (column !== null) select(Number(column));
  });
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", layOut);
  window.addEventListener("hashchange", selectFromAddress);
  showView("timeline");
  if (!selectFromAddress()) {
    const at = data.at === undefined ? -1 : columnOf(data.at);
    const start = at >= 0 ? at : stops.length > 0 ? stops[0] : steps.length - 1;
    select(start, {address: false});
  }
  if (steps.length === 0) drawDetails();
}

begin();
