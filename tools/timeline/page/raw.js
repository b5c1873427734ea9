// The raw trace: all events as lines, with a filter.

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
