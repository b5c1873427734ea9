// Histories: what each client asked and was told.

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
