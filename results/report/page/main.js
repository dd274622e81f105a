// Puts the parts together: theme, table, chart, and the network that is shown.

const DARK = matchMedia("(prefers-color-scheme: dark)");

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  document.getElementById("theme").setAttribute("aria-pressed", String(name === "dark"));
}

/** Show a network everywhere; `from` is the button of the table that it was chosen by. */
function show(row, from) {
  chosen = row;
  showDetails(row, from);
  markChosen();
  overlay();
  say(`Details of ${title(row)} are shown.`);
  const panel = document.getElementById("details");
  if (from || panel.getBoundingClientRect().top > innerHeight * 0.8) panel.scrollIntoView({ block: "nearest" });
}

/** The best network on the frontier, to begin with. */
function best() {
  const rows = DATA.networks.trial.map((_, row) => row).filter((row) => value(row, "on_frontier"));
  const score = (row) => (ERROR ? -value(row, HEIGHT) : value(row, "expected_top1") ?? value(row, HEIGHT));
  return rows.reduce((a, b) => (a === null || score(b) > score(a) ? b : a), null);
}

setTheme(DARK.matches ? "dark" : "light");
DARK.addEventListener("change", () => { setTheme(DARK.matches ? "dark" : "light"); draw(); });
document.getElementById("theme").addEventListener("click", () => {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  draw();
});
chosen = best();
startTable(show);
if (chosen !== null) showDetails(chosen, null);
startChart(show).then(() => { document.body.dataset.ready = "yes"; });
