"""What a network's training would give, learned from those of `benchmarks.survey`: the truth of `search_quality`.

    python -m benchmarks.surrogate --survey benchmarks/results/survey-cpu.csv --out benchmarks/results
    python -m benchmarks.surrogate --survey FILE --data FOLDER --repeat 12     # trains 12 again: the label noise

Features of a configuration (costs, depths, and the widths of the network that the recipe really trains) -> top-1 at
every scored epoch, and the processor time. Models are compared by cross-validation; `MODEL` is the one that is used.
Features describe what the solver makes: networks far from the survey's (other costs, odd widths) are extrapolated.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor, RandomForestRegressor, VotingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.survey_table import Survey, features, read_survey
from space import Config

Floats = NDArray[np.float64]
LIKE = 1.25  # two networks have like cost if the MACs of one are at most so many times the other's


# -------------------------------------------------------------------------------------------------- models


def _ridge() -> Any:
    return make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 3, 9)))


def _gp() -> Any:
    # a line and a smooth rest: the line carries what few networks say of 40 features
    kernel = DotProduct() + 1.0 * RBF(8.0, (1.0, 100.0)) + WhiteKernel(0.1, (1e-3, 10.0))
    return make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))


def _boosting() -> Any:
    return GradientBoostingRegressor(
        n_estimators=200, learning_rate=0.05, max_depth=3, subsample=0.6, max_features=0.3, random_state=0
    )


# One target each.
MODELS: dict[str, Callable[[], Any]] = {
    "ridge": _ridge,
    "gp": _gp,
    "boosting": _boosting,
    "gp+boosting": lambda: VotingRegressor([("gp", _gp()), ("boosting", _boosting())]),
    "extra trees": lambda: ExtraTreesRegressor(300, min_samples_leaf=2, max_features=0.5, random_state=0),
    "random forest": lambda: RandomForestRegressor(300, min_samples_leaf=2, max_features=0.3, random_state=0),
}
MODEL = "gp+boosting"


def fit(model: str, inputs: Floats, outcomes: Floats) -> Any:
    """A fitted model of all outcomes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound is an answer, too
        return MultiOutputRegressor(MODELS[model]()).fit(inputs, outcomes)


def out_of_fold(model: str, inputs: Floats, outcomes: Floats, folds: int = 10, seed: int = 0) -> Floats:
    """What is predicted for each network by a model that has not seen it: the shape of `outcomes`."""
    predicted = np.empty_like(outcomes)
    for rest, held in KFold(min(folds, len(inputs)), shuffle=True, random_state=seed).split(inputs):
        predicted[held] = fit(model, inputs[rest], outcomes[rest]).predict(inputs[held])
    return predicted


class Compiled:
    """The predictions of a fitted "gp+boosting" for one network at a time: sklearn's own take ten times as long."""

    def __init__(self, fitted: MultiOutputRegressor) -> None:
        pairs = [each.named_estimators_ for each in fitted.estimators_]
        scaler, first = pairs[0]["gp"]
        self._mean, self._scale, self._points = scaler.mean_, scaler.scale_, first.X_train_
        self._squares = (self._points**2).sum(axis=1)
        gps = [pair["gp"][-1] for pair in pairs]
        # theta of DotProduct + constant * RBF + white: log sigma, log constant, log length, log noise
        theta = np.exp([gp.kernel_.theta for gp in gps])
        self._offset, self._height, self._length = theta[:, 0] ** 2, theta[:, 1], theta[:, 2]
        self._alpha = np.stack([gp.alpha_ * gp._y_train_std for gp in gps])
        self._centre = np.array([gp._y_train_mean for gp in gps])
        # all trees of all targets one after the other; a leaf points to itself
        boosted = [pair["boosting"] for pair in pairs]
        self._start = np.array([float(each.init_.constant_.item()) for each in boosted])
        trees = [tree.tree_ for each in boosted for tree in each.estimators_[:, 0]]
        firsts = np.cumsum([0] + [tree.node_count for tree in trees])
        own = np.arange(firsts[-1])
        base = np.repeat(firsts[:-1], [tree.node_count for tree in trees])
        leaf = np.concatenate([tree.children_left for tree in trees]) < 0
        self._roots, self._levels = firsts[:-1], max(tree.max_depth for tree in trees)
        self._left, self._right = (
            np.where(leaf, own, base + np.concatenate([getattr(tree, f"children_{side}") for tree in trees]))
            for side in ("left", "right")
        )
        self._feature = np.where(leaf, 0, np.concatenate([tree.feature for tree in trees]))
        self._threshold = np.concatenate([tree.threshold for tree in trees])
        self._value = boosted[0].learning_rate * np.concatenate([tree.value[:, 0, 0] for tree in trees])

    def __call__(self, row: Floats) -> Floats:
        """(features,) -> (targets,)."""
        point = (row - self._mean) / self._scale
        dots = self._points @ point
        apart = np.maximum(0.0, self._squares + point @ point - 2 * dots)
        smooth = self._height[:, None] * np.exp(-apart / (2 * self._length[:, None] ** 2))
        process = self._centre + ((self._offset[:, None] + dots + smooth) * self._alpha).sum(axis=1)
        nodes, seen = self._roots, row.astype(np.float32)
        for _ in range(self._levels):
            nodes = np.where(
                seen[self._feature[nodes]] <= self._threshold[nodes], self._left[nodes], self._right[nodes]
            )
        boosting = self._start + self._value[nodes].reshape(len(self._start), -1).sum(axis=1)
        return np.asarray((process + boosting) / 2)


