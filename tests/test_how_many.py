"""`--workers auto`: as many as there are cores and memory for, never more than networks, one where time is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluate.images.load import load_data
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from search.__main__ import main
from search.run.settings import Settings
from search.workers import how_many
from search.workers.how_many import PROCESS, free_memory, needed, workers_for
from space import landmark

SMOKE = RECIPES["smoke"]


def settings(**more: object) -> Settings:
    values: dict[str, object] = {
        "name": "run", "budget_macs": 4_100_000_000, "mode": "frontier", "families": ("resnet",), "data": "digits",
        "recipe": SMOKE.to_json(), "input_size": 224, "classes": 1000, "sampler": "random", "seed": 0,
        "landmarks": ("resnet50",),
    }  # fmt: skip
    return Settings(**values | more)  # type: ignore[arg-type]


def auto(chosen: Settings, networks: int = 100) -> int:
    return workers_for(chosen, SMOKE, "cpu", 1.0, networks)


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large machine."""
    monkeypatch.setattr("joblib.cpu_count", lambda only_physical_cores: 64)
    monkeypatch.setattr(how_many, "free_memory", lambda: 2**40)


def test_one_a_core_but_no_more_than_networks(cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert auto(settings()) == 64
    assert auto(settings(), 5) == 5
    assert auto(settings(), 0) == 1
    monkeypatch.setattr(how_many, "free_memory", lambda: None)  # no Linux
    assert auto(settings()) == 64


def test_where_time_is_measured_nothing_else_runs(cores: None) -> None:
    timing = {"batch": 1, "device": "cpu (x)", "dtype": "float32", "threads": 1}
    assert auto(settings(timing=timing, objective="latency")) == 1


def test_as_many_as_memory_holds(cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    one = needed(settings(), SMOKE, "cpu")
    assert one > PROCESS
    assert needed(settings(), replace(SMOKE, batch_size=2 * SMOKE.batch_size), "cpu") - PROCESS == 2 * (one - PROCESS)
    for free, fits in ((one / 2, 1), (3.5 * one / 0.9, 3), (8.5 * one / 0.9, 8)):
        monkeypatch.setattr(how_many, "free_memory", lambda free=free: int(free))
        assert auto(settings()) == fits


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(how_many, "CGROUP", tmp_path)
    whole = free_memory()
    for name, text in {
        "max": "300000000\n",
        "current": "200000000\n",
        "stat": "anon 1\ninactive_file 50000000\n",
    }.items():
        (tmp_path / f"memory.{name}").write_text(text)
    assert free_memory() == 150_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert whole is None or free_memory() is not None
    (tmp_path / "memory.max").write_text("nonsense\n")
    assert (free_memory() is None) == (whole is None)


@pytest.mark.slow
def test_what_training_takes_is_less_than_what_is_reckoned_with() -> None:
    recipe = replace(RECIPES["cpu"], epochs=1, train_images=128)
    data = load_data("digits", recipe.resolution, 0, 128)
    for name in ("resnet50", "densenet201"):
        chosen = settings(landmarks=(name,), recipe=recipe.to_json())
        score = train_proxy(landmark(name), recipe, data, device="cpu", reference=chosen.reference)
        assert score.peak_memory is None or score.peak_memory < needed(chosen, recipe, "cpu")


@pytest.mark.parametrize("word", ["two", "1.5", ""])
def test_a_number_or_auto(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--budget", "1G", "--workers", word])
    assert stop.value.code == 2
    assert f"{word!r}: expected how many networks to train at once, such as 2, or auto" in capsys.readouterr().err
