"""Networks measured on a Ray cluster: real processes, killed workers, machines that go away, wrong addresses."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from search.records import Job, Lost
from search.workers import ray_connection
from search.workers.ray_executor import OnRay
from space import Config
from tests import tasks
from tests.tasks import Task, answer, ask, meet

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'archfrontier[ray]'")
from ray import cloudpickle  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

STORE = 100 * 2**20  # bytes, the least that is sensible
cloudpickle.register_pickle_by_value(tasks)  # workers cannot import the tests


@pytest.fixture
def config(tiny_configs: dict[str, Config]) -> Config:
    return tiny_configs["basic"]


# --- mistakes ----------------------------------------------------------------------------------------------------
# Before any Ray is there: one that other tests have started would be joined.


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of something that listens but is no Ray."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_an_address_that_leads_nowhere(silent: str, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr(ray_connection, "JOINED_IN", 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
    expected = "expected an address as 'ray start --head' prints it"
    for address, said in {
        "6379": "Ray address '6379'",
        "host:port": "Ray address 'host:port'",
        "nowhere.invalid:6379": "no Ray answers at nowhere.invalid:6379 (",
        closed: f"no Ray answers at {closed} (Connection refused)",
        silent: f"the Ray at {silent} cannot be joined (silent for 2 s)",
    }.items():
        with pytest.raises(ValueError) as caught:
            OnRay(Task(), workers=2, address=address)
        sentence = str(caught.value)
        assert sentence.startswith(said) and expected in sentence and "\n" not in sentence
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"workers": 0}, "0 workers: expected 1 or more"),
        ({"gpu_fraction": 0.0}, "GPU fraction 0: expected more than 0 and at most 1"),
        ({"workers": 2, "gpu_fraction": 2.0}, "GPU fraction 2: expected more than 0 and at most 1"),
    ],
)
def test_numbers_that_make_no_sense(numbers: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        OnRay(Task(), address="127.0.0.1:6379", **numbers)
    assert not ray.is_initialized()


# --- a cluster ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A node on this machine; tests add others."""
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2, "object_store_memory": STORE, "include_dashboard": False}
    )
    yield nodes
    nodes.shutdown()


@contextmanager
def joined(cluster: Cluster, **more: Any) -> Iterator[OnRay]:
    executor = OnRay(Task(), address=cluster.address, **more)
    try:
        yield executor
    finally:
        executor.close()


@pytest.fixture(scope="module")
def two(cluster: Cluster) -> Iterator[OnRay]:
    before = signal.getsignal(signal.SIGTERM)
    with joined(cluster) as executor:
        assert signal.getsignal(signal.SIGTERM) is before
        yield executor
    assert not ray.is_initialized()


def test_auto_is_all_that_the_cluster_has(two: OnRay) -> None:
    assert two.slots == 2


def test_two_workers_measure_at_the_same_time(two: OnRay, config: Config, tmp_path: Path) -> None:
    assert len(meet(two, config, tmp_path / "here").keys() - {os.getpid()}) == 2


def test_the_evaluation_is_loaded_once_a_process(two: OnRay, config: Config) -> None:
    told = ask(two, config, *[("tell",)] * 20)
    assert sorted(told) == list(range(20))
    assert {each["loads"] for each in told.values()} == {1}
    assert len({each["pid"] for each in told.values()}) <= 2


def test_what_the_evaluation_raises_reaches_the_owner_and_the_worker_goes_on(
    two: OnRay, config: Config, tmp_path: Path
) -> None:
    before = meet(two, config, tmp_path / "before")
    two.submit(Job(1, config, ("raise",)))  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="of the evaluation") as caught:
        two.next()
    assert type(caught.value) is LookupError
    [note] = caught.value.__notes__
    assert "in __call__" in note and "\x1b" not in note
    assert meet(two, config, tmp_path / "after") == before


def test_a_worker_that_dies_loses_its_network_only(two: OnRay, config: Config) -> None:
    told = ask(two, config, ("killed",), ("exit",), *[("sleep", 0.1)] * 4)
    host = socket.gethostname()
    for key in (0, 1):
        assert told[key] == Lost(f"its worker on {host} died: it was killed, or it crashed")
    assert [told[key]["family"] for key in range(2, 6)] == [config.family] * 4


def test_to_wait_for_nothing_is_a_mistake_of_the_program(two: OnRay) -> None:
    with pytest.raises(RuntimeError, match="no job is out"):
        two.next()


# --- machines that come and go -----------------------------------------------------------------------------------


@pytest.fixture
def left(two: OnRay) -> None:
    two.close()  # one Ray a program


@pytest.mark.slow
@pytest.mark.skip(reason="on this project's two cores it stood still in two of two lanes: to be mended")
def test_a_machine_that_is_lost_costs_its_networks_a_retry(left: None, cluster: Cluster, config: Config) -> None:
    lost = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    with joined(cluster, workers=3) as executor:
        before = ask(executor, config, *[("sleep", 1)] * 3)
        assert len({each["pid"] for each in before.values()}) == 3
        for key in range(3):
            executor.submit(Job(key, config, ("sleep", 3)))  # type: ignore[arg-type]
        time.sleep(0.5)
        cluster.remove_node(lost, allow_graceful=False)
        results = dict(answer(executor) for _ in range(3))
        [(key, result)] = [(key, result) for key, result in results.items() if isinstance(result, Lost)]
        reason = "is not reached any more: it died, or its machine did"
        assert result == Lost(f"its worker on {socket.gethostname()} {reason}")
        executor.submit(Job(key, config))
        again, told = answer(executor)
    assert again == key
    assert told["pid"] in {each["pid"] for number, each in results.items() if number != key}


@pytest.mark.slow
def test_workers_share_gpus_and_more_than_fit_are_refused(
    left: None, cluster: Cluster, config: Config, tmp_path: Path
) -> None:
    node = cluster.add_node(num_cpus=0, num_gpus=2, object_store_memory=STORE)
    sentence = r"3 workers with 1 of a GPU each: this Ray has 2 GPUs, enough for 2; type --workers 2$"
    with pytest.raises(ValueError, match=sentence), joined(cluster, workers=3, device="cuda"):
        pass
    sentence = r"9 workers: this Ray has (\d) CPUs?, enough for \1; type --workers \1$"
    with pytest.raises(ValueError, match=sentence), joined(cluster, workers=9):
        pass
    assert not ray.is_initialized()
    with joined(cluster, workers=2, device="cuda") as executor:
        places = [meet(executor, config, tmp_path / name) for name in ("first", "second", "third")]
    assert sorted(map(str, places[0].values())) == ["0", "1"]
    assert places[0] == places[1] == places[2]  # a process keeps its GPU
    cluster.remove_node(node)


def test_how_many_workers_fit_on_gpus() -> None:
    nodes = [{"Alive": True, "Resources": {"GPU": 2.0}}, {"Alive": True, "Resources": {"CPU": 8.0}}]
    nodes.append({"Alive": False, "Resources": {"GPU": 8.0}})
    for fraction, fits in ((1.0, 2), (0.5, 4), (0.34, 4), (1 / 3, 6), (0.6, 2)):
        assert ray_connection.fitting(nodes, None, fraction) == ray_connection.fitting(nodes, fits, fraction) == fits
        with pytest.raises(ValueError, match=f"enough for {fits}; type --workers {fits}$"):
            ray_connection.fitting(nodes, fits + 1, fraction)
    with pytest.raises(ValueError, match="1 worker with 1 of a GPU each: this Ray has 0 GPUs"):
        ray_connection.fitting([], None, 1.0)