# ----------------------------------------------------------------------------------------------- surrogate


REFUSED_SECONDS = 0.1  # that a network costs whose shape has no proxy


@dataclass(frozen=True, slots=True)
class Training:
    """What a training gives: top-1 at each scored epoch, and what it takes."""

    epochs: tuple[int, ...]
    curve: tuple[float, ...]  # percent
    seconds: float  # processor time of the whole training
    expected: float  # top-1 without seed variance: the model's, without the residual

    @property
    def top1(self) -> float:
        """After the last epoch."""
        return self.curve[-1]

    def seconds_to(self, epoch: int) -> float:
        """What the training costs that ends after this epoch."""
        return self.seconds * epoch / self.epochs[-1]


class Surrogate:
    """Answers for any network of the space what its training would give; the same answer every time.

    A model alone is smoother than the truth: label noise, and structure that it misses, are gone. So each network has a
    residual of its own: that of a network of its family, out of fold, picked by the configuration's id; the whole
    curve's, so that early epochs mislead as much as they really do. `python -m benchmarks.surrogate --repeat` compares
    it with the label noise: the residual is hardly larger, so it says nothing about neighbours, as here. A real run
    meets that noise in the same way: it trains every network once. `residual` 0 is a truth without it.
    """

    def __init__(self, survey: Survey, residual: float = 1.0, folds: int = 5) -> None:
        self.recipe, self.reference = survey.recipe, survey.reference
        self.epochs, self.residual = survey.epochs, residual
        described = [features(config, survey.recipe, survey.reference) for config in survey.configs]
        inputs = np.array([list(row.values()) for row in described])
        self._model = Compiled(fit(MODEL, inputs, survey.outcomes))
        rest = survey.outcomes - out_of_fold(MODEL, inputs, survey.outcomes, folds)
        self._rests = {family: rest[survey.families == family] for family in np.unique(survey.families)}
        self._known: dict[str, Training] = {}

    def __call__(self, config: Config) -> Training:
        """About half a millisecond for a network that was not asked for before."""
        identity = config.id
        if identity not in self._known:
            try:
                described = features(config, self.recipe, self.reference)
            except ValueError:  # it has no proxy: a search refuses it untrained
                nothing = Training(self.epochs, (0.0,) * len(self.epochs), REFUSED_SECONDS, 0.0)
                return self._known.setdefault(identity, nothing)
            row = self._model(np.array(list(described.values())))
            rests = self._rests[config.family]
            real = row + self.residual * rests[int(identity, 16) % len(rests)]
            curve = tuple(float(min(100.0, max(0.0, top1))) for top1 in real[:-1])
            self._known[identity] = Training(self.epochs, curve, math.exp(real[-1]), float(row[-2]))
        return self._known[identity]


# -------------------------------------------------------------------------------------------------- report


