"""`Reference`: whose proxy costs what a recipe says. Other networks' proxies cost as much more or less as they do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from space import Config, cost, landmark

# Of each kind of network, by its stem, where no budget is given: a published one and what it is counted at. ResNet-50
# is what the field compares with at 224x224; ResNet-110 lies in the middle of CIFAR's published networks, by cost.
USUAL = {"imagenet": ("resnet50", 224, 1000), "cifar": ("cifar_resnet110", 32, 10)}


@dataclass(frozen=True, slots=True)
class Reference:
    """What a recipe's `proxy_macs` is the proxy of: the whole budget of a search, or a published network."""

    macs: int  # multiply-adds
    input_size: int  # at which networks are counted, pixels
    classes: int

    def due(self, config: Config, proxy_macs: int) -> int:
        """The multiply-adds that the proxy of a network should have: never more than the network itself.

        Args:
            config: the network.
            proxy_macs: of the proxy of a network that costs as much as the reference.
        """
        macs = cost(config, self.input_size, self.classes).macs
        return max(1, round(macs * min(1.0, proxy_macs / self.macs)))


@lru_cache(maxsize=2)
def usual_reference(kind: str) -> Reference:
    """Where no budget is given: ResNet-50 at 224x224 (4.09 G), or CIFAR's ResNet-110 (253 M).

    Args:
        kind: of the network, imagenet or cifar: `Config.kind`.
    """
    name, size, classes = USUAL[kind]
    return Reference(cost(landmark(name), size, classes).macs, size, classes)
