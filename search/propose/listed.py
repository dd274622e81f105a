"""`Listed`: the networks of a sweep, one after the other, in a sampler's place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from evaluate.training.recipe import Recipe
from search.records import Ask, Outcome
from search.run.settings import Settings
from space import cost
from space.solving.axes import Proposal
from space.solving.vary import Setting

SETTING = ("setting", "input_size", "resolution")  # attributes of a trial of a sweep, and of its repeats


def resolution_of(setting: Setting, settings: Settings, recipe: Recipe) -> int:
    """Pixels of the images that a network of a sweep is trained on: they go with its input size."""
    return max(4, round(recipe.resolution * setting.input_size / settings.input_size))


def attributes_of(setting: Setting, settings: Settings, classes: int) -> dict[str, Any]:
    """What the storage keeps of a network of a sweep, beside what it keeps of every network."""
    recipe = Recipe.from_json(settings.recipe)
    pixels = resolution_of(setting, settings, recipe)
    reference = replace(settings.reference, input_size=setting.input_size)
    proxy = cost(replace(recipe, resolution=pixels).proxy(setting.config, classes, reference), pixels, classes)
    words = {"name": setting.name, "values": dict(setting.values), "solved": setting.solved, "proxy_macs": proxy.macs}
    attributes: dict[str, Any] = {"setting": words}
    if setting.input_size != settings.input_size:
        attributes |= {"input_size": setting.input_size, "resolution": pixels}
    return attributes


class Listed:
    """The networks of a sweep one after the other, with `Proposer`'s three methods."""

    def __init__(self, settings: Settings, done: Iterable[dict[str, Any]], classes: int) -> None:
        """Begin, or go on.

        Args:
            settings: of the run; its recipe's resolution goes with a network's input size.
            done: the attribute `setting` of the networks that are finished.
            classes: of the images that proxies are trained on.
        """
        known = [each["name"] for each in done]
        self._left = [each for each in settings.listed if each.name not in known]
        self._settings, self._classes = settings, classes
        self._asked = 0

    def ask(self) -> Ask:
        """The next network."""
        setting = self._left.pop(0)
        self._asked += 1
        attributes = attributes_of(setting, self._settings, self._classes)
        proposal = Proposal(setting.config, setting.target_macs)
        return Ask(self._asked, setting.config.family, {}, proposal, "sweep", attributes)

    def tell(
        self, key: int, state: str, objectives: Sequence[float] | None = None, violation: float | None = None
    ) -> None:
        """What came out changes nothing."""

    def relearn(self, known: Iterable[Outcome]) -> None:
        """Nor does what they are worth by now."""

    def learn(self, outcome: Outcome) -> None:
        """Nor does what others gave."""
