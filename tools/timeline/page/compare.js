// The two rows: the steps in FIFO order above those of this run.

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
