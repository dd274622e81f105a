// The table of networks: sorted by the buttons in its head, filtered, a page at a time.

const PAGE = 25;
const COLUMNS = ["trial", "family", "expected_error", "error_low", "error_high", "familiarity", "expected_top1", "expected_low", "expected_high", "proxy_top1", "proxy_se", "macs", "params", "latency_ms", "on_frontier", "p_frontier", "network",
  "activations", "state"].filter((column) => column in DATA.networks);
const WORDS = new Set(["family", "network", "on_frontier", "state"]); // columns of words; the others are numbers
const view = { column: !ERROR && DATA.ranked && COLUMNS.includes("expected_top1") ? "expected_top1" : HEIGHT, falling: !ERROR, page: 0, rows: [] };

/** What is searched for words, in small letters. */
const haystack = DATA.networks.trial.map((trial, row) => [trial, text(row, "family"), text(row, "network"),
  DATA.labels[row] || "", text(row, "state"), value(row, "config_id"), value(row, "kind"), value(row, "origin") || "",
].join(" ").toLowerCase());

function compare(a, b) {
  const [left, right] = [value(a, view.column), value(b, view.column)];
  if (left === right) return a - b;
  if (left === null) return 1; // what is missing stands last, whichever way
  if (right === null) return -1;
  const order = left < right ? -1 : 1;
  return view.falling ? -order : order;
}

/** Choose the rows by the filter's state, sort them, show the first page. */
function choose() {
  const words = document.getElementById("words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const families = new Set([...document.querySelectorAll("#families input:checked")].map((box) => box.value));
  const members = document.getElementById("members").checked;
  view.rows = DATA.networks.trial.map((_, row) => row).filter((row) => families.has(value(row, "family"))
    && (!members || value(row, "on_frontier")) && words.every((word) => haystack[row].includes(word)));
  view.rows.sort(compare);
  view.page = 0;
  showPage();
}

function cell(row, column) {
  const words = text(row, column);
  if (column === "trial") {
    const button = make("button", { type: "button", "aria-label": `Details of trial ${words}` }, words);
    button.dataset.row = row;
    return make("td", {}, button);
  }
  if (column === "family") {
    const family = DATA.families[value(row, "family")];
    const glyph = make("span", { "aria-hidden": "true" }, `${family.glyph} `);
    glyph.style.color = family.colour;
    return make("td", {}, glyph, words);
  }
  const label = column === "network" && DATA.labels[row];
  return make("td", { className: WORDS.has(column) ? "" : "number" }, label ? `★ ${label}: ${words}` : words);
}

function showPage() {
  const pages = Math.max(1, Math.ceil(view.rows.length / PAGE));
  view.page = Math.min(Math.max(view.page, 0), pages - 1);
  const first = view.page * PAGE;
  const rows = view.rows.slice(first, first + PAGE);
  document.querySelector("#table tbody").replaceChildren(...rows.map((row) => {
    const line = make("tr", {}, ...COLUMNS.map((column) => cell(row, column)));
    if (value(row, "on_frontier")) line.classList.add("member");
    if (row === chosen) line.classList.add("chosen");
    line.dataset.row = row;
    return line;
  }));
  const count = (number) => number.toLocaleString("en-US");
  const range = rows.length ? `, rows ${count(first + 1)} to ${count(first + rows.length)}` : "";
  document.getElementById("shown").textContent = `${count(view.rows.length)} of ${count(ROWS)} networks${range}`;
  document.getElementById("page").textContent = `page ${count(view.page + 1)} of ${count(pages)}`;
  document.getElementById("before").disabled = view.page === 0;
  document.getElementById("after").disabled = view.page === pages - 1;
}

function sortBy(column) {
  // scores are looked at from the best on, everything else from the smallest
  const falling = ["proxy_top1", "expected_top1", "p_frontier", "on_frontier"].includes(column);
  view.falling = view.column === column ? !view.falling : falling;
  view.column = column;
  markSorted();
  choose();
}

function markSorted() {
  for (const head of document.querySelectorAll("#table thead th")) {
    const sorted = head.dataset.column === view.column;
    head.setAttribute("aria-sort", sorted ? (view.falling ? "descending" : "ascending") : "none");
  }
}

/** Head, filter, pages; `show(row, button)` is called for a row that is chosen. */
function startTable(show) {
  const heads = COLUMNS.map((column) => {
    const unit = column in UNITS && UNITS[column][2] ? ` (${UNITS[column][2]})` : "";
    const words = column === "macs" ? UNITS.macs[2] : (NAMES[column] || column) + unit; // as every picture has it
    const button = make("button", { type: "button", title: DATA.meaning[column] }, words);
    button.addEventListener("click", () => sortBy(column));
    const head = make("th", { scope: "col", className: WORDS.has(column) ? "" : "number" }, button);
    head.dataset.column = column;
    return head;
  });
  document.querySelector("#table thead tr").append(...heads);
  for (const [name, family] of Object.entries(DATA.families)) {
    const glyph = make("span", { "aria-hidden": "true" }, family.glyph);
    glyph.style.color = family.colour;
    const box = make("input", { type: "checkbox", value: name, checked: true });
    document.getElementById("families").append(make("label", {}, box, " ", glyph, ` ${family.name}`));
  }
  const form = document.getElementById("filter");
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("before").addEventListener("click", () => { view.page -= 1; showPage(); });
  document.getElementById("after").addEventListener("click", () => { view.page += 1; showPage(); });
  document.querySelector("#table tbody").addEventListener("click", (event) => {
    const line = event.target.closest("tr");
    if (line) show(Number(line.dataset.row), line.querySelector("button"));
  });
  markSorted();
  choose();
}

/** Mark the chosen network's row, if it is on this page. */
function markChosen() {
  for (const line of document.querySelectorAll("#table tbody tr")) {
    line.classList.toggle("chosen", Number(line.dataset.row) === chosen);
  }
}
