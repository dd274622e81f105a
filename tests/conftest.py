"""What several test files share: tiny networks of every kind, a run as a search leaves it, one fidelity run."""

from __future__ import annotations

import importlib
import math
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from optuna.trial import TrialState, create_trial

from evaluate.fidelity.run import Fidelity, ranking_set, report, run_fidelity
from evaluate.images.load import load_data
from evaluate.training.presets import RECIPES
from space import LANDMARKS, Budget, Config, DenseConfig, ResidualConfig, cost
from space.networks.regnety import RegNetYConfig
from space.solving.axes import Target, Value, axes, draw
from tests.commands import Ended


def pytest_configure() -> None:
    """One thread for each process of the tests and for those that it starts: nets this small only wait for others."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"  # joblib's: `--workers auto` is one worker here, in the same process
    torch.set_num_threads(1)


# --- commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """`command("search", "--budget", ...)` is `python -m search --budget ...` in `tmp_path`, but in this process.

    A process of its own takes three seconds to import torch; only signals, locks and packaging need one.
    """
    monkeypatch.chdir(tmp_path)

    def run(module: str, *words: str) -> Ended:
        found = importlib.import_module(module)
        if hasattr(found, "__path__"):
            found = importlib.import_module(f"{module}.__main__")
        monkeypatch.setattr(sys, "argv", [module, *words])
        capsys.readouterr()
        try:
            status = found.main()
        except SystemExit as stop:
            status = stop.code
        return Ended(status, *capsys.readouterr())

    return run


# --- tiny networks -----------------------------------------------------------------------------------------------


def tiny(**changes: Any) -> ResidualConfig:
    """A ResNet small enough to run in milliseconds."""
    numbers: dict[str, Any] = {
        "family": "resnet",
        "stem": "cifar",
        "stem_width": 8,
        "block": "basic",
        "depths": (2, 1),
        "widths": (8, 16),
        "inner_widths": (8, 16),
        "groups": (1, 1),
    }
    return ResidualConfig(**(numbers | changes))


TINY: dict[str, Config] = {
    "basic": tiny(),
    "option A": tiny(shortcut="A"),
    "bottleneck": tiny(block="bottleneck", widths=(16, 32)),
    "stride in the 1x1": tiny(block="bottleneck", widths=(16, 32), stride_in="1x1"),
    "grouped": tiny(family="resnext", block="bottleneck", widths=(16, 32), groups=(4, 4)),
    "grouped basic": tiny(family="resnext", groups=(2, 4)),
    "pre-activation": tiny(family="preresnet", preactivation=True),
    "pre-activation, option A": tiny(family="preresnet", preactivation=True, shortcut="A"),
    "pre-activation, bottleneck": tiny(family="preresnet", preactivation=True, block="bottleneck", widths=(16, 32)),
    "pre-activation, imagenet": tiny(family="preresnet", preactivation=True, stem="imagenet"),
    "imagenet": tiny(stem="imagenet"),
    "regnet": tiny(family="regnetx", stem="regnet", block="bottleneck", groups=(2, 4)),
    "regnety": RegNetYConfig("regnety", "regnet", 8, "bottleneck", (2, 1), (16, 32), (8, 16), (2, 4)),
    "plain": tiny(shortcut="none"),
    "plain, bottleneck": tiny(shortcut="none", block="bottleneck", widths=(16, 32)),
    "plain, pre-activation": tiny(family="preresnet", preactivation=True, shortcut="none"),
    "wide": tiny(family="wide_resnet", inner_widths=(16, 32), block="bottleneck", widths=(16, 32)),
    "dense": DenseConfig("densenet", "cifar", 16, (2, 2), 4, 0, 1.0),
    "dense BC": DenseConfig("densenet", "cifar", 8, (2, 3, 2), 4),
    "dense imagenet": DenseConfig("densenet", "imagenet", 8, (2, 3), 4, 2, 0.3),
}


@pytest.fixture(scope="session")
def tiny_configs() -> dict[str, Config]:
    return TINY


@pytest.fixture(params=TINY)
def tiny_config(request: pytest.FixtureRequest) -> Config:
    return TINY[request.param]


@pytest.fixture(
    params=[name for name, config in TINY.items() if isinstance(config, ResidualConfig) and config.shortcut != "none"]
)
def tiny_residual(request: pytest.FixtureRequest) -> Config:
    return TINY[request.param]


# --- axes of the space -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def check_axes() -> Callable[[str, dict[str, Value], Target], None]:
    """Asserts that a family's axes, and no others, have values within their ranges."""

    def check(family: str, values: dict[str, Value], target: Target) -> None:
        assert list(values) == [axis.name for axis in axes(family, target)]
        for axis in axes(family, target):
            value = values[axis.name]
            if axis.choices:
                assert value in axis.choices
            else:
                assert isinstance(value, int | float)
                assert type(value) is type(axis.low)
                assert axis.low <= value <= axis.high

    return check


