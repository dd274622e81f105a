// The frontier as an interactive picture: one mark a network, over the cost that is chosen.

const CHART = document.getElementById("chart");
const STARS = ERROR ? "published error" : "published, same recipe";
let costName = DATA.cost;

/** Plotly reads tags in texts; ours are plain. */
const plain = (words) => String(words).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Long texts in lines. */
function lines(words, width) {
  const made = [""];
  for (const word of words.split(" ")) {
    if (made.at(-1).length + word.length > width) made.push("");
    made[made.length - 1] += (made.at(-1) ? " " : "") + word;
  }
  return made.map(plain).join("<br>");
}

/** What the label at a mark says. */
function hover(row) {
  const words = [`<b>${lines(title(row), 48)}</b>`, lines(`${text(row, "family")} ${text(row, "network")}`, 48)];
  for (const column of ["macs", "params", "latency_ms", "expected_error", "error_low", "error_high", "familiarity",
    "published_error", "proxy_top1", "proxy_se", "expected_top1", "expected_low",
    "expected_high", "last_top1", "p_frontier"]) {
    if (text(row, column)) words.push(`${NAMES[column] || column} ${plain(text(row, column, true))}`);
  }
  const trial = `trial ${value(row, "trial")}`;
  words.push(value(row, "state") === "complete" ? trial : `${trial}, ${lines(text(row, "state"), 48)}`);
  if (value(row, "reason")) words.push(lines(value(row, "reason").slice(0, 200), 48));
  return words.join("<br>");
}

function marks(name, rows, heights, marker, more = {}) {
  const cost = DATA.costs[costName];
  return { type: "scatter", mode: "markers", name, marker, hoverinfo: "text",
    x: rows.map((row) => value(row, cost.column) / cost.unit), y: heights,
    hovertext: rows.map(hover), customdata: rows, cliponaxis: false, ...more };
}

/** Where a network is drawn; a published one among expected errors stands at its own published error. */
function height(row) {
  const published = ERROR && row in DATA.labels ? value(row, "published_error") : null;
  return published ?? value(row, HEIGHT) ?? (ERROR ? null : value(row, "last_top1"));
}

/** The edge of the picture where the worst are. */
const worst = () => DATA.costs[costName].y_range[ERROR ? 1 : 0];

/** A height inside of the picture, or its worst edge. */
function within(row) {
  const found = height(row) ?? worst();
  return ERROR ? Math.min(found, worst()) : Math.max(found, worst());
}

/** The marks of one family, those on the frontier larger; what is worse than the picture shows goes to its edge. */
function familyMarks(name, rows, members, theme) {
  const { colour, symbol, name: label } = DATA.families[name];
  const on = rows.filter((row) => members.has(value(row, "trial")));
  const off = rows.filter((row) => !members.has(value(row, "trial")));
  const drawn = [];
  const inside = off.filter((row) => within(row) === height(row));
  const beyond = off.filter((row) => within(row) !== height(row));
  const group = { legendgroup: name, showlegend: false };
  // hollow: unlike all known networks of the family
  const shape = (row) => (ERROR && value(row, "familiarity") < DATA.score.familiar ? `${symbol}-open` : symbol);
  drawn.push(marks(label, inside, inside.map(height),
    { symbol: inside.map(shape), color: colour, size: 8, opacity: 0.75, line: { width: ERROR ? 1 : 0.6, color: ERROR ? colour : theme.paper } }, group));
  drawn.push(marks(label, on, on.map(height),
    { symbol: on.map(shape), color: colour, size: 12, line: { width: 1.5, color: theme.ink } }, group));
  if (beyond.length) {
    drawn.push(marks(`${label}, ${ERROR ? "above" : "below"}`, beyond, beyond.map(worst),
      { symbol: ERROR ? "arrow-up" : "arrow-down", color: colour, size: 10 }, group));
  }
  // the legend's own mark: a family has it wherever its networks are
  drawn.push({ type: "scatter", mode: "markers", name: label, legendgroup: name, x: [null], y: [null],
    marker: { symbol, color: colour, size: 9 } });
  return drawn;
}

