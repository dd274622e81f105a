"""The frontier of a run as text, for the terminal."""

from __future__ import annotations

from results.export.tables import SCALES, align, scale
from results.plots.sweep_text import sweep_table
from results.run.run import Run


def frontier_table(run: Run) -> str:
    """The frontier as aligned text, the cheapest first; with what repeats and further training say, if there are any.

    What of the run's directory could not be read is said below it. Of a sweep it is `results.plots.sweep_text`'s table.
    """
    if run.settings.get("sweep"):
        return sweep_table(run)
    frame = run.frontier()
    if frame.empty:
        return "\n".join(["no network within the budget is finished yet", *run.notes])
    timed, again = run.objective.name == "latency", frame["p_frontier"].notna().any()
    trained = frame["trained_top1"].notna().any()
    macs, params = scale(frame, "macs") or SCALES[-1], scale(frame, "params") or SCALES[-1]
    rows = [["config id", "family", *(["latency (ms)"] if timed else []), f"{macs[1]}FLOPs",
             f"params ({params[1]})" if params[1] else "params", "proxy top-1 (%)",
             *(["mean of trainings (%)", "on the frontier (p)"] if again else []),
             *(["trained top-1 (%)", "by recipe"] if trained else []), "network"]]  # fmt: skip
    for row in frame.to_dict("records"):
        name = row["landmark"]
        mean = f"{row['mean_top1']:.2f} of {row['trainings']}" if row["mean_top1"] == row["mean_top1"] else "-"
        further = isinstance(row["trained_recipe"], str)
        rows.append([
            str(row["config_id"]),
            str(row["family"]),
            *([f"{row['latency_ms']:.3f}"] if timed else []),
            f"{row['macs'] / macs[0]:.{macs[2]}f}",
            f"{row['params'] / params[0]:.{params[2]}f}",
            f"{row['proxy_top1']:.2f}",
            *([mean, f"{row['p_frontier']:.2f}"] if again else []),
            *([f"{row['trained_top1']:.2f}" if further else "-", row["trained_recipe"] if further else "-"]
              if trained else []),
            str(row["network"]) + (f" ({name})" if isinstance(name, str) else ""),
        ])  # fmt: skip
    numbers = [name not in ("config id", "family", "by recipe", "network") for name in rows[0]]
    return "\n".join([align(rows, numbers), *run.notes])
