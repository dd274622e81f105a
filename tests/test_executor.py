"""Networks measured in this process, and what the executors have in common."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from search.records import Evaluation, Job
from search.workers.executor import Executor, InProcess
from space import Config

ROOT = Path(__file__).resolve().parent.parent


def jobs(config: Config, count: int) -> list[Job]:
    return [Job(key, config) for key in range(count)]


def test_the_oldest_job_runs_when_its_result_is_asked_for(tiny_configs: dict[str, Config]) -> None:
    measured: list[Config] = []

    def evaluate(job: Job) -> Evaluation:
        measured.append(job.config)
        return Evaluation(reason=job.config.family)

    executor: Executor = InProcess(evaluate)
    configs = [tiny_configs[name] for name in ("basic", "dense", "grouped")]
    for key, config in enumerate(configs):
        executor.submit(Job(key, config))
    assert executor.slots == 1
    assert measured == []
    results = [executor.next() for _ in configs]
    assert measured == configs
    assert results == [(key, Evaluation(reason=config.family)) for key, config in enumerate(configs)]


def test_the_whole_job_is_passed_on(tiny_configs: dict[str, Config]) -> None:
    table: Any = object()
    seen: list[Job] = []
    executor = InProcess(lambda job: seen.append(job) or Evaluation())
    jobs = [Job(1, tiny_configs["basic"], table), Job(2, tiny_configs["basic"], seed=3)]
    for job in jobs:
        executor.submit(job)
        executor.next()
    assert seen == jobs


def test_what_the_evaluation_raises_reaches_the_owner(tiny_configs: dict[str, Config]) -> None:
    def evaluate(job: Job) -> Evaluation:
        raise KeyError(job.config.family)

    executor = InProcess(evaluate)
    for job in jobs(tiny_configs["basic"], 2):
        executor.submit(job)
    for _ in range(2):  # the second is still there after the first
        with pytest.raises(KeyError, match="resnet"):
            executor.next()


@pytest.mark.parametrize("waiting", [0, 2])
def test_to_wait_for_nothing_is_a_mistake_of_the_program(waiting: int, tiny_configs: dict[str, Config]) -> None:
    executor = InProcess(lambda job: Evaluation())
    for job in jobs(tiny_configs["basic"], waiting):
        executor.submit(job)
    executor.close()
    with pytest.raises(RuntimeError, match="no job is out"):
        executor.next()


def test_without_ray_it_says_what_to_type() -> None:
    code = (
        "from search.workers.ray_executor import OnRay\n"
        "try:\n"
        "    OnRay(len, address='auto')\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    python = [sys.executable, "-S", "-c", code]  # -S: no installed package is found
    done = subprocess.run(python, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "--ray-address needs Ray: type pip install 'archfrontier[ray]'\n", done.stderr
