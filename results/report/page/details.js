// What every part of the page shares, and the panel that shows one network.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const ROWS = DATA.networks.trial.length;
let chosen = null; // number of the row whose details are shown
const HEIGHT = DATA.score.column; // what the run goes by
const ERROR = DATA.score.error; // whether that is an error, of which less is better
const UNITS = { // divisor, decimals, symbol
  proxy_top1: [1, 2, "%"], last_top1: [1, 2, "%"], published_top1: [1, 2, "%"], mean_top1: [1, 2, "%"],
  proxy_se: [1, 2, "%"], expected_top1: [1, 2, "%"], expected_low: [1, 2, "%"], expected_high: [1, 2, "%"], trained_top1: [1, 2, "%"], p_frontier: [1, 2, ""], latency_ms: [1, 3, "ms"],
  expected_error: [1, 1, "%"], error_low: [1, 1, "%"], error_high: [1, 1, "%"], published_error: [1, 1, "%"],
  familiarity: [1, 2, ""], loss: [1, 3, "nats"], seconds: [1, 1, "s"],
};
for (const [column, [by, symbol, digits]] of Object.entries(DATA.scales)) {
  UNITS[column] = [by, digits, column === "macs" ? `${symbol}FLOPs` : symbol];
}
const NAMES = { // where a column's own name would not do
  proxy_top1: "proxy top-1", last_top1: "top-1 when stopped", published_top1: "published top-1", mean_top1: "mean top-1",
  proxy_se: "± standard error", held_out: "held-out images", expected_top1: "expected top-1",
  expected_low: "95 % from", expected_high: "to", trained_top1: "top-1, trained further", p_frontier: DATA.ranked ? "P(the best)" : "P(on frontier)",
  expected_error: "expected error", error_low: "95 % from", error_high: "to", published_error: "published error",
  macs: "multiply-adds", latency_ms: "latency", on_frontier: DATA.ranked ? "one of the best" : "frontier", config_id: "configuration",
};

/** What a column has of a network; null where nothing is known. */
function value(row, column) {
  const values = DATA.networks[column];
  return values ? values[row] : null;
}

/** A column's value as text, with its unit if wanted. */
function text(row, column, unit = false) {
  const found = value(row, column);
  if (found === null) return "";
  if (column === "state") return DATA.states[found] || found;
  if (column === "family") return DATA.families[found].name;
  if (column === "on_frontier") return found ? "yes" : "";
  if (!(column in UNITS)) return String(found);
  const [by, digits, word] = UNITS[column];
  const number = (found / by).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit && word ? `${number} ${word}` : number;
}

/** A network in a few words: its published name, or the number of its trial. */
function title(row) {
  return DATA.labels[row] || `Trial ${value(row, "trial")}`;
}

/** An element with properties and children; text only as text, never as HTML. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, content] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "scope") element.setAttribute(name, content);
    else element[name] = content;
  }
  element.append(...children);
  return element;
}

/** Said to screen readers. */
function say(words) {
  document.getElementById("said").textContent = words;
}

/** The figures of a network as a list of terms. */
function figures(row) {
  const list = make("dl");
  for (const column of Object.keys(DATA.networks)) {
    const words = text(row, column, true);
    if (!words || column === "network" || column === "family") continue;
    const term = make("dt", { title: DATA.meaning[column] || "" }, NAMES[column] || column.replaceAll("_", " "));
    list.append(term, make("dd", {}, words));
  }
  return list;
}

/** A stage of a network by the names of its parts. */
function stagesOf(row) {
  return DATA.stages[row].map((parts) => Object.fromEntries(DATA.stage.map((name, at) => [name, parts[at]])));
}

/** The stages as a table; a bar in each row shows the share of the multiply-adds. */
function stageTable(row) {
  const parts = stagesOf(row);
  const whole = parts.reduce((sum, part) => sum + part.macs, 0);
  const dense = parts.some((part) => part.growth !== null);
  const heads = [["part", ""], ["cost", "share of the multiply-adds"], ["blocks", "residual blocks or dense layers"],
    ["width", "channels that it puts out"],
    dense ? ["growth", "channels that each layer adds"] : ["inner", "channels of the 3x3 convolutions"],
    ...(dense ? [] : [["groups", "of the 3x3 convolutions"]]), ["size", "height and width of what it puts out"]];
  const cells = heads.map(([head, meaning]) => make("th", { scope: "col", title: meaning }, head));
  const table = make("table", {}, make("caption", {}, "Stages, and their share of the multiply-adds"),
    make("thead", {}, make("tr", {}, ...cells)));
  const body = make("tbody");
  for (const part of parts) {
    const share = 100 * part.macs / whole;
    const bar = make("i");
    bar.style.width = `${share}%`;
    const numbers = [part.blocks, part.width, ...(dense ? [part.growth] : [part.inner, part.groups]), part.size];
    body.append(make("tr", {}, make("th", { scope: "row" }, part.name),
      make("td", { className: "share" }, bar, make("b", {}, `${share.toFixed(1)} %`)),
      ...numbers.map((number) => make("td", {}, number === null ? "" : String(number)))));
  }
  table.append(body);
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Stages, scrolls sideways" }, table);
}

/** The lines that build a network, with a button that copies them. */
function codeBlock(row) {
  if (value(row, "state") !== "complete") {
    const words = "A network without a score is no candidate: there are no lines that build it.";
    return [make("p", { className: "note" }, words)];
  }
  const lines = DATA.code.join("\n").replace("(N)", `(${value(row, "trial")})`);
  const button = make("button", { type: "button", id: "copy" }, "Copy the lines");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(lines);
      say("The lines are copied.");
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(document.getElementById("code"));
      say("The lines are selected; copy them with the keyboard.");
      button.textContent = "Selected: press Ctrl+C";
    }
  });
  return [make("h3", {}, "Build it"), make("pre", { id: "code", tabIndex: 0 }, lines), button];
}

/** Show a network. `from` is where the keyboard came from: the panel takes the focus and gives it back. */
function showDetails(row, from) {
  const family = DATA.families[value(row, "family")];
  const glyph = make("span", { "aria-hidden": "true" }, `${family.glyph} `);
  glyph.style.color = family.colour;
  const head = document.getElementById("details-title");
  head.textContent = title(row);
  const panel = document.getElementById("chosen");
  panel.style.setProperty("--colour", family.colour);
  panel.replaceChildren(make("p", {}, glyph, `${family.name} ${text(row, "network")}`));
  if (from) {
    const back = make("button", { type: "button", id: "back" }, "Back to the table");
    back.addEventListener("click", () => (from.isConnected ? from : document.getElementById("table-region")).focus());
    panel.append(make("p", {}, back));
  }
  if (DATA.stages[row].length) panel.append(stageTable(row));
  else panel.append(make("p", { className: "note" }, "Its configuration is not known to this version."));
  panel.append(...codeBlock(row), make("h3", {}, "Figures"), figures(row));
  document.getElementById("details").scrollTop = 0;
  if (from) head.focus();
}