/** Networks without a score: failed ones at the lower edge, stopped ones at the top-1 that they had, hollow. */
function lostMarks(known, floor, theme) {
  const drawn = [];
  const line = { width: 1.5, color: theme.quiet };
  const failed = known.filter((row) => value(row, "state") === "fail");
  if (failed.length) {
    drawn.push(marks(DATA.states.fail, failed, failed.map(() => floor),
      { symbol: "x-thin-open", color: theme.quiet, size: 8, line }));
  }
  const slow = known.filter((row) => value(row, "state") === "slow");
  if (slow.length) {
    drawn.push(marks(DATA.states.slow, slow, slow.map(() => floor),
      { symbol: "triangle-right-open", color: theme.quiet, size: 8 }));
  }
  const stopped = known.filter((row) => value(row, "state") === "pruned");
  if (stopped.length) {
    const families = stopped.map((row) => DATA.families[value(row, "family")]);
    drawn.push(marks(DATA.states.pruned, stopped, stopped.map(within),
      { symbol: families.map((family) => `${family.symbol}-open`), color: families.map((family) => family.colour), size: 7,
        opacity: 0.8 }));
  }
  const { ticks } = DATA.costs[costName];
  if (ticks.length) {
    drawn.push({ type: "scatter", mode: "markers", name: "not scored here", x: ticks.map((tick) => tick.x),
      y: ticks.map(() => floor), hoverinfo: "text",
      hovertext: ticks.map((tick) => `<b>${lines(tick.label, 48)}</b><br>not scored here`),
      marker: { symbol: "line-ns-open", size: 18, color: ticks.map((tick) => DATA.families[tick.family].colour),
        line: { width: 2 } } });
  }
  return drawn;
}

function traces(theme) {
  const cost = DATA.costs[costName];
  const members = new Set(cost.members);
  const floor = worst();
  const known = DATA.networks.trial.map((_, row) => row).filter((row) => value(row, cost.column) !== null);
  const scored = known.filter((row) => value(row, "state") === "complete");
  const drawn = [];
  if (cost.band.length) {
    const [xs, low, high] = [0, 1, 2].map((at) => cost.band.map((point) => point[at]));
    const edge = { type: "scatter", mode: "lines", x: xs, line: { width: 0, shape: "hv" }, hoverinfo: "skip", legendgroup: "band" };
    drawn.push({ ...edge, y: low, showlegend: false });
    drawn.push({ ...edge, y: high, fill: "tonexty", fillcolor: `${theme.quiet}40`,
      name: ERROR ? "95 % of one training by an unknown recipe" : "95 % of it" });
  }
  if (cost.step.length) {
    const end = Math.max(cost.budget ?? cost.x_range[1], cost.step.at(-1)[0]);
    drawn.push({ type: "scatter", mode: "lines", hoverinfo: "skip",
      name: ERROR ? "frontier of expected errors" : cost.adjusted ? "frontier without seed variance" : "frontier of single trainings",
      line: { shape: "hv", width: 2, color: theme.ink },
      x: [...cost.step.map(([x]) => x), end], y: [...cost.step.map(([, y]) => y), cost.step.at(-1)[1]] });
  }
  if (cost.bars.length) {
    drawn.push({ type: "scatter", mode: "markers", name: "expected top-1, 95 %", hoverinfo: "skip",
      x: cost.bars.map(([x]) => x), y: cost.bars.map(([, y]) => y),
      marker: { symbol: "line-ew-open", size: 11, color: theme.ink, line: { width: 2 } },
      error_y: { type: "data", symmetric: false, color: theme.ink, thickness: 1.2, width: 0,
        array: cost.bars.map(([, y, , high]) => high - y), arrayminus: cost.bars.map(([, y, low]) => y - low) } });
  }
  drawn.push(...lostMarks(known, floor, theme));
  for (const name of Object.keys(DATA.families)) {
    const rows = scored.filter((row) => value(row, "family") === name && !(row in DATA.labels));
    if (rows.length) drawn.push(...familyMarks(name, rows, members, theme));
  }
  const stars = scored.filter((row) => row in DATA.labels);
  if (stars.length) {
    const colours = stars.map((row) => DATA.families[value(row, "family")].colour);
    drawn.push(marks(STARS, stars, stars.map(height),
      { symbol: "star", color: colours, size: 15, line: { width: 1, color: theme.ink } }));
  }
  return drawn;
}

