// The selected step: what could have run, and its line in the source.

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
