// Opens timelines in Chromium, and checks what it draws: that nothing is fetched
// and nothing fails, that the deviation and the failing step are visible, that
// every key, toggle and address works, and that a long execution has no more
// elements than a short one.
//
//   node page_test.mjs [--screenshots=FOLDER] [NAME...]
//
// The last line is "N passed, N failed". Times in milliseconds are only printed;
// they fail no test.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";

import {chromium} from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const timeline = dirname(here);
const scratch = mkdtempSync(join(tmpdir(), "clotho-timeline-"));

const args = process.argv.slice(2);
const screenshots = args.find((arg) => arg.startsWith("--screenshots="))?.slice(14);
const wanted = args.filter((arg) => !arg.startsWith("--"));

// ---- Pages to open. ----

const sample = (name) => join(timeline, "testdata", name + ".trace.json");

function makePage(name, trace, ...options) {
  const page = join(scratch, name + ".html");
  execFileSync("python3", [join(timeline, "show.py"), trace, "--format=html", "-o", page, ...options]);
  return pathToFileURL(page).href;
}

// The steps of a sample that `n` and `N` select: the deviations, the failure.
function marks(name) {
  const trace = JSON.parse(readFileSync(sample(name), "utf8"));
  return [...trace.deviations.map((deviation) => deviation.step), trace.failed.step];
}

function withChanges(name, change) {
  const trace = JSON.parse(readFileSync(sample(name), "utf8"));
  change(trace);
  const path = join(scratch, "changed.json");
  writeFileSync(path, JSON.stringify(trace));
  return path;
}

// A relay of `tasks` that runs for `count` steps.
function longTrace(count, tasks) {
  const lanes = Array.from({length: tasks}, (_, i) => "runner-" + i);
  const steps = [];
  const events = [];
  for (let step = 1; step <= count; ++step) {
    const lane = step % tasks;
    const time_ns = Math.floor(step / 3) * 1_000_000;
    steps.push({
      step, time_ns, taken: `${lanes[lane]} (relay.cc:7)`,
      choice: step === count - 20 ? 1 : 0, candidates: 3,
      named: [`${lanes[lane]} (relay.cc:7)`, `${lanes[(lane + 1) % tasks]} (relay.cc:7)`, "the 5 ms timer"],
      timer: true, why: ["ready since step 1", "ready since step 1", "the next timer"],
      ...(step > tasks ? {since: step - 1, by: (step - 1) % tasks} : {}),
    });
    events.push({step, time_ns, lane, kind: step <= tasks ? "start" : "resume", text: "resumes", file: "relay.cc", line: 7});
    events.push({step, time_ns, lane, kind: "read", text: "| reads baton", file: "relay.cc", line: 8});
    if (step === count) events.push({step, time_ns, lane, kind: "failure", text: "always", file: "relay.cc", line: 9});
    else events.push({step, time_ns, lane, kind: "await", text: "await Event \"baton\"", file: "relay.cc", line: 7});
  }
  const path = join(scratch, "long.json");
  writeFileSync(path, JSON.stringify({
    clotho_trace: 1, test: "Relay.IsLong", replay: "c1/0/x", failure: "Always \"it ends\" is false",
    failed: {kind: "always", step: count, time_ns: 0},
    lanes, deviations: [{step: count - 20, taken: "ran one", fifo: "FIFO order runs another"}], steps, events,
    fifo: {steps: steps.map((step) => ({step: step.step, time_ns: step.time_ns, task: lanes[step.step % tasks], taken: step.taken}))},
  }));
  return path;
}

// ---- A page and its errors. ----

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(url, {scheme = "light", width = 1280, height = 800} = {}) {
  const context = await browser.newContext({colorScheme: scheme, viewport: {width, height}});
  const page = await context.newPage();
  page.problems = [];
  page.on("console", (message) => page.problems.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== url.split("#")[0]) page.problems.push(`fetched ${request.url()}`);
  });
  await page.goto(url);
  await settle(page);
  return page;
}

