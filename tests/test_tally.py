"""What a run has done, counted: networks, reasons, time left, which workers are busy."""

from typing import Any

import pytest

from search.run.counts import RECENT, Tally, Workers, short_reason
from space.shell.words import duration


def ended(state: str = "complete", seconds: float | None = 10.0, **more: Any) -> dict[str, Any]:
    return {"state": state, "seconds": seconds} | more


def test_counts_say_how_networks_ended() -> None:
    tally = Tally()
    assert tally.counts_text() == "0 trained"
    for _ in range(3):
        tally.add(ended())
    tally.add(ended("stopped", 4.0))
    for reason in ("diverged: in epoch 1 of 3", "diverged: in epoch 2 of 3", "out of memory on cpu, even with 8", None):
        tally.add(ended("failed", None, reason=reason))
    tally.add(ended("complete", 10.0, duplicate_of=1))
    assert tally.total == 9
    assert tally.counts_text() == (
        "4 trained, 1 stopped early, 4 failed (diverged 2, out of memory on cpu 1, no reason given 1), "
        "1 of them known already"
    )


def test_time_left_follows_the_last_networks() -> None:
    tally = Tally()
    assert tally.left(10, 2) is None
    tally.add(ended("failed", None, reason="lost"))
    assert tally.left(10, 2) is None, "a network of unknown time says nothing"
    tally.add(ended(seconds=30.0))
    assert tally.left(10, 2) == 150.0
    assert tally.left(1, 8) == 30.0, "one network has use for one worker"
    assert tally.left(0, 8) == 0.0
    tally.add(ended(seconds=99.0, duplicate_of=0))
    assert tally.left(10, 2) == 75.0, "what is known already takes no time"
    for _ in range(RECENT):
        tally.add(ended(seconds=2.0))
    assert tally.left(10, 1) == 20.0


def test_use_of_the_device() -> None:
    tally = Tally()
    assert tally.device_text() == ""
    for speed, share, memory in ((100.0, 0.1, 10**9), (300.0, 0.3, 2 * 10**9), (200.0, 0.2, None)):
        tally.add(ended(images_per_second=speed, peak_share=share, peak_memory=memory))
    tally.add(ended(images_per_second=9999.0, duplicate_of=0))
    assert tally.device_text() == "median 200 images/s, 20 % of the device's peak, at most 2.00 GB a network"


def event(name: str, key: int | None, elapsed: float, **more: Any) -> dict[str, Any]:
    return {"event": name, "key": key, "elapsed": elapsed} | more


def test_workers_take_networks_in_turn() -> None:
    workers = Workers(2)
    assert workers.busy(0.0) is None
    for key in (1, 2, 3):
        workers.read(event("start", key, 0.0))
    assert workers.running == {1: 0.0, 2: 0.0}
    workers.read(event("finish", 2, 4.0))
    assert workers.running == {1: 0.0, 3: 4.0}
    assert workers.busy(6.0) == 1.0
    workers.read(event("finish", 1, 6.0, seconds=5.0))  # its worker says so itself
    workers.read(event("finish", None, 6.5))  # known already, never sent out
    assert workers.busy(10.0) == pytest.approx((4 + 5 + 6) / 20)


def test_a_network_that_is_tried_again_waits_its_turn() -> None:
    workers = Workers(1)
    workers.read(event("start", 1, 0.0))
    workers.read(event("start", 2, 0.0))
    workers.read(event("retry", 1, 3.0))
    workers.read(event("start", 1, 3.0))
    assert workers.running == {2: 3.0}
    workers.read(event("finish", 1, 5.0, seconds=1.0))  # out of turn
    workers.read(event("finish", 2, 6.0))
    assert not workers.running
    assert workers.work == 3 + 1 + 3


def test_busy_is_a_share() -> None:
    workers = Workers(1)
    workers.read(event("start", 1, 0.0))
    workers.read(event("finish", 1, 1.0, seconds=1.5))  # clocks of two machines
    assert workers.busy(1.0) == 1.0


def test_reasons_without_their_details() -> None:
    assert short_reason("diverged: the loss is not finite") == "diverged"
    assert short_reason("out of memory on cuda, even with 8 images at once (CUDA ...)") == "out of memory on cuda"
    assert short_reason("lost with its worker 3 times: killed") == "lost with its worker 3 times"
    assert short_reason("RuntimeError: shape '[3, 4]'") == "RuntimeError"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.24, "0.2 s"),
        (12.4, "12 s"),
        (99, "99 s"),
        (120, "2 min"),
        (99 * 60, "99 min"),
        (7200, "2.0 h"),
        (3 * 86400, "3.0 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