function layout(theme) {
  const cost = DATA.costs[costName];
  const narrow = CHART.clientWidth < 560;
  const [low, high] = cost.y_range;
  const axis = { gridcolor: theme.grid, linecolor: theme.quiet, zeroline: false, automargin: true, title: { standoff: 10 } };
  return {
    paper_bgcolor: theme.paper, plot_bgcolor: theme.paper, font: { family: getComputedStyle(document.body).fontFamily,
      color: theme.ink, size: narrow ? 12 : 13 },
    height: narrow ? 430 : 500, margin: { l: 10, r: 16, t: narrow ? 24 : 52, b: 10 }, hovermode: "closest",
    dragmode: narrow ? false : "zoom", // a finger scrolls the page
    uirevision: costName, transition: { duration: 0 },
    hoverlabel: { align: "left", bgcolor: theme.paper, bordercolor: theme.quiet, font: { color: theme.ink, size: 12 } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: -0.16, yanchor: "top", itemwidth: 30 },
    xaxis: { ...axis, type: "log", range: cost.x_range.map(Math.log10), nticks: narrow ? 3 : 4, tickformat: "~g",
      title: { text: plain(cost.label), standoff: 8 } },
    yaxis: { ...axis, range: [low - 0.04 * (high - low), high],
      title: { text: lines(cost.y_label, narrow ? 40 : 70), standoff: 6 } },
  };
}

/** The frontier's steps and the budget's line as boxes that no name may lie over. */
function lineBoxes(place, height) {
  const cost = DATA.costs[costName];
  const corners = cost.step.map(([x, y]) => place(x, y));
  const boxes = corners.slice(1).flatMap(([h, v], n) => {
    const [before, level] = corners[n];
    return [[before, h, level - 1, level + 1], [h - 1, h + 1, v, level]];
  });
  if (corners.length) boxes.push([corners.at(-1)[0], Infinity, corners.at(-1)[1] - 1, corners.at(-1)[1] + 1]);
  if (cost.budget !== null) {
    const [h] = place(cost.budget, 1);
    boxes.push([h - 1, h + 1, 0, height]);
  }
  return boxes;
}

/** Names beside the stars, the best first; one that would lie over a mark, a line or another name is left out. */
function starNames(place, width, height, frame) {
  const stars = CHART.data.find((trace) => trace.name === STARS);
  if (!stars) return [];
  const taken = CHART.data.filter((trace) => trace.customdata).flatMap((trace) => trace.x.map((x, n) => {
    const [h, v] = place(x, trace.y[n]);
    return [h - 6, h + 6, v - 6, v + 6];
  })).concat(lineBoxes(place, height), frame);
  const free = ([l, r, t, b]) => l >= 0 && r <= width && t >= 0 && b <= height
    && !taken.some((box) => l < box[1] && r > box[0] && t < box[3] && b > box[2]);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const names = [];
  for (const n of [...stars.x.keys()].sort((a, b) => (ERROR ? stars.y[a] - stars.y[b] : stars.y[b] - stars.y[a]))) {
    const [h, v] = place(stars.x[n], stars.y[n]);
    const name = DATA.labels[stars.customdata[n]].split(" = ")[0];
    const wide = pen.measureText(name).width;
    // left edge, top edge
    const sides = [[h + 10, v - 7], [h - 10 - wide, v - 7], [h - wide / 2, v - 23], [h - wide / 2, v + 9]];
    const side = sides.find(([l, t]) => free([l - 3, l + wide + 3, t, t + 14]));
    if (side) {
      taken.push([side[0], side[0] + wide, side[1], side[1] + 14]);
      names.push({ x: Math.log10(stars.x[n]), y: stars.y[n], xshift: side[0] - h, yshift: v - side[1] + 2, text: plain(name),
        showarrow: false, xanchor: "left", yanchor: "top", borderpad: 0, font: { size: 11 } });
    }
  }
  return names;
}

