// The data of the page, and small helpers: elements, names, and the column of a
// step. Comes first; the others use it.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps;
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

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
