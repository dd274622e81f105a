"""The tables of the papers, computed from the configurations and set beside what is printed there.

Each function of `TABLES` gives a `Sheet`: counts are exact (`space.cost`), printed ones come from
`space.papers.printed_costs`,
errors from `space.landmarks.figures`; where the two differ the reason is computed, or said to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from space.landmarks.figures import DENSENET_RELEASE, FB_RESNET
from space.landmarks.networks import ILSVRC_ENTRIES, LANDMARKS, Landmark
from space.networks.families import family_of
from space.networks.layers import Conv, Linear
from space.papers.outline import depth
from space.papers.printed_costs import PRINTED, agrees
from space.papers.resnet import DEEP, resnet
from space.papers.rows import (
    DIFFERENCE,
    LAYERS,
    MACS,
    NETWORK,
    PARAMS,
    PRINTED_MACS,
    PRINTED_PARAMS,
    SETTING,
    TOP1,
    TOP5,
    WHY,
    G,
    M,
    architecture,
    row,
    sources,
)  # fmt: skip
from space.shell.tables import Column, Row, Sheet, Table

DENSENETS = ("densenet121", "densenet169", "densenet201", "densenet264")
WEIGHTS = Column("weights", "weights alone", ".3f", M)


def resnext() -> Sheet:
    """ResNeXt-50 beside ResNet-50, and cardinality at preserved complexity: arXiv:1611.05431, Tables 1 and 3."""
    pair = ("resnext50_1x64d", "resnext50_32x4d")
    names = tuple(name for name in PRINTED if name.startswith("resnext"))
    table3 = [row(name) | {"top1_error": LANDMARKS[name].published.top1_error, "inner": _inner(name)} for name in names]
    return Sheet(
        "ResNeXt on ImageNet: Tables 1 and 3 of arXiv:1611.05431, computed from the configurations",
        (
            architecture(pair),
            Table(
                "Cost beside what the paper prints",
                (NETWORK, PARAMS, WEIGHTS, PRINTED_PARAMS, MACS, PRINTED_MACS, DIFFERENCE, WHY),
                tuple(_weighed(name) for name in pair),
            ),
            Table(
                "Cardinality at preserved complexity: what the paper calls 4.1 and 7.8 (1e9)",
                (NETWORK, Column("inner", "inner width", "d"), PARAMS, MACS, PRINTED_MACS, DIFFERENCE, TOP1),
                tuple(table3),
            ),
        ),
        (
            "Table 3 prints one complexity for all cardinalities of a depth. Channels a group are whole numbers, so it "
            f"is only nearly preserved: {_extreme(table3)}.",
        ),
        sources(names, errors=True),
    )


def densenet() -> Sheet:
    """DenseNet-121 to -264: arXiv:1608.06993, Table 1, and parameters against error beside ResNets."""
    rows = [_dense_row(name) for name in DENSENETS]
    resnets = [LANDMARKS[name] for name in ("resnet18", "resnet34", *DEEP)]
    pairs = [_beside(LANDMARKS[name], resnets) for name in DENSENETS]
    return Sheet(
        "DenseNet on ImageNet: Table 1 of arXiv:1608.06993, computed from the configurations",
        (
            architecture(DENSENETS),
            Table(
                "Cost beside printed counts, and the paper's errors",
                (NETWORK, LAYERS, Column("growth_rate", "growth rate", "d"), PARAMS, PRINTED_PARAMS, MACS,
                 PRINTED_MACS, DIFFERENCE, TOP1, TOP5, Column("ten_crop", "10-crop top-1 %", ".2f")),
                tuple(rows),
            ),
            Table(
                "Parameters against error: each beside the ResNet nearest in top-1 error, one crop",
                (NETWORK, PARAMS, MACS, TOP1, Column("compared", "ResNet"),
                 Column("compared_params", "its params", ".3f", M),
                 Column("compared_macs", "its GFLOPs", ".3f", G), Column("compared_error", "its top-1 %", ".2f"),
                 Column("params_share", "params of its", ".0%"), Column("macs_share", "GFLOPs of its", ".0%")),
                tuple(pairs),
            ),
        ),
        (
            "The paper draws parameters and FLOPs (Fig. 3) and prints one number of them, 20 M for DenseNet-201; the "
            "printed counts are torchvision's, which has no DenseNet-264. By the paper's own blocks DenseNet-264 has "
            f"{rows[-1]['layers']} layers with weights; the other names count them rightly.",
            "The authors claim 'less than half the amount of parameters and roughly half the number of FLOPs' of "
            f"ResNets ({DENSENET_RELEASE}). Computed: "
            f"{_span(pairs, 'params_share')} of the parameters, {_span(pairs, 'macs_share')} of the FLOPs, at errors "
            f"that differ by {_span(pairs, 'apart', '{:.2f}')} points.",
        ),
        (*sources(DENSENETS, errors=True), f"errors of ResNets: {FB_RESNET}"),
    )  # fmt: skip


def ilsvrc() -> Sheet:
    """The winning teams of ILSVRC 2012 to 2015, the second of 2014, and single networks of these years."""
    singles = [LANDMARKS[name] for name in ("alexnet", "zfnet", "vgg16", "vgg19", "googlenet", "resnet152_v1")]
    year = Column("year", "year", "d")
    won = [each for each in ILSVRC_ENTRIES if each.place == 1]
    found = [each.source for each in ILSVRC_ENTRIES]
    found += [f"{each.label}: {each.published.source}" for each in singles]
    return Sheet(
        "ILSVRC 2012-2015: the classification task, who won it and with what",
        (
            Table(
                "Entries: top-5 error on the challenge's test set; params and GFLOPs of one network, at 224x224",
                (Column("team", "team"), year, Column("place", "place", "d"), TOP5,
                 Column("external_data", "external data"), NETWORK, LAYERS, PARAMS, MACS, SETTING),
                tuple(
                    {name: getattr(each, name) for name in ("team", "year", "place", "top5_error", "external_data",
                                                            "network", "layers", "setting")} | _counts(each.landmark)
                    for each in ILSVRC_ENTRIES
                ),
            ),
            Table(
                "Single networks of these years: errors on the validation set",
                (year, NETWORK, PARAMS, MACS, TOP1, TOP5, SETTING),
                tuple(
                    {"year": each.year, "network": each.label, "top1_error": each.published.top1_error,
                     "top5_error": each.published.top5_error, "setting": each.published.setting}
                    | _counts(each.name)
                    for each in singles
                ),
            ),
        ),
        (
            f"From {won[0].year} to {won[-1].year} the winner's error fell from {won[0].top5_error} to "
            f"{won[-1].top5_error} %. A team has one place: SuperVision and Clarifai won with external data, and each "
            "had an entry without. Clarifai's network is not published; ZFNet is of the same year. The two tables are "
            "not to be compared: ensembles on the test set there, single networks on the validation set here, each in "
            "its own setting.",
            f"What is counted: {'; '.join(f'{each.label}, {each.note}' for each in singles)}.",
        ),
        tuple(dict.fromkeys(found)),
    )  # fmt: skip


TABLES: dict[str, Callable[[], Sheet]] = {
    "resnet": resnet,
    "resnext": resnext,
    "densenet": densenet,
    "ilsvrc": ilsvrc,
}


def _inner(name: str) -> int:
    config = LANDMARKS[name].network()
    traits = family_of(config).traits(config)
    return int(traits["cardinality"] * traits["base_width"])


def _weighed(name: str) -> Row:
    """A row with the parameters that are weights of convolutions or of the classifier, and why counts differ."""
    found, printed = row(name), PRINTED[name][0]
    layers = LANDMARKS[name].network().layers()
    convs = sum(layer.weights(1) for layer in layers if isinstance(layer, Conv))
    weights = convs + sum(layer.macs(1) for layer in layers if isinstance(layer, Linear))
    assert printed.params is not None and printed.macs is not None
    reasons = ["GFLOPs: rounding" if agrees(found["macs"], printed.macs, G) else "GFLOPs: not explained"]
    if agrees(found["params"], printed.params, M):
        reasons.append("params: rounding")
    elif agrees(weights, printed.params, M):
        reasons.append(f"params: without {found['params'] - weights:,} of norms and bias, then rounding")
    else:
        reasons.append("params: not explained")
    return found | {"weights": weights, "why": "; ".join(reasons)}


def _extreme(rows: Sequence[Row]) -> str:
    most = max(rows, key=lambda each: abs(each["difference"]))
    return f"{most['network']} is the farthest off, {most['difference']:+.1%}"


def _dense_row(name: str) -> Row:
    known = LANDMARKS[name]
    config = known.network()
    return row(name) | {
        "layers": depth(config),
        "growth_rate": family_of(config).traits(config)["growth_rate"],
        "top1_error": known.published.top1_error,
        "top5_error": known.published.top5_error,
        "ten_crop": known.other[0].top1_error,
    }


def _beside(known: Landmark, resnets: Sequence[Landmark]) -> Row:
    """A network beside the one of these ResNets that is nearest in error."""

    def apart(other: Landmark) -> float:
        assert known.published.top1_error is not None and other.published.top1_error is not None
        return abs(known.published.top1_error - other.published.top1_error)

    nearest = min(resnets, key=apart)
    own, its = row(known.name), row(nearest.name)
    return own | {
        "top1_error": known.published.top1_error,
        "compared": nearest.label,
        "compared_params": its["params"],
        "compared_macs": its["macs"],
        "compared_error": nearest.published.top1_error,
        "params_share": own["params"] / its["params"],
        "macs_share": own["macs"] / its["macs"],
        "apart": apart(nearest),
    }


def _span(rows: Sequence[Row], key: str, form: str = "{:.0%}") -> str:
    values = [each[key] for each in rows]
    return f"{form.format(min(values))} to {form.format(max(values))}"


def _counts(name: str | None) -> Row:
    return {} if name is None else {"params": LANDMARKS[name].params, "macs": LANDMARKS[name].macs}
