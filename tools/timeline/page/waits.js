// The wait-for graph, and its table.

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