def agreement(truth: Floats, predicted: Floats, macs: Floats) -> dict[str, float]:
    """RMSE, R2, Kendall's tau over all pairs, and over pairs of like MACs."""
    error = float(np.mean((truth - predicted) ** 2))
    first, second = np.triu_indices(len(truth), 1)
    near = np.abs(np.log(macs[first] / macs[second])) <= math.log(LIKE)
    signs = np.sign(truth[first] - truth[second]) * np.sign(predicted[first] - predicted[second])
    return {
        "rmse": math.sqrt(error),
        "r2": 1 - error / float(np.var(truth)),
        "tau": float(kendalltau(truth, predicted).statistic),
        "tau_like": float(signs[near].mean()) if near.any() else math.nan,
        "n": len(truth),
    }


def report(survey: Survey, models: tuple[str, ...], repeats: int = 3, noise: float | None = None) -> str:
    """Compare the models; look closer at the one that is used."""
    inputs = np.array([list(features(config, survey.recipe, survey.reference).values()) for config in survey.configs])
    truth, modes = survey.outcomes, np.array(survey.modes)
    lines = [
        survey.heading,
        f"{len(inputs)} networks, {inputs.shape[1]} features; 10-fold cross-validation, mean of {repeats} repeats",
        f"tau of like cost: pairs whose MACs differ by a factor of at most {LIKE:g}",
        "top-1 after the last epoch: standard deviation "
        f"{truth[:, -2].std():.2f} points, label noise {'not measured' if noise is None else f'{noise:.2f}'}",
        "",
        f"{'model':22} {'target':>12} {'RMSE':>7} {'R2':>6} {'tau':>6} {'like cost':>9}",
    ]
    targets = [f"top1@{epoch}" for epoch in survey.epochs] + ["log seconds"]

    def mean(folds: list[Floats], column: int, mask: NDArray[np.bool_]) -> dict[str, float]:
        each = [agreement(truth[mask, column], fold[mask, column], survey.macs[mask]) for fold in folds]
        return {key: float(np.mean([one[key] for one in each])) for key in each[0]}

    everything = np.ones(len(inputs), bool)
    used: list[Floats] = []
    for model in models:
        folds = [out_of_fold(model, inputs, truth, 10, seed) for seed in range(repeats)]
        used = folds if model == MODEL else used
        lines += [_line(model, name, mean(folds, column, everything)) for column, name in enumerate(targets)]
    if used:
        lines += ["", f"{MODEL}, {targets[-2]}:"]
        for kind, labels in (("mode", modes), ("family", survey.families)):
            for label in dict.fromkeys(labels):
                found = mean(used, len(targets) - 2, labels == label)
                lines.append(_line(f"  {kind} {label}", f"n {found['n']:.0f}", found))
    return "\n".join(lines) + "\n"


def _line(name: str, target: str, found: dict[str, float]) -> str:
    return (
        f"{name:22} {target:>12} {found['rmse']:7.3f} {found['r2']:6.2f} {found['tau']:6.2f} {found['tau_like']:9.2f}"
    )


def label_noise(survey: Survey, data: Any, networks: int) -> float:
    """Train some networks of the survey again from another seed; the standard deviation of one score, in points."""
    from evaluate.training.proxy import train_proxy

    squares = []
    for index in np.linspace(0, len(survey.configs) - 1, networks).astype(int):
        again = train_proxy(
            survey.configs[index], survey.recipe, data, seed=1, device="cpu", reference=survey.reference
        ).top1
        squares.append((again - survey.curves[index, -1]) ** 2 / 2)
        print(f"{survey.configs[index].id} {survey.curves[index, -1]:.2f} % {again:.2f} %", flush=True)
    return math.sqrt(float(np.mean(squares)))


def main() -> int:
    """Print the comparison; with --out also write surrogate.txt."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surrogate", description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--survey", required=True, type=Path)
    parser.add_argument("--out", type=Path, help="folder for surrogate.txt")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--repeats", type=int, default=3, help="of the cross-validation")
    parser.add_argument("--noise", type=float, help="the label noise, if it has been measured (points)")
    parser.add_argument("--repeat", type=int, default=0, help="networks to train again: measures the label noise")
    parser.add_argument("--data", help="for --repeat: the images that the survey was trained on")
    args = parser.parse_args()
    survey = read_survey(args.survey)
    noise = args.noise
    if args.repeat:
        from evaluate.images.load import load_data

        if not args.data:
            parser.error("--repeat needs --data FOLDER")
        data = load_data(args.data, survey.recipe.resolution, 0, survey.recipe.train_images)
        noise = label_noise(survey, data, args.repeat)
    text = report(survey, tuple(args.models), args.repeats, noise)
    print(text, end="")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "surrogate.txt").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
