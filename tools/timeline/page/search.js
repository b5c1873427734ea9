// The goals, and how the failure was found.

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
