// The header: the test, the verdict, the failure, and the button that copies the
// replay line.

function replayLine() {
  if (data.replay_command) {
    const lines = data.replay_command.replace(/\\\n\s*/g, "").split("\n");
    return lines[lines.length - 1].replace(/^same binary:\s*/, "");
  }
  return data.replay ? "CLOTHO_REPLAY=" + data.replay : "";
}

async function copyReplay() {
  let done = true;
  try {
    await navigator.clipboard.writeText(replayLine());
  } catch (error) {
    // Not every browser lets a page from the file system use the clipboard.
    const field = make("textarea", {class: "mono"});
    field.value = replayLine();
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
  }
  $("copied").textContent = done ? "copied" : "could not copy: " + replayLine();
}

function drawHeader() {
  $("test").textContent = data.test || "Execution";
  const failed = data.failing !== undefined || Boolean(data.failure);
  $("verdict").textContent = failed ? "FAILED" : "passed";
  $("verdict").classList.toggle("fails", failed);
  $("replay").textContent = data.replay;
  $("copy").hidden = replayLine() === "";
  $("copy").title = replayLine();
  $("copy").addEventListener("click", copyReplay);
  // If it has a drawing, only the first line; the rest can be unfolded.
  const lines = data.failure.split("\n");
  const isLong = lines.length > 6;
  let text = isLong ? lines[0] : data.failure;
  $("failure-more").hidden = !isLong;
  $("failure-rest").textContent = data.failure;
  if (data.failed.file) {
    text += "\n" + (data.failed.function ?
        "in " + data.failed.function + " (" + place(data.failed) + ")" :
        "at " + place(data.failed));
  }
  $("failure").textContent = text;
  $("drawn").textContent = data.first === 0 ? "" :
      "Drawn: " + count(steps.length) + " of " + count(data.total) +
      " steps, up to the failure. `clotho show` without --format=html has all of them.";
}