# --- a run of a search -------------------------------------------------------------------------------------------


RUN_SCORE = {"loss": 0.5, "seconds": 2.5, "images_per_second": 900.0, "curve": [], "state": "complete", "reason": None}


def _settings(name: str, mode: str, budget: int, input_size: int, classes: int, data: str) -> dict[str, Any]:
    return {
        "name": name, "budget_macs": budget, "mode": mode, "families": ["resnet"], "data": data,
        "recipe": {"name": "cpu", "epochs": 3, "resolution": 8, "width": 0.25}, "input_size": input_size,
        "classes": classes, "sampler": "tpe", "seed": 0, "landmarks": [], "objective": "macs", "timing": None,
    }  # fmt: skip


def _make_run(
    directory: Path, *, mode: str = "frontier", samples: int = 60, landmarks: bool = True, budget: str = "4.1G",
    input_size: int = 224, classes: int = 1000, data: str = "digits", seed: int = 0,
) -> Path:  # fmt: skip
    """A study as `search` writes it, with scores made of random numbers."""
    directory.mkdir(parents=True)
    target = Target(Budget.parse(budget), mode, input_size, classes)
    rng = random.Random(seed)
    directions = ["maximize", "minimize"] if mode == "frontier" else ["maximize"]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory / 'study.db'}")
    study = optuna.create_study(storage=storage, study_name=directory.name, directions=directions)
    study.set_user_attr("settings", _settings(directory.name, mode, target.budget.macs, input_size, classes, data))
    scores: dict[str, tuple[float, int]] = {}

    def add(config: Config, fail: bool = False, **more: Any) -> None:
        counted = cost(config, input_size, classes)
        top1 = round(90 + 4 * math.log10(counted.macs / 1e9) - abs(rng.gauss(0, 2)), 1)
        attributes = more | {
            "family": config.family, "config": config.to_json(), "config_id": config.id, "macs": counted.macs,
            "params": counted.params, "activations": counted.activations,
        }  # fmt: skip
        if config.id in scores:
            top1, attributes["duplicate_of"] = scores[config.id]
        else:
            scores[config.id] = top1, len(study.get_trials(deepcopy=False))
        attributes["score"] = RUN_SCORE | {"top1": top1}
        if fail:
            attributes["reason"] = "the loss is not finite"
            study.add_trial(create_trial(state=TrialState.FAIL, user_attrs=attributes))
            return
        values = [top1, float(counted.macs)] if mode == "frontier" else [top1]
        study.add_trial(create_trial(state=TrialState.COMPLETE, values=values, user_attrs=attributes))

    if landmarks:
        kind = "imagenet" if input_size > 64 else "cifar"
        for each in LANDMARKS.values():
            config = each.config if each.target == kind else None
            if config and cost(config, input_size, classes).macs <= 1.05 * target.budget.macs:
                add(config, kind="landmark", landmark=each.name)
    for number in range(samples):
        proposal = draw(target, rng)[1]
        add(proposal.config, fail=number % 20 == 7, kind="sample", target_macs=proposal.target_macs)
    storage.remove_session()
    storage.engine.dispose()
    return directory


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    return _make_run


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run that every test may read and none may change."""
    return _make_run(tmp_path_factory.mktemp("master") / "run")


# --- a fidelity run ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a real run of two seeds that every test may read and none may change."""
    directory = tmp_path_factory.mktemp("fidelity") / "imagenet-digits-smoke"
    names = ("resnet18", "resnet34", "wrn18_1.5", "resnext50_32x4d")
    networks = tuple(each for each in ranking_set("imagenet") if each.name in names)
    list(run_fidelity(networks, RECIPES["smoke"], load_data("digits", 8), (0, 1), "cpu", directory))
    return directory


@pytest.fixture(scope="session")
def fidelity(measured: Path) -> Fidelity:
    return report(measured)
