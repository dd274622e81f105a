"""Latency of inference: real measurements of tiny networks, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from evaluate.measures.latency import Latency, latency_text, measure_latency
from space import cost, landmark

QUICK: dict[str, Any] = {"device": "cpu", "seconds": 0.0, "min_runs": 4, "warmup": 0.0}


def tiny() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(True), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Sleeper(nn.Module):
    """Counts its calls and says what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[Any, ...]] = []

    def __deepcopy__(self, memo: Any) -> "Sleeper":
        return self  # so that the test sees the calls of what is timed

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append((tuple(x.shape), x.dtype, self.training, torch.is_inference_mode_enabled()))
        return x * self.scale


@pytest.mark.parametrize("batch", [1, 8])
def test_a_network_is_measured(batch: int) -> None:
    config = landmark("cifar_resnet20")
    one = measure_latency(config, classes=10, input_size=32, batch=batch, **QUICK)
    assert (one.batch, one.input_size, one.dtype, one.threads, one.runs) == (batch, 32, "float32", 1, 4)
    assert one.device.startswith("cpu (") and one.device.endswith(")") and len(one.device) > len("cpu ()")
    assert 0 < one.median_ms <= one.p90_ms
    assert one.images_per_second == pytest.approx(batch / (one.median_ms / 1000))


def test_times_are_of_inference_on_such_a_batch() -> None:
    model = Sleeper().train()
    one = measure_latency(model, input_size=5, batch=3, dtype="bfloat16", **QUICK)
    assert set(model.seen) == {((3, 3, 5, 5), torch.bfloat16, False, True)}
    assert len(model.seen) == 1 + 2 + one.runs  # a first one, a warm-up of two at least, those that count
    assert one.dtype == "bfloat16"


def test_more_seconds_are_more_runs() -> None:
    quick = measure_latency(tiny(), input_size=8, **QUICK)
    slow = measure_latency(tiny(), input_size=8, **(QUICK | {"seconds": 0.2}))
    assert quick.runs == 4 < slow.runs


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's account of a process's memory")
def test_peak_memory_holds_weights_and_activations() -> None:
    config = landmark("resnet18")
    small, large = (measure_latency(config, input_size=96, batch=batch, **QUICK) for batch in (1, 32))
    assert small.peak_memory is not None and large.peak_memory is not None
    # float32 weights, and some leeway: resident memory is inexact
    assert small.peak_memory > 0.7 * 4 * cost(config).params
    # The first convolution's maps alone, in and out of its norm, for 31 images more.
    assert large.peak_memory - small.peak_memory > 31 * 64 * 48 * 48 * 4


def test_the_caller_notices_nothing() -> None:
    model = tiny().train()
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    random = torch.random.get_rng_state()
    measure_latency(model, input_size=8, dtype="bfloat16", **QUICK)
    measure_latency(landmark("cifar_resnet20"), classes=10, input_size=8, **QUICK)
    assert torch.equal(torch.random.get_rng_state(), random)
    assert model.training and not torch.is_inference_mode_enabled()
    assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())
    assert all(parameter.dtype == torch.float32 and parameter.is_contiguous() for parameter in model.parameters())


@pytest.mark.parametrize(
    "change, message",
    [
        ({"network": landmark("densenet121"), "input_size": 8}, "input size 8 is too small for a DenseNet"),
        ({"input_size": 2}, "cannot read 1 x 3 x 2 x 2 images as float32: .*[Kk]ernel size"),
        (
            {"batch": 65_536, "input_size": 4096},
            "batch of 65536 images of 4096x4096 does not fit into the memory of cpu",
        ),
        ({"batch": 0}, "batch is 0: expected a whole number from 1"),
        ({"batch": True}, "batch is True"),
        ({"input_size": 2.5}, "input_size is 2.5"),
        ({"min_runs": 1}, "min_runs is 1: expected a whole number from 2"),
        ({"seconds": -1}, "seconds is -1"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"warmup": "long"}, "warmup is 'long'"),
        ({"dtype": "float8"}, "dtype 'float8': expected one of auto, float32"),
        ({"device": "tpu"}, "device 'tpu': expected one of auto, cpu, cuda"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure_latency(**({"network": tiny(), "input_size": 8} | QUICK | change))


def some(**changes: Any) -> Latency:
    fields = {
        "batch": 1,
        "input_size": 224,
        "device": "cpu (Some CPU)",
        "dtype": "float32",
        "threads": 2,
        "median_ms": 12.5,
        "p90_ms": 14.0,
        "runs": 80,
        "peak_memory": 3 * 2**20,
    }
    return Latency(**(fields | changes))


@pytest.mark.parametrize("one", [some(), some(threads=None, peak_memory=None, device="cuda (NVIDIA H200)")])
def test_json_round_trip(one: Latency) -> None:
    assert Latency.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_json_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown key 'ms' in a Latency"):
        Latency.from_json(some().to_json() | {"ms": 1})
    with pytest.raises(ValueError, match="missing key 'batch'"):
        Latency.from_json({})


def test_text_is_aligned_and_ends_with_the_conditions() -> None:
    lines = latency_text("resnet18", [some(), some(batch=64, median_ms=1500.0, peak_memory=None)]).splitlines()
    assert lines[0] == "resnet18 at 224x224: inference"
    assert lines[2].split() == ["batch", "median", "ms", "p90", "ms", "images/s", "peak", "MiB", "runs"]
    assert lines[3].split() == ["1", "12.500", "14.000", "80.0", "3.0", "80"]
    assert lines[4].split() == ["64", "1,500.000", "14.000", "42.7", "-", "80"]
    assert len({len(line) for line in lines[2:5]}) == 1
    assert lines[-1] == "on cpu (Some CPU), float32, 2 threads"
    one = latency_text("x", [some(threads=1)])
    assert one.endswith("float32, 1 thread")
    assert latency_text("x", [some(threads=None)]).endswith("float32")


@pytest.mark.parametrize("rows", [[], [some(), some(dtype="bfloat16")]])
def test_text_is_of_one_set_of_conditions(rows: list[Latency]) -> None:
    with pytest.raises(ValueError, match="of one device"):
        latency_text("x", rows)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_is_measured() -> None:
    config = landmark("resnet18")
    random = torch.cuda.get_rng_state()
    one, many = (measure_latency(config, batch=b, device="cuda", seconds=0.2, warmup=0.1) for b in (1, 32))
    assert torch.equal(torch.cuda.get_rng_state(), random)
    assert one.device.startswith("cuda (") and one.dtype == "bfloat16" and one.threads is None
    assert 0 < one.median_ms <= one.p90_ms and one.runs >= 10
    assert one.peak_memory is not None and many.peak_memory is not None
    assert 2 * cost(config).params <= one.peak_memory < many.peak_memory
    with pytest.raises(ValueError, match="does not fit into the memory of cuda"):
        measure_latency(config, batch=65_536, input_size=4096, device="cuda")
