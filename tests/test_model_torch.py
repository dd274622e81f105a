"""Networks under torch's machinery: compiled, exported, traced, channels last, mixed precision, distributed."""

import copy
import pickle

import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from space import build

KINDS = ("option A", "grouped", "pre-activation, imagenet", "dense imagenet", "regnety")


@pytest.fixture(params=KINDS)
def network(request, tiny_configs):
    torch.manual_seed(0)
    return build(tiny_configs[request.param], 7, 24).eval()


@pytest.fixture
def maps(tiny_configs):
    torch.manual_seed(0)
    return build(tiny_configs["dense imagenet"], features_only=True, out_indices=(0, 2)).eval()


@pytest.fixture
def image():
    return torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(1))


def close(found, expected):
    """Equal but for the order of additions."""
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_compiles_as_one_graph(network, image):
    torch._dynamo.reset()
    close(torch.compile(network, backend="eager", fullgraph=True)(image), network(image))


@pytest.mark.parametrize("kind", ["basic", "dense"])
def test_trains_compiled(tiny_configs, image, kind):
    torch._dynamo.reset()
    plain = build(tiny_configs[kind], 7, 24)
    compiled = copy.deepcopy(plain)
    for model in (plain, torch.compile(compiled, backend="aot_eager", fullgraph=True)):
        torch.nn.functional.cross_entropy(model(image), torch.tensor([1, 5])).backward()
    for (name, expected), found in zip(plain.named_parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-3, atol=1e-5, msg=name)
    for expected, found in zip(plain.buffers(), compiled.buffers(), strict=True):
        close(found, expected)


def test_exports_for_any_batch_and_size(network, image):
    free = torch.export.Dim.DYNAMIC
    program = torch.export.export(network, (image,), dynamic_shapes=({0: free, 2: free, 3: free},))
    assert set(program.state_dict) == set(network.state_dict())
    for other in (image, torch.randn(5, 3, 32, 48)):
        close(program.module()(other), network(other))


def test_maps_compile_and_export(maps, image):
    torch._dynamo.reset()
    expected = maps(image)
    close(torch.compile(maps, backend="eager", fullgraph=True)(image), expected)
    close(torch.export.export(maps, (image,)).module()(image), expected)


def test_torch_fx_traces(network, image):
    traced = torch.fx.symbolic_trace(network)
    assert torch.equal(traced(image), network(image))
    assert set(traced.state_dict()) == set(network.state_dict())


def test_channels_last(network, maps, image):
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    close(last(image.to(memory_format=torch.channels_last)), network(image))
    found = maps.to(memory_format=torch.channels_last)(image.to(memory_format=torch.channels_last))
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in found)


def test_autocast(network, image):
    network.train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(image)
        loss = torch.nn.functional.cross_entropy(logits.float(), torch.tensor([1, 5]))
    loss.backward()
    assert logits.dtype == torch.bfloat16
    for name, parameter in network.named_parameters():
        assert parameter.grad.dtype == torch.float32, name
        assert torch.isfinite(parameter.grad).all(), name


def test_half_precision_of_the_whole_network(network, image):
    expected = network(image)
    found = network.to(torch.bfloat16)(image.to(torch.bfloat16))
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).abs().max() < 0.05 * expected.abs().max()


def test_maps_and_networks_without_a_head_are_copied_and_pickled(tiny_configs, maps, image):
    headless = build(tiny_configs["dense BC"], 7, 24).eval()
    headless.reset_classifier(0)
    for model in (maps, headless):
        for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            torch.testing.assert_close(copied(image), model(image), rtol=0, atol=0)
            assert copied.feature_info == model.feature_info
            state = {name.replace("norm1", "norm.1"): value for name, value in model.state_dict().items()}
            copied.load_state_dict(state)  # copies read torchvision's old names too


def test_a_whole_network_saved_and_loaded(network, image, tmp_path):
    torch.save(network, tmp_path / "network.pt")
    loaded = torch.load(tmp_path / "network.pt", weights_only=False)
    assert torch.equal(loaded(image), network(image))


@pytest.fixture
def group():
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_distributed_training(group, network, maps, image):
    """Two steps: the second fails if a parameter had no gradient in the first."""
    alone = copy.deepcopy(network).train()
    network.train()
    together = DistributedDataParallel(network)
    for _ in range(2):
        for model in (alone, together):
            model(image).square().sum().backward()
    for expected, found in zip(alone.parameters(), network.parameters(), strict=True):
        assert torch.equal(expected.grad, found.grad)
    spread = DistributedDataParallel(maps.train())
    for _ in range(2):
        sum(each.square().sum() for each in spread(image)).backward()
    assert all(parameter.grad is not None for parameter in maps.parameters())
