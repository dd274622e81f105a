"""The columns of a run's table: what each is, in which unit, said in this one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """One measure of the table."""

    name: str
    dtype: str
    unit: str
    meaning: str


COLUMNS = (
    Column("trial", "int64", "", "number of the trial in the study"),
    Column("kind", "str", "", "sample (proposed by the search), landmark (published), warm (of another run), repeat"),
    Column("landmark", "str", "", "name of the published network; missing for samples"),
    Column("family", "str", "", "family of the network"),
    Column("config_id", "str", "", "hash of the configuration; equal networks have equal ids"),
    Column("state", "str", "", "complete, fail, pruned (stopped early) or slow (beyond --max-latency, not trained)"),
    Column("proxy_top1", "float64", "%", "top-1 on held-out images after training by the recipe; complete trials only"),
    Column("held_out", "Int64", "images", "held-out images that the top-1 is a percentage of"),
    Column("proxy_se", "float64", "%", "standard error of proxy_top1 from these images alone: sqrt(p(1 - p)/n)"),
    Column("last_top1", "float64", "%", "top-1 when a trial was stopped early, after fewer epochs; pruned trials only"),
    Column("published_top1", "float64", "%", "published top-1 of a landmark: other data, never to be mixed with proxy"),
    Column("macs", "Int64", "multiply-adds", "cost of one image at the target's input size and classes"),
    Column("params", "Int64", "", "trainable numbers at the target's number of classes"),
    Column("activations", "Int64", "", "output elements of all convolutions at the target's input size"),
    Column("target_macs", "Int64", "multiply-adds", "what the network was solved to cost; missing for landmarks"),
    Column("latency_ms", "float64", "ms", "median inference at batch 1, full size; conditions: timing in run.json"),
    Column("latency_p90_ms", "float64", "ms", "90th percentile of the same"),
    Column("latency_runs", "Int64", "", "how many inferences were timed"),
    Column("latency_memory", "Int64", "bytes", "most memory in use while timing: weights, images, activations"),
    Column(
        "on_frontier",
        "bool",
        "",
        "the answer of the run: nothing is better for as little; in match mode the 5 best",
    ),
    Column("repeat_of", "Int64", "", "the trial that this one trains again from another seed"),
    Column("seed", "Int64", "", "seed of a repeat; missing for others, which have the run's"),
    Column("trainings", "Int64", "", "how many trainings of this network have finished, its repeats counted"),
    Column("mean_top1", "float64", "%", "mean proxy top-1 of those trainings; missing without repeats"),
    Column("expected_top1", "float64", "%", "mean proxy top-1 over seeds, as far as repeats tell it"),
    Column("expected_low", "float64", "%", "95 % interval of expected_top1, of seeds and held-out images: lower end"),
    Column("expected_high", "float64", "%", "upper end of that interval"),
    Column("p_frontier", "float64", "", "probability that nothing as cheap is better over seeds; match mode: nothing"),
    Column("compared", "Int64", "", "networks that cost as little: p_frontier draws those missing to 5 from the trend"),
    Column(
        "trained_top1", "float64", "%", "top-1 after training further by `python -m evaluate train`: another recipe"
    ),
    Column("trained_recipe", "str", "", "the recipe of that training"),
    Column("loss", "float64", "nats", "cross entropy on the held-out images"),
    Column("seconds", "float64", "s", "wall clock of building, training and scoring"),
    Column("images_per_second", "float64", "1/s", "speed of training"),
    Column("setting", "str", "", "what a sweep has set, such as cardinality=4; missing for others"),
    Column("duplicate_of", "Int64", "", "the trial whose score this equal network shares"),
    Column("origin", "str", "", "where a sample's proposal came from: a sampler's name, neighbour or suggestion"),
    Column("from_run", "str", "", "the run that a warm network was taken over from"),
    Column("reason", "str", "", "why a trial failed or was stopped"),
    Column("started", "datetime64[us]", "local time", "when the trial was begun"),
    Column("finished", "datetime64[us]", "local time", "when the trial was closed"),
    Column("depth", "Int64", "blocks", "residual blocks, or dense layers, of the whole network"),
    Column("width", "Int64", "channels", "channels that the first stage puts out"),
    Column("cardinality", "Int64", "groups", "groups of the first stage's 3x3 convolutions; missing for DenseNets"),
    Column("base_width", "float64", "channels", "inner channels a group at the first stage; missing for DenseNets"),
    Column("widening", "float64", "", "Wide ResNet's k at the first stage; 1 is a ResNet; missing for DenseNets"),
    Column("growth_rate", "Int64", "channels", "channels that each layer adds; DenseNets alone"),
    Column("compression", "float64", "", "part of the channels that a transition keeps; DenseNets alone"),
    Column("block", "str", "", "basic, bottleneck, dense or dense bottleneck"),
    Column("network", "str", "", "short description: see `describe`"),
    Column("config", "str", "", "the configuration as JSON"),
)


EXAMPLE = "'macs < 2e9 and family == \"resnext\"'"  # a condition on them


def page(columns: Sequence[Column] = COLUMNS) -> str:
    """What the columns are, as docs/columns.md has it."""
    lines = [
        "# Columns of a run's table",
        "",
        "One row a trial: `load_run(...).frame()`, `python -m results show RUN`, `trials.csv`. Types are pandas';",
        "values may be missing everywhere but in `trial` and `on_frontier`. This page is made by",
        "`python -m results.run.columns > docs/columns.md`.",
        "",
        "| column | type | unit | meaning |",
        "| --- | --- | --- | --- |",
        *(f"| `{column.name}` | {column.dtype} | {column.unit} | {column.meaning} |" for column in columns),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page())
