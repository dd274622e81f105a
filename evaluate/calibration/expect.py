"""What networks are expected to reach at a target with published errors, without any training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from evaluate.calibration.covariance import PRIORS
from evaluate.calibration.evidence import evidence
from evaluate.calibration.model import Calibration, Forecast, Trained
from evaluate.calibration.truth import SETS, TARGETS, Published, published
from space import Config


def target_set(input_size: int, classes: int) -> str:
    """``imagenet`` or ``cifar``: whose published errors are of this target.

    Raises:
        ValueError: for a target that no published error is of.
    """
    for name in SETS:
        if (input_size, classes) in TARGETS[name]:
            return name
    raise ValueError(
        f"there is no published truth for {input_size}x{input_size} and {classes} classes: expected --input 224 "
        "--classes 1000 (ImageNet), or --input 32 --classes 10 or 100 (CIFAR)"
    )


def expect(configs: Sequence[Config], input_size: int = 224, classes: int = 1000) -> Forecast:
    """The errors that networks are expected to reach if they were trained as the published ones were.

    Args:
        configs: the networks.
        input_size: height and width of the images.
        classes: outputs of their heads.

    Raises:
        ValueError: for a target without published errors, or an input that is too small for a network.
    """
    model = published_calibration(target_set(input_size, classes))
    return model.predict([evidence(config, input_size, classes) for config in configs], str(classes))


@cache
def published_calibration(set_name: str) -> Calibration:
    """The model, fitted to all published errors of a set."""
    return Calibration.fit(trained_of(published(set_name)), PRIORS[set_name])


def trained_of(rows: Sequence[Published]) -> list[Trained]:
    """Published figures as the model takes them; a task is its number of classes."""
    return [
        Trained(evidence(row.config, row.input_size, row.classes), row.error, row.recipe, str(row.classes))
        for row in rows
    ]