// Waits until the requested state is drawn.
const settle = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const elements = (page) => page.evaluate(() => document.querySelectorAll("*").length);
const details = (page) => page.locator("#details h2").innerText();
const address = (page) => page.evaluate(() => location.hash);

async function press(page, key) {
  await page.keyboard.press(key);
  await settle(page);
}

async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

// Whether a step's block or flag is in the visible part of its frame.
async function isVisible(page, column, selector) {
  return page.evaluate(([column, selector]) => {
    const block = document.querySelector(`${selector}[data-column="${column}"]`);
    if (block === null) return false;
    const box = block.getBoundingClientRect();
    const frame = document.getElementById("lanes").getBoundingClientRect();
    return box.width > 0 && box.left < frame.right && box.right > frame.left && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
  }, [column, selector]);
}

// ---- The tests. ----

const tests = {
  async opensAndSaysWhatFailed() {
    const page = await open(makePage("lost", sample("lost_update")));
    assert.equal(await page.title(), "Sample.LostUpdate");
    assert.equal(await page.locator("#test").innerText(), "Sample.LostUpdate");
    assert.equal(await page.locator("#verdict").innerText(), "FAILED");
    assert.match(await page.locator("#failure").innerText(), /no update is lost/);
    assert.match(await page.locator("#replay").innerText(), /^c1\/0\/2:t/);
    await close(page);
  },

  async theDeviationAndTheFailureCanBeSeen() {
    const [first, ...others] = marks("stale_read");
    const failure = others.at(-1);
    for (const width of [1280, 600]) {
      const page = await open(makePage("stale", sample("stale_read")), {width});
      // It opens at the first deviation.
      assert.match(await details(page), new RegExp(`^step ${first},.*deviation$`, "s"));
      assert.ok(await isVisible(page, first - 1, "#chart .flag"));
      assert.ok(await isVisible(page, first - 1, "#chart .run.deviates"));
      for (const _ of others) await press(page, "n");
      assert.match(await details(page), new RegExp(`^step ${failure},.*failure$`, "s"));
      assert.ok(await isVisible(page, failure - 1, "#chart .flag.fails"));
      assert.ok(await isVisible(page, failure - 1, "#chart .run.fails"));
      assert.equal(await page.locator(".chip.fails").count(), 1);
      await close(page);
    }
  },

  async bothRunsStandAboveEachOtherUpToTheFirstDeviation() {
    const page = await open(makePage("lost", sample("lost_update")));
    const rows = await page.evaluate(() => [0, 1].map((row) =>
        [...document.querySelectorAll(`.chip.row${row}`)].map((chip) => [chip.offsetLeft, chip.textContent])));
    assert.deepEqual(rows[0][0], rows[1][0]);
    assert.equal(rows[0][0][1], "1 main");
    assert.equal(rows[0][1][0], rows[1][1][0]);
    assert.equal(rows[0][1][1], "2 first");
    assert.match(rows[1][1][1], /2 the 4 ms timer/);
    assert.equal(await page.locator("#fifo-end").innerText(), "passes");
    assert.equal(await page.locator("#run-end").innerText(), "fails");
    const parting = await page.locator(".parting").evaluate((line) => line.offsetLeft);
    assert.ok(Math.abs(parting - rows[1][1][0]) < 5);
    await close(page);
  },

  async theDetailsSayWhatCouldHaveRunAndWhy() {
    const page = await open(makePage("lost", sample("lost_update")) + "#s2");
    const text = await page.locator("#details").innerText();
    assert.match(text, /first \(its first step\)\s*FIFO\s+ready since step 1, created by main/);
    assert.match(text, /the 4 ms timer\s*taken\s+the next timer, due in 4 ms/);
    await page.goto(page.url().replace("#s2", "#s7"));
    await settle(page);
    const seven = await page.locator("#details").innerText();
    assert.match(seven, /made ready by\s+its timer was due after step 5/);
    assert.match(seven, /stack\s+clotho::timeline::Increment .*\s+clotho::timeline::Load /);
    assert.match(seven, /accesses\s+writes counter/);
    assert.match(seven, /wakes main/);
    await press(page, "j");
    assert.match(await page.locator("#details").innerText(), /race\s+on counter/);
    await close(page);
  },

  async everyKeyWorks() {
    const page = await open(makePage("stale", sample("stale_read")));
    const steps = marks("stale_read").map((step) => "#s" + step);
    const first = marks("stale_read")[0];
    const [beforeLast, last] = steps.slice(-2);
    await press(page, "j");
    assert.match(await details(page), new RegExp(`^step ${first + 1},`));
    assert.equal(await address(page), `#s${first + 1}`);
    for (let step = first; step >= 1; --step) {
      await press(page, "k");
      assert.match(await details(page), new RegExp(`^step ${step},`));
    }
    await press(page, "k");
    assert.match(await details(page), /^step 1,/);
    const seen = [];
    for (let i = 0; i < steps.length + 2; ++i) {
      await press(page, "n");
      seen.push(await address(page));
    }
    assert.deepEqual(seen, [...steps, last, last]);
    await press(page, "j");
    assert.equal(await address(page), last);
    await press(page, "N");
    assert.equal(await address(page), beforeLast);
    await press(page, "?");
    assert.ok(await page.locator("#help").isVisible());
    await press(page, "j");
    assert.equal(await address(page), beforeLast);
    await press(page, "Escape");
    assert.ok(!await page.locator("#help").isVisible());
    await press(page, "?");
    await press(page, "?");
    assert.ok(!await page.locator("#help").isVisible());
    // Shortcuts of the browser still work, and so does typing in a field.
    await press(page, "Control+j");
    assert.equal(await address(page), beforeLast);
    await page.click("#tab-raw");
    await page.fill("#filter", "");
    await page.locator("#filter").pressSequentially("jkn?");
    assert.equal(await page.inputValue("#filter"), "jkn?");
    assert.equal(await address(page), beforeLast);
    await press(page, "Escape");
    await press(page, "j");
    assert.equal(await address(page), "#s" + (Number(beforeLast.slice(2)) + 1));
    await close(page);
  },

  async addressesLeadToTheirSteps() {
    const url = makePage("stale", sample("stale_read"));
    const page = await open(url + "#s13");
    assert.match(await details(page), /^step 13,/);
    assert.ok(await isVisible(page, 12, "#chart .run"));
    await page.click("#tab-search");
    await page.evaluate(() => { location.hash = "#s5"; });
    await page.waitForFunction(() => !document.getElementById("view-timeline").hidden);
    assert.match(await details(page), /^step 5,/);
    for (const wrong of ["#s999", "#s0", "#x", "#s"]) {
      await page.evaluate((hash) => { location.hash = hash; }, wrong);
      await settle(page);
      assert.match(await details(page), /^step 5,/);
    }
    await close(page);
    const at = await open(makePage("at", sample("stale_read"), "--at=8"));
    assert.match(await details(at), /^step 8,/);
    await close(at);
  },

  async aClickSelects() {
    const page = await open(makePage("stale", sample("stale_read")));
    await page.locator("#chart rect.run[data-column='4']").click();
    assert.match(await details(page), /^step 5,/);
    await page.locator(".chip.row1", {hasText: "6 reader-1"}).click();
    assert.match(await details(page), /^step 6,/);
    await page.click("#previous");
    assert.match(await details(page), /^step 5,/);
    await page.click("#next");
    await page.click("#next");
    assert.match(await details(page), /^step 7,/);
    const next = marks("stale_read").find((step) => step > 7);
    await page.click("#next-mark");
    assert.match(await details(page), new RegExp(`^step ${next},`));
    // What made it ready.
    await page.evaluate(() => { location.hash = "#s12"; });
    await settle(page);
    await page.locator("#details a", {hasText: "step 11"}).click();
    await settle(page);
    assert.match(await details(page), /^step 11,/);
    await close(page);
  },

  async togglesShowAndHide() {
    const page = await open(makePage("lost", sample("lost_update")));
    const arrows = () => page.locator("#chart .arrow").count();
    assert.equal(await arrows(), 3);
    await page.click("#show-wakes");
    await settle(page);
    assert.equal(await arrows(), 0);
    const accesses = () => page.locator("#chart .access").count();
    assert.equal(await accesses(), 6);
    assert.equal(await page.locator("#chart .access.write").count(), 2);
    await page.click("#show-accesses");
    await settle(page);
    assert.equal(await accesses(), 0);
    // With virtual time, steps of different instants are further apart.
    const at = (column) => page.locator(`#chart rect.run[data-column='${column}']`).evaluate((block) => block.getBoundingClientRect().left);
    const before = await at(3) - await at(2);
    await page.click("#axis-time");
    await settle(page);
    assert.ok(await at(5) - await at(4) > 3 * (await at(3) - await at(2)));
    assert.ok(await at(3) - await at(2) < before);
    await page.click("#axis-steps");
    await settle(page);
    assert.equal(await at(3) - await at(2), before);
    await page.click("#wider");
    await settle(page);
    assert.ok(await at(3) - await at(2) > before);
    await page.click("#narrower");
    await settle(page);
    assert.ok(Math.abs(await at(3) - await at(2) - before) < 1);
    await close(page);
  },

  async manyTasksFold() {
    const page = await open(makePage("many", longTrace(300, 60)));
    const labels = () => page.locator("#lanes-space").evaluate((space) => parseFloat(space.style.height));
    const folded = await labels();
    assert.match(await page.locator("#chart").innerHTML(), /lanes|runner/i);
    await page.click("#show-all");
    await settle(page);
    assert.ok(await labels() > 2 * folded);
    await close(page);
  },

  async theTabsAreTabs() {
    const page = await open(makePage("stale", sample("stale_read")));
    const shown = () => page.locator("[role=tabpanel]:not([hidden])").getAttribute("id");
    assert.equal(await shown(), "view-timeline");
    await page.focus("#tab-timeline");
    for (const view of ["waits", "history", "goals", "search", "raw", "timeline"]) {
      await page.keyboard.press("ArrowRight");
      assert.equal(await shown(), "view-" + view);
      assert.equal(await page.locator("[role=tab][aria-selected=true]").getAttribute("id"), "tab-" + view);
    }
    await page.keyboard.press("End");
    assert.equal(await shown(), "view-raw");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await shown(), "view-raw");
    await close(page);
  },

  async aDeadlockOfTwentyIsDrawn() {
    const page = await open(makePage("dine", sample("twenty_dine")));
    assert.match(await details(page), /^step 41,.*failure$/s);
    assert.equal(await page.locator("#compare.single").count(), 1);
    await page.click("#tab-waits");
    assert.equal(await page.locator(".graph rect.node").count(), 21);
    assert.equal(await page.locator(".graph rect.node.circle").count(), 20);
    assert.equal(await page.locator(".graph path.edge.circle").count(), 20);
    assert.equal(await page.locator("#view-waits tbody tr").count(), 21);
    assert.match(await page.locator("#view-waits tbody tr").nth(3).innerText(), /guest-2\s+Lock "fork 3"\s+step 24, t = 1 ms.*guest-3, taken at/s);
    // No two of them overlap.
    const over = await page.evaluate(() => {
      const boxes = [...document.querySelectorAll(".graph rect.node")].map((node) => node.getBoundingClientRect());
      let found = 0;
      boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
        if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) ++found;
      }));
      return found;
    });
    assert.equal(over, 0);
    await close(page);
  },

  async aHistoryIsDrawn() {
    const page = await open(makePage("stale", sample("stale_read")));
    await page.click("#tab-history");
    assert.equal(await page.locator(".history-chart .operation").count(), 11);
    assert.equal(await page.locator(".history-chart .stuck").count(), 1);
    assert.match(await page.locator("#view-history").innerText(), /is not linearizable/);
    assert.match(await page.locator("#view-history").innerText(), /the model holds 1; there Read must return 1/);
    // A stuck operation is visible, however narrow it is.
    await page.setViewportSize({width: 500, height: 700});
    await page.click("#tab-goals");
    await page.click("#tab-history");
    const [stuck, frame] = await Promise.all([".stuck rect", ".history-scroll"].map((one) => page.locator(one).boundingBox()));
    assert.ok(stuck.x >= frame.x && stuck.x + stuck.width <= frame.x + frame.width);
    await page.locator(".history-chart .operation").first().focus();
    assert.match(await page.locator("#view-history [role=status]").innerText(), /called at t = .* returned at t = /);
    await page.locator("#view-history [role=status] a").first().click();
    await page.waitForFunction(() => !document.getElementById("view-timeline").hidden);
    await close(page);
    const other = await open(makePage("lost", sample("lost_update")));
    assert.ok(!await other.locator("#tab-history").isVisible());
    await close(other);
  },

  async goalsAndTheSearchAreToldAbout() {
    const page = await open(makePage("lost", withChanges("lost_update", (trace) => {
      trace.goals = [{goal: "both count", place: "a.cc:3", reached: 1234}, {goal: "log truncated", place: "raft.cc:207", reached: 0}];
    })));
    await page.click("#tab-goals");
    const goals = await page.locator("#view-goals").innerText();
    assert.match(goals, /reached\s+both count\s+1,234/);
    assert.match(goals, /NEVER reached\s+log truncated/);
    await page.click("#tab-search");
    const search = await page.locator("#view-search").innerText();
    assert.match(search, /strategy\s+random/);
    assert.match(search, /found in\s+execution 2 of 1,000/);
    assert.match(search, /step 2: let the 4 ms timer fire first/);
    await close(page);
  },

  async theRawTraceCanBeSearched() {
    const page = await open(makePage("lost", sample("lost_update")) + "#s8");
    await page.click("#tab-raw");
    assert.match(await page.locator("#raw").innerText(), /starts.*FAILS: always/s);
    await page.fill("#filter", "COUNTER");
    assert.equal(await page.locator("#raw .line").count(), 6);
    assert.match(await page.locator("#filtered").innerText(), /^6 of \d+ lines$/);
    await page.locator("#raw .line").nth(2).click();
    await page.waitForFunction(() => !document.getElementById("view-timeline").hidden);
    assert.match(await details(page), /^step 6,/);
    await close(page);
  },

  async theReplayLineIsCopied() {
    const page = await open(makePage("lost", sample("lost_update")));
    await page.click("#copy");
    await page.waitForFunction(() => document.getElementById("copied").textContent !== "");
    assert.match(await page.locator("#copied").innerText(), /^copied|CLOTHO_REPLAY=c1\/0\/2:t\S* bazel-bin\/tools\/timeline\/samples --gtest_filter=Sample.LostUpdate/);
    assert.match(await page.locator("#copy").getAttribute("title"), /^CLOTHO_REPLAY=c1\/0\/2:t\S+ \S+samples --gtest_filter=Sample\.LostUpdate$/);
    await close(page);
  },

  async sourcesAreShownIfTheyAreThere() {
    const without = await open(makePage("lost", sample("lost_update")) + "#s6");
    assert.ok(!await without.locator("#source").isVisible());
    await close(without);
    const root = dirname(dirname(timeline));
    const page = await open(makePage("sources", sample("lost_update"), `--embed-sources=${root}`) + "#s6");
    assert.match(await page.locator("#source").innerText(), /counter\.Write\(\) = value \+ 1;.*writes counter/s);
    await close(page);
  },

  async namesAreNeverMarkup() {
    const page = await open(makePage("names", withChanges("lost_update", (trace) => {
      trace.lanes = ["<img src=x onerror=alert(1)>", "</script><b>", "\ud800 \u202e z"];
      trace.test = "<i>test</i>";
      trace.failure = "<script>alert(2)</script>\n<b>";
      trace.steps.forEach((step) => { step.taken = "<u>taken</u>"; step.why = ["<u>why</u>", "&lt;"]; });
    })));
    for (const view of ["timeline", "waits", "goals", "search", "raw"]) await page.click("#tab-" + view);
    assert.equal(await page.locator("i:not(.key), img, b, u").count(), 0);
    assert.equal(await page.locator("#test").innerText(), "<i>test</i>");
    await close(page);
  },

  async anEmptyTraceOpens() {
    const path = join(scratch, "empty.json");
    writeFileSync(path, '{"clotho_trace": 1, "lanes": [], "steps": [], "events": []}');
    const page = await open(makePage("empty", path));
    for (const key of ["j", "k", "n", "N"]) await press(page, key);
    for (const view of ["waits", "goals", "search", "raw", "timeline"]) await page.click("#tab-" + view);
    assert.match(await page.locator("#details").innerText(), /No steps/);
    await close(page);
  },

  async anOlderTraceOpens() {
    const page = await open(makePage("older", withChanges("stale_read", (trace) => {
      for (const member of ["failed", "race", "replay_command", "search", "goals", "stacks", "waits", "cycle", "histories", "fifo"]) delete trace[member];
      for (const step of trace.steps) for (const member of ["why", "since", "by"]) delete step[member];
      for (const event of trace.events) delete event.stack;
    })));
    await press(page, "n");
    assert.match(await details(page), /^step 4,/);
    for (const view of ["waits", "goals", "search", "raw", "timeline"]) await page.click("#tab-" + view);
    await close(page);
  },

  async tenThousandStepsHaveNoMoreElementsThanAFew() {
    const few = await open(makePage("few", longTrace(200, 12)));
    const some = await elements(few);
    await close(few);
    const url = makePage("many", longTrace(10_000, 12));
    const page = await open(url + "#s5000");
    console.log("  10,000 steps: " + await page.evaluate(() => {
      const [entry] = performance.getEntriesByType("navigation");
      return Math.round(entry.domComplete) + " ms until it is complete";
    }));
    assert.ok(await elements(page) < 2 * some + 200, `${await elements(page)} elements, and ${some} of 200 steps`);
    assert.match(await details(page), /^step 5000,/);
    assert.ok(await isVisible(page, 4999, "#chart .run"));
    const begun = performance.now();
    await press(page, "n");
    console.log(`  to the deviation: ${Math.round(performance.now() - begun)} ms`);
    assert.match(await details(page), /^step 9980,.*deviation$/s);
    await press(page, "n");
    assert.ok(await isVisible(page, 9_999, "#chart .run.fails"));
    // At the narrowest, and with virtual time.
    for (let i = 0; i < 8; ++i) await page.click("#narrower");
    await settle(page);
    assert.ok(await elements(page) < 10_000, `${await elements(page)} elements`);
    await page.click("#axis-time");
    await settle(page);
    assert.ok(await isVisible(page, 9_999, "#chart .run.fails"));
    await page.click("#tab-raw");
    assert.ok(await page.locator("#raw .line").count() < 200);
    await page.fill("#filter", "FAILS");
    assert.equal(await page.locator("#raw .line").count(), 1);
    await close(page);
  },

  async moreThanThatIsCutAndSaid() {
    const page = await open(makePage("more", longTrace(10_500, 5)));
    assert.match(await page.locator("#drawn").innerText(), /^Drawn: 10,000 of 10,500 steps/);
    await press(page, "n");
    assert.match(await details(page), /^step 10500,/);
    await close(page);
  },

  async nothingIsCutOffOnANarrowScreen() {
    for (const name of ["lost_update", "twenty_dine", "stale_read"]) {
      const page = await open(makePage(name, sample(name)), {width: 600});
      for (const view of ["timeline", "waits", "history", "goals", "search", "raw"]) {
        if (!await page.locator("#tab-" + view).isVisible()) continue;
        await page.click("#tab-" + view);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= 600, `${name}, ${view}: ${wide} wide`);
        // Not squeezed to one letter per line.
        const tall = await page.evaluate(() => Math.max(0, ...[...document.querySelectorAll("tr")].map((row) => row.getBoundingClientRect().height)));
        assert.ok(tall < 150, `${name}, ${view}: a row ${tall} high`);
      }
      await close(page);
    }
  },

  // WCAG 2: 4.5 for text.
  async textHasContrast() {
    for (const scheme of ["light", "dark"]) {
      const page = await open(makePage("stale", sample("stale_read")), {scheme});
      const poor = await page.evaluate(() => {
        const parse = (color) => (color.match(/[\d.]+/g) || []).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
          }
          return [255, 255, 255];
        };
        const found = [];
        for (const element of document.querySelectorAll("body *:not(script):not(style):not(svg *)")) {
          const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
          if (!own || element.getClientRects().length === 0) continue;
          const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)} ${element.textContent.slice(0, 30)}`);
        }
        // Text in blocks.
        const style = getComputedStyle(document.documentElement);
        const hex = (name) => {
          const value = style.getPropertyValue(name).trim();
          return [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16));
        };
        for (const [front, back] of [["--running-text", "--running"], ["--running-text", "--fails"], ["--soft", "--back"], ["--soft", "--selected"], ["--text", "--ready"], ["--text", "--fails-back"]]) {
          const [a, b] = [light(hex(front)), light(hex(back))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < 4.5) found.push(`${front} on ${back} ${ratio.toFixed(2)}`);
        }
        return found;
      });
      assert.deepEqual(poor, [], scheme);
      await close(page);
    }
  },

  async everythingToClickHasAName() {
    const page = await open(makePage("stale", sample("stale_read")));
    const nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, [role=button], [tabindex='0']")]
        .filter((element) => !(element.textContent.trim() || element.getAttribute("aria-label") || element.title || element.labels?.length || element.getAttribute("aria-labelledby")))
        .map((element) => element.outerHTML.slice(0, 80)));
    assert.deepEqual(nameless, []);
    await close(page);
  },
};

// For people to look at.
async function takeScreenshots(folder) {
  mkdirSync(folder, {recursive: true});
  for (const name of ["lost_update", "twenty_dine", "stale_read"]) {
    const url = makePage(name, sample(name));
    for (const scheme of ["light", "dark"]) {
      for (const width of [1280, 600]) {
        const page = await open(url, {scheme, width});
        for (const view of ["timeline", "waits", "history", "goals", "search", "raw"]) {
          if (!await page.locator("#tab-" + view).isVisible()) continue;
          await page.click("#tab-" + view);
          await settle(page);
          await page.screenshot({path: join(folder, `${name}-${view}-${scheme}-${width}.png`)});
        }
        await page.context().close();
      }
    }
  }
}

let passed = 0;
let failed = 0;
try {
  assert.ok(existsSync(sample("lost_update")));
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    try {
      await test();
      console.log("ok      " + name);
      ++passed;
    } catch (error) {
      console.log("FAILED  " + name + "\n" + error.stack);
      ++failed;
    }
  }
  if (screenshots) await takeScreenshots(screenshots);
} finally {
  await browser.close();
  rmSync(scratch, {recursive: true, force: true});
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
