"""Runs that earlier versions, or another Optuna, have left: they go on, or nothing of them is changed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from benchmarks.crash_checks import read_study
from evaluate.training.presets import RECIPES
from search.__main__ import main
from search.run.settings import Settings
from search.run.study import Search
from space import config_from_json, cost
from space.landmarks.networks import landmark

RECIPE = RECIPES["smoke"].to_json() | {"name": "tiny", "train_images": 128}
RUN = Path("runs/run")
FAMILIES = ["resnet", "wide_resnet", "resnext", "densenet"]
SAMPLE = {
    "family": "resnext", "stem": "imagenet", "stem_width": 8, "block": "bottleneck", "depths": [4, 15, 5, 1],
    "widths": [40, 72, 152, 280], "inner_widths": [32, 64, 96, 224], "groups": [32, 32, 32, 32], "stride_in": "3x3",
    "shortcut": "B", "preactivation": False,
}  # fmt: skip
PARAMS = {
    "family": ("resnext", CategoricalDistribution(FAMILIES)),
    "resnext.cardinality": (32, CategoricalDistribution([2, 4, 8, 16, 32, 64])),
    "resnext.widening": (3.195, FloatDistribution(1, 4, log=True)),
    "resnext.depth1": (4, IntDistribution(1, 8, log=True)),
    "resnext.depth2": (15, IntDistribution(1, 16, log=True)),
    "resnext.depth3": (5, IntDistribution(1, 40, log=True)),
    "resnext.depth4": (1, IntDistribution(1, 8, log=True)),
    "resnext.spend": (0.7525, FloatDistribution(0, 1)),
}
OLD = ["--budget", "0.4G", "--recipe", "tiny.json", "--name", "run", "--landmarks", "resnet18", "--plots", "none"]


@pytest.fixture
def old_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run as the version before wrote it: one parameter after the other, and then it was killed."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.json").write_text(json.dumps(RECIPE))
    RUN.mkdir(parents=True)
    settings = {
        "name": "run", "budget_macs": 400_000_000, "mode": "frontier", "families": FAMILIES, "data": "digits",
        "recipe": RECIPE, "input_size": 224, "classes": 1000, "sampler": "tpe", "seed": 0, "landmarks": ["resnet18"],
        "objective": "macs", "timing": None,
    }  # fmt: skip
    storage = optuna.storages.RDBStorage(f"sqlite:///{RUN / 'study.db'}")
    study = optuna.create_study(storage=storage, study_name="run", directions=["maximize", "minimize"])
    study.set_metric_names(["proxy top-1 (%)", "multiply-adds"])
    study.set_user_attr("settings", settings)
    study.set_user_attr("data_name", "digits")
    study.set_user_attr("fidelity", {"sentence": "fidelity unknown", "known": False})
    for config, attributes, params in (
        (landmark("resnet18").to_json(), {"kind": "landmark", "landmark": "resnet18"}, {}),
        (SAMPLE, {"kind": "sample", "target_macs": 226_264_105}, PARAMS),
    ):
        counted = cost(config_from_json(config))
        score = {
            "top1": 23.5, "loss": 2.06, "seconds": 4.4, "images_per_second": 1640.3, "state": "complete",
            "reason": None, "curve": [{"epoch": n, "train_loss": 2.1, "top1": 11.75 * n} for n in (1, 2)],
            "precision": "fp32", "engine": "eager", "micro_batch": 64, "peak_memory": 103_067_648,
            "flops_per_second": 5.4e9, "peak_share": 0.086,
        }  # fmt: skip
        attributes |= {
            "config": config, "config_id": config_from_json(config).id, "family": config["family"],
            "macs": counted.macs, "params": counted.params, "activations": counted.activations, "score": score,
        }  # fmt: skip
        study.add_trial(
            create_trial(
                values=[23.5, float(counted.macs)],
                params={name: value for name, (value, _) in params.items()},
                distributions={name: distribution for name, (_, distribution) in params.items()},
                user_attrs=attributes,
            )
        )
    trial = study.ask()
    for name, (value, distribution) in PARAMS.items():
        storage.set_trial_param(trial._trial_id, name, distribution.to_internal_repr(value), distribution)
    trial.set_user_attr("kind", "sample")
    storage.remove_session()
    storage.engine.dispose()
    return RUN


def test_a_run_that_an_older_version_was_killed_in_goes_on(old_run: Path) -> None:
    before = read_study(old_run).trials
    assert [trial.state for trial in before] == ["COMPLETE", "COMPLETE", "RUNNING"]
    assert main([*OLD, "--trials", "2"]) == 0
    after = read_study(old_run).trials
    assert after[:2] == before[:2]
    assert [trial.state for trial in after[2:]] == ["FAIL", "COMPLETE"]
    assert after[2].attributes == {"kind": "sample", "reason": "interrupted"}
    assert after[3].kind == "sample"
    stored = Settings.from_json(json.loads((RUN / "run.json").read_text())["settings"])
    with Search(old_run, stored) as search:
        assert (search.samples_left(2), search.landmarks_left()) == (0, [])
        learnt = [outcome.values for outcome in search.outcomes()]
        assert len(learnt) == 3
        assert learnt[1] == {name.partition(".")[2]: value for name, (value, _) in PARAMS.items() if "." in name}


@pytest.mark.parametrize(("schema", "advice"), [("v2.6.0.a", "storage upgrade"), ("v99.0.0.a", "updating optuna")])
def test_the_tables_of_another_optuna(
    old_run: Path, schema: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(old_run / "study.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))

    def content() -> list[str]:
        with closing(sqlite3.connect(old_run / "study.db")) as connection:
            return list(connection.iterdump())

    before = content()
    assert main([*OLD, "--trials", "2"]) == 2
    error = capsys.readouterr().err
    assert "study.db" in error
    assert advice in error
    assert len(error.splitlines()) == 1
    assert content() == before
