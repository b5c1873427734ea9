// Scrolls to a step, and draws again what is in view.

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
