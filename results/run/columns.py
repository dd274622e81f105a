"""The columns of a run's table: what each is, in which unit, said in this one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from space.shell.tables import markdown_table


class Field(NamedTuple):
    """One column of the table of a run, or of one made of it: a field as Arrow calls it."""

    name: str
    dtype: str
    unit: str
    meaning: str


COLUMNS = (
    Field("trial", "int64", "", "number of the trial in the study"),
    Field("kind", "str", "", "sample (proposed by the search), landmark (published), warm (of another run), repeat"),
    Field("landmark", "str", "", "name of the published network; missing for samples"),
    Field("family", "str", "", "family of the network"),
    Field("config_id", "str", "", "hash of the configuration; equal networks have equal ids"),
    Field("state", "str", "", "complete, fail, pruned (stopped early) or slow (beyond --max-latency, not trained)"),
    Field("proxy_top1", "float64", "%", "top-1 on held-out images after training by the recipe; complete trials only"),
    Field("proxy_macs", "Int64", "multiply-adds", "of the proxy that was trained, at the recipe's resolution"),
    Field(
        "expected_error", "float64", "%", "top-1 error to expect if trained as published networks are: docs/expected.md"
    ),
    Field("error_low", "float64", "%", "95 % interval of it for one training by an unknown recipe: lower end"),
    Field("error_high", "float64", "%", "upper end of that interval"),
    Field("cautious_error", "float64", "%", "above the network's own error with probability 80 %: choices go by it"),
    Field("familiarity", "float64", "", "1: counts of a known network of its family; below 0.5: far from all of them"),
    Field("evidence", "str", "", "what expected_error follows from: counts, or counts and the proxy's score"),
    Field(
        "published_error", "float64", "%", "published top-1 error of a landmark: what expected errors are held against"
    ),
    Field("held_out", "Int64", "images", "held-out images that the top-1 is a percentage of"),
    Field("proxy_se", "float64", "%", "standard error of proxy_top1 from these images alone: sqrt(p(1 - p)/n)"),
    Field("last_top1", "float64", "%", "top-1 when a trial was stopped early, after fewer epochs; pruned trials only"),
    Field("published_top1", "float64", "%", "published top-1 of a landmark: other data, never to be mixed with proxy"),
    Field("macs", "Int64", "multiply-adds", "cost of one image at the target's input size and classes"),
    Field("params", "Int64", "", "trainable numbers at the target's number of classes"),
    Field("activations", "Int64", "", "output elements of all convolutions at the target's input size"),
    Field("target_macs", "Int64", "multiply-adds", "what the network was solved to cost; missing for landmarks"),
    Field("latency_ms", "float64", "ms", "median inference at batch 1, full size; conditions: timing in run.json"),
    Field("latency_p90_ms", "float64", "ms", "90th percentile of the same"),
    Field("latency_runs", "Int64", "", "how many inferences were timed"),
    Field("latency_memory", "Int64", "bytes", "most memory in use while timing: weights, images, activations"),
    Field(
        "on_frontier",
        "bool",
        "",
        "the answer of the run: nothing is better for as little; in match mode the 5 best",
    ),
    Field("repeat_of", "Int64", "", "the trial that this one trains again from another seed"),
    Field("seed", "Int64", "", "seed of a repeat; missing for others, which have the run's"),
    Field("trainings", "Int64", "", "how many trainings of this network have finished, its repeats counted"),
    Field("mean_top1", "float64", "%", "mean proxy top-1 of those trainings; missing without repeats"),
    Field("expected_top1", "float64", "%", "mean proxy top-1 over seeds, as far as repeats tell it"),
    Field("expected_low", "float64", "%", "95 % interval of expected_top1, of seeds and held-out images: lower end"),
    Field("expected_high", "float64", "%", "upper end of that interval"),
    Field("p_frontier", "float64", "", "probability that nothing as cheap is better over seeds; match mode: nothing"),
    Field("compared", "Int64", "", "networks that cost as little: p_frontier draws those missing to 5 from the trend"),
    Field("trained_top1", "float64", "%", "top-1 after training further by `python -m evaluate train`: another recipe"),
    Field("trained_held_out", "Int64", "images", "held-out images that trained_top1 is a percentage of"),
    Field("trained_recipe", "str", "", "the recipe of that training"),
    Field("loss", "float64", "nats", "cross entropy on the held-out images"),
    Field("seconds", "float64", "s", "wall clock of building, training and scoring"),
    Field("images_per_second", "float64", "1/s", "speed of training"),
    Field("setting", "str", "", "what a sweep has set, such as cardinality=4; missing for others"),
    Field("duplicate_of", "Int64", "", "the trial whose score this equal network shares"),
    Field("origin", "str", "", "where a sample's proposal came from: a sampler's name, neighbour or suggestion"),
    Field("from_run", "str", "", "the run that a warm network was taken over from"),
    Field("reason", "str", "", "why a trial failed or was stopped"),
    Field("started", "datetime64[us]", "local time", "when the trial was begun"),
    Field("finished", "datetime64[us]", "local time", "when the trial was closed"),
    Field("depth", "Int64", "blocks", "residual blocks, or dense layers, of the whole network"),
    Field("width", "Int64", "channels", "channels that the first stage puts out"),
    Field("cardinality", "Int64", "groups", "groups of the first stage's 3x3 convolutions; missing for DenseNets"),
    Field("base_width", "float64", "channels", "inner channels a group at the first stage; missing for DenseNets"),
    Field("widening", "float64", "", "Wide ResNet's k at the first stage; 1 is a ResNet; missing for DenseNets"),
    Field("growth_rate", "Int64", "channels", "channels that each layer adds; DenseNets alone"),
    Field("compression", "float64", "", "part of the channels that a transition keeps; DenseNets alone"),
    Field("block", "str", "", "basic, bottleneck, dense or dense bottleneck"),
    Field("network", "str", "", "short description: see `describe`"),
    Field("config", "str", "", "the configuration as JSON"),
)


EXAMPLE = "'macs < 2e9 and family == \"resnext\"'"  # a condition on them


def page(columns: Sequence[Field] = COLUMNS) -> str:
    """What the columns are, as docs/columns.md has it."""
    lines = [
        "# Columns of a run's table",
        "",
        "One row a trial: `load_run(...).frame()`, `python -m results show RUN`, `trials.csv`. Types are pandas';",
        "values may be missing everywhere but in `trial` and `on_frontier`. This page is made by",
        "`python -m results.run.columns > docs/columns.md`.",
        "",
        markdown_table(
            ("column", "type", "unit", "meaning"),
            [(f"`{column.name}`", column.dtype, column.unit, column.meaning) for column in columns],
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page())
