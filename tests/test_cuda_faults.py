"""What CUDA says when it fails, and what becomes of a network then: no GPU is needed to test it."""

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluate.fidelity import run as fidelity_run
from evaluate.fidelity.ranking_sets import ranking_set
from evaluate.images.load import ImageData, load_data
from evaluate.measures import latency
from evaluate.training import device, proxy
from evaluate.training.device import DeviceLostError, is_device_lost
from evaluate.training.memory import is_out_of_memory
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.trainer import Trainer
from search.records import Evaluation, Job
from search.workers.evaluation import Evaluator
from search.workers.executor import InProcess
from space import landmark

SMOKE = RECIPES["smoke"]
NO_MEMORY = [
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.10 GiB",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "FIND was unable to find an engine to execute this computation",
    "GET was unable to find an engine to execute this computation",
]  # fmt: skip
LOST = [
    "CUDA error: an illegal memory access was encountered", "CUDA error: unspecified launch failure",
    "CUDA error: device-side assert triggered", "CUDA error: uncorrectable ECC error encountered",
    "CUDA error: misaligned address",
]  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


def error(words: str) -> RuntimeError:
    kind = torch.OutOfMemoryError if words.startswith("CUDA out") else getattr(torch, "AcceleratorError", RuntimeError)
    try:
        return kind(words)
    except TypeError:  # made by torch alone, with a code
        return RuntimeError(words)


@pytest.mark.parametrize("words", NO_MEMORY)
def test_every_way_to_say_that_memory_is_short_halves_the_batch(
    words: str, digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_out_of_memory(error(words)) and not is_device_lost(error(words))
    step, at_once = Trainer._step, []

    def failing(self: Trainer) -> None:
        at_once.append(self.micro_batch)
        if self.micro_batch > 32:
            raise error(words)
        step(self)

    monkeypatch.setattr(Trainer, "_step", failing)
    score = train_proxy(landmark("resnet18"), SMOKE, digits, device="cpu")
    assert (score.state, score.micro_batch) == ("complete", 32)
    assert sorted(set(at_once)) == [32, 64]


@pytest.mark.parametrize("words", [*LOST, "CUDA error: no kernel image is available for execution", "size mismatch"])
def test_other_errors_are_not_taken_for_a_lack_of_memory(words: str) -> None:
    assert not is_out_of_memory(error(words))
    assert is_device_lost(error(words)) == (words in LOST)
    assert not is_out_of_memory(ValueError("bad_alloc"))


@pytest.mark.parametrize("words", LOST)
def test_a_network_of_a_broken_process_is_not_failed_but_given_back(
    words: str, digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Trainer) -> None:
        raise error(words)

    monkeypatch.setattr(Trainer, "_step", failing)
    with pytest.raises(DeviceLostError, match=words):
        train_proxy(landmark("resnet18"), SMOKE, digits, device="cpu")


def test_an_evaluator_passes_it_on_and_one_process_alone_says_what_to_type() -> None:
    class Failing(Evaluator):
        def _measure(self, job: Job) -> Evaluation:
            raise RuntimeError(LOST[0])

    evaluate = Failing(None, None, None, "cuda")  # type: ignore[arg-type]
    job = Job(1, landmark("resnet18"))
    with pytest.raises(DeviceLostError) as raised:
        evaluate(job)
    assert str(pickle.loads(pickle.dumps(raised.value))) == LOST[0], "it comes from another process"
    alone = InProcess(evaluate)
    alone.submit(job)
    with pytest.raises(ValueError, match=r"the CUDA device has failed .*: repeat the command to go on"):
        alone.next()


def test_the_peak_is_measured_before_the_memory_of_a_training(
    digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    memory, limit = proxy.PeakMemory, proxy.peak_flops

    def peak(*arguments: Any) -> float:
        happened.append("peak")
        return limit(*arguments)

    def held(*arguments: Any) -> Any:
        happened.append("memory")
        return memory(*arguments)

    monkeypatch.setattr(proxy, "peak_flops", peak)
    monkeypatch.setattr(proxy, "PeakMemory", held)
    train_proxy(landmark("resnet18"), dataclasses.replace(SMOKE, epochs=1), digits, device="cpu")
    assert happened == ["peak", "memory"]


def test_without_room_to_measure_the_peak_a_score_has_no_share_of_it(
    digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> float:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(proxy, "peak_flops", full)
    score = train_proxy(landmark("resnet18"), dataclasses.replace(SMOKE, epochs=1), digits, device="cpu")
    assert score.state == "complete" and score.peak_share is None and score.flops_per_second


def test_the_peak_of_float32_is_that_of_convolutions() -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    with device.tensor_float():
        assert torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32 == before


@pytest.mark.parametrize(("hardware", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_latency_is_timed_in_what_training_uses(hardware: bool, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "computes_bf16", lambda place: hardware)
    assert latency.usual_dtype("cuda") == dtype and latency.usual_dtype("cpu") == "float32"


def test_a_fidelity_run_is_of_one_kind_of_gpu(
    digits: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = tuple(each for each in ranking_set("imagenet") if each.name in ("resnet18", "resnet34"))
    complete = train_proxy(landmark("resnet18"), dataclasses.replace(SMOKE, epochs=1), digits, device="cpu")
    monkeypatch.setattr(fidelity_run, "resolve_device", str)
    monkeypatch.setattr(ImageData, "to", lambda self, place: self)

    def on(card: str) -> list[Any]:
        monkeypatch.setattr(fidelity_run, "device_name", lambda place: f"cuda ({card})")
        events = fidelity_run.run_fidelity(
            networks, SMOKE, digits, (0,), "cuda", tmp_path, False, score=lambda *_, **__: complete
        )
        return list(events)

    assert not any(event.before for event in on("NVIDIA H100"))
    assert all(event.before for event in on("NVIDIA H100"))
    with pytest.raises(ValueError, match="scores of another setting"):
        on("NVIDIA H200")