/** What lies over the marks, and is cheap to draw again: budget, names of stars, a frame around the chosen network. */
function overlay() {
  const cost = DATA.costs[costName];
  const theme = DATA.themes[document.documentElement.dataset.theme];
  const area = CHART.querySelector(".nsewdrag");
  if (!area) return null;
  const { width, height } = area.getBoundingClientRect();
  const [left, right] = CHART.layout.xaxis.range;
  const [low, high] = CHART.layout.yaxis.range;
  const place = (x, y) => [(Math.log10(x) - left) / (right - left) * width, (high - y) / (high - low) * height];
  const shapes = [];
  const annotations = [];
  const frame = [];
  if (cost.budget !== null) {
    const line = { color: theme.budget, width: 1.5, dash: "dash" };
    shapes.push({ type: "line", x0: cost.budget, x1: cost.budget, yref: "paper", y0: 0, y1: 1, line });
    annotations.push({ x: Math.log10(cost.budget), xanchor: "right", yref: "paper", y: 1, yanchor: "bottom", showarrow: false,
      text: plain(cost.budget_label), font: { color: theme.budget, size: 12 } });
  }
  const spent = chosen === null ? null : value(chosen, cost.column);
  if (spent !== null) {
    const [x, y] = [spent / cost.unit, within(chosen)];
    const [h, v] = place(x, y);
    frame.push([h - 14, h + 14, v - 14, v + 14]);
    annotations.push({ x: Math.log10(x), y, text: " ", width: 19, height: 19, showarrow: false, borderpad: 2,
      bordercolor: theme.budget, borderwidth: 2.5 });
  }
  annotations.push(...starNames(place, width, height, frame));
  if (cost.empty) {
    annotations.push({ xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false, text: plain(cost.empty) });
  }
  return Plotly.relayout(CHART, { shapes, annotations });
}

/** Draw, or draw again: another cost, another theme. */
async function draw() {
  const theme = DATA.themes[document.documentElement.dataset.theme];
  await Plotly.react(CHART, traces(theme), layout(theme), { displaylogo: false, responsive: true,
    showSendToCloud: false, plotlyServerURL: "", // the page stays by itself
    displayModeBar: CHART.clientWidth >= 560, modeBarButtonsToRemove: ["select2d", "lasso2d"],
    toImageButtonOptions: { filename: "frontier", scale: 2 } });
  await overlay();
}

/** The choice of the cost, and what a click on a mark does. */
async function startChart(show) {
  for (const [name, cost] of Object.entries(DATA.costs)) {
    const words = { macs: "multiply-adds", params: "parameters" }[name] || name;
    const box = make("input", { type: "radio", name: "cost", value: name, checked: name === costName });
    document.getElementById("costs").append(make("label", { title: DATA.meaning[cost.column] }, box, ` ${words}`));
  }
  document.getElementById("costs").addEventListener("change", async (event) => {
    costName = event.target.value;
    await draw();
    say(`The chart is over ${DATA.costs[costName].label}.`);
  });
  await draw();
  CHART.on("plotly_relayout", (change) => {
    if (!("shapes" in change)) overlay(); // zoomed or of another size
  });
  CHART.on("plotly_click", (event) => {
    const row = event.points[0].customdata;
    if (row !== undefined && row !== null) show(row, null);
  });
}
