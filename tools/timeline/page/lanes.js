// Draws the lanes: spans, arrows, accesses, marks, and the rows below them.

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
