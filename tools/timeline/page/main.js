// The views, the keys, and the start of the page. Comes last.

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
