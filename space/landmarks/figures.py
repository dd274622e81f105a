"""Published errors of the landmarks, each with its setting and source: data, nothing else.

The first figure of a network is the one that plots and tables use; the others are kept because they are quoted
elsewhere and must not be mixed with it. The rules behind the choice:

* ImageNet: one crop of 224x224 from an image whose short side is 256, on the validation set, a single network
  trained with the recipe of its own time. Multi-crop, ensemble and second-hand figures are never first, and the
  modern recipes (torchvision's V2 weights, and its ResNeXt-101 64x4d) are left out.
* Where the paper gives ten crops alone (ResNet), the first figure is the one-crop test of the same architecture:
  the authors' released models for the paper's own nets (``*_v1``, stride in the 1x1), fb.resnet.torch for the
  nets with the stride in the 3x3.
* VGG and GoogLeNet: torchvision's V1 weights, because the papers give no one-crop top-1. The GoogLeNet there has
  batch normalisation, and the Inception-v3 paper's 29.0/9.2 is called one-crop though the GoogLeNet paper's own
  one-crop top-5 is 10.07 and its ten-crop 9.15.
* AlexNet and ZFNet: the papers' single network with ten crops, which is worth 1.4 to 2.2 points on ResNets;
  torchvision's AlexNet is another network (2014, no groups).
* RegNetX and RegNetY: the tables of pycls, the authors' code: means of five trainings of 100 epochs with a cosine
  schedule, a recipe of its own. Beside it stand the errors of the five's one that was released and torchvision's V1
  weights.
* CIFAR: `top1_error` is CIFAR-10 with flips and translations, no dropout. WRN-22-8 and WRN-16-10 are known from
  Table 4 alone, whose ZCA whitening is worse by 0.2 to 0.5 points than Table 5's preprocessing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A published error in percent, with the setting that it holds in."""

    top1_error: float | None  # on CIFAR-10 for CIFAR networks
    top5_error: float | None
    setting: str
    source: str
    year: int | None = None  # None where the source gives none (torchvision's weights)
    c100_error: float | None = None  # CIFAR-100, same setting


@dataclass(frozen=True)
class Entry:
    """One entry to the classification task of an ILSVRC."""

    team: str
    year: int
    place: int | None  # of the team, at the entry that won it; None for its entry without external data
    top5_error: float  # percent on the challenge's test set
    external_data: str
    network: str  # an ensemble of such networks; see the setting
    layers: int | None  # with weights, on the longest path; None where nothing is published
    setting: str
    source: str
    landmark: str | None = None  # its single network; None where nothing is published


ALEXNET = "Krizhevsky 2012, NIPS"
ZFNET = "Zeiler 2013, arXiv:1311.2901"
VGG = "Simonyan 2014, arXiv:1409.1556"
GOOGLENET = "Szegedy 2014, arXiv:1409.4842"
INCEPTION3 = "Szegedy 2015, arXiv:1512.00567"
RESNET = "He 2015, arXiv:1512.03385"
RESNET_RELEASE = "github KaimingHe/deep-residual-networks@a7026cb, README"
FB_RESNET = "github facebookarchive/fb.resnet.torch@985e569, pretrained/README.md"
PRERESNET = "He 2016, arXiv:1603.05027"
PRERESNET_RELEASE = "github KaimingHe/resnet-1k-layers@fde7ee9, README"
RESNEXT = "Xie 2016, arXiv:1611.05431"
WRN = "Zagoruyko 2016, arXiv:1605.07146"
DENSENET = "Huang 2016, arXiv:1608.06993"
DENSENET_RELEASE = "github liuzhuang13/DenseNet@e3d24fb, README"
DENSENET_SECONDARY = "secondary summary of arXiv:1608.06993, Table 3; not seen in a primary copy"
TORCHVISION = "torchvision 0.28.0, weights metadata IMAGENET1K_V1"
TORCHVISION_REGNET = "github pytorch/vision@07a929e, models/regnet.py, IMAGENET1K_V1"
REGNET_ZOO = "Radosavovic 2020, arXiv:2003.13678; github facebookresearch/pycls@1caf15b, MODEL_ZOO.md"
REGNET_RELEASE = "github facebookresearch/pycls@4449e4a, dev/model_error.json"

ONE_CROP = "1-crop 224, short side 256"
ONE_CROP_OF_FIVE = f"{ONE_CROP}, mean of 5, 100 epochs"
TEN_CROP = "10-crop 224"
TEN_PATCH = "10 patches of one net, not 1-crop"
DENSE_EVALUATION = "dense evaluation Q=384, train S=[256;512]"

FIVE_RUNS = "median of 5, flip/translation"
SCHEDULE = "one run, flip/translation"
MEANSTD = "median of 5, flip/translation, mean/std, no dropout"
ZCA = "flip/translation, ZCA whitening"
TEN_RUNS = "mean of 10, flip/translation"
NO_DROPOUT = "one run, flip/translation, no dropout"


def _one(top1: float, top5: float | None, source: str, year: int) -> Figure:
    return Figure(top1, top5, ONE_CROP, source, year)


def _ten(top1: float, top5: float | None, source: str, year: int) -> Figure:
    return Figure(top1, top5, TEN_CROP, source, year)


def _torchvision(top1: float, top5: float, remark: str = "", source: str = TORCHVISION) -> Figure:
    return Figure(top1, top5, "1-crop 224, resize 256, torchvision V1" + remark, source)


def _resnet(one: tuple[float, float], ten: tuple[float, float], torchvision: tuple[float, float]) -> tuple[Figure, ...]:
    return _one(*one, FB_RESNET, 2016), _ten(*ten, FB_RESNET, 2016), _torchvision(*torchvision)


def _densenet(one: tuple[float, float], ten: tuple[float, float], release: float) -> tuple[Figure, ...]:
    paper = f"{DENSENET}, Table 3"
    year = 2017 if release == 22.1 else 2016  # DenseNet-264 was released with the memory-efficient report
    return _one(*one, paper, 2016), _ten(*ten, paper, 2016), _one(release, None, DENSENET_RELEASE, year)


def _regnet(
    mean: float, release: tuple[float, float], torchvision: tuple[float, float] | None = None, remark: str = ""
) -> tuple[Figure, ...]:
    figures = (
        Figure(mean, None, ONE_CROP_OF_FIVE, REGNET_ZOO, 2020),
        Figure(*release, f"{ONE_CROP}, one of the 5", REGNET_RELEASE, 2020),
    )
    return (*figures, _torchvision(*torchvision, remark, TORCHVISION_REGNET)) if torchvision else figures


def _cifar(c10: float, c100: float | None, setting: str, source: str, year: int = 2016) -> Figure:
    return Figure(c10, None, f"CIFAR-10, {setting}", source, year, c100)


IMAGENET: dict[str, tuple[Figure, ...]] = {
    "alexnet": (
        Figure(40.7, 18.2, TEN_PATCH, f"{ALEXNET}, Table 2 (1 CNN)", 2012),
        Figure(38.1, 16.4, "ensemble of 5, 10 patches", f"{ALEXNET}, Table 2", 2012),
        Figure(36.7, 15.4, "ensemble of 7, extra data, 10 patches", f"{ALEXNET}, Table 2", 2012),
        Figure(40.5, 18.1, TEN_PATCH, f"{ZFNET}, replication", 2013),
        _torchvision(43.478, 20.934, "; the 2014 variant without groups"),
    ),
    "zfnet": (
        Figure(38.4, 16.5, TEN_PATCH, f"{ZFNET}, 1 convnet of Fig. 3", 2013),
        Figure(36.0, 14.7, "ensemble of 6, 10 crops", ZFNET, 2013),
    ),
    "vgg16": (
        _torchvision(28.408, 9.618),
        _one(28.5, 9.9, f"{RESNET_RELEASE}, quoting the MatConvNet model", 2014),
        _ten(28.07, 9.33, f"{RESNET}, Table 3", 2014),
        Figure(25.6, 8.1, DENSE_EVALUATION, f"{VGG}, Table 3 (D)", 2014),
    ),
    "vgg19": (
        _torchvision(27.624, 9.124),
        Figure(25.5, 8.0, DENSE_EVALUATION, f"{VGG}, Table 3 (E)", 2014),
    ),
    "googlenet": (
        _torchvision(30.222, 10.47, "; batch normalisation added"),
        Figure(None, 10.07, "1 model, 1 crop", GOOGLENET, 2014),
        Figure(None, 9.15, "1 model, 10 crops", GOOGLENET, 2014),
        Figure(29.0, 9.2, "called 1-crop", f"{INCEPTION3}, Table 3", 2015),
        Figure(None, 6.67, "7 models x 144 crops, ILSVRC-2014 test", GOOGLENET, 2014),
    ),
    "resnet18": (
        *_resnet((30.43, 10.76), (28.22, 9.42), (30.242, 10.922)),
        Figure(27.88, None, "10-crop 224, option A shortcuts", f"{RESNET}, Table 2", 2015),
        _one(30.4, 10.93, f"{WRN}, Table 7 (width 1.0)", 2016),
    ),
    "resnet34": (
        *_resnet((26.73, 8.74), (24.76, 7.35), (26.686, 8.58)),
        Figure(24.52, 7.46, "10-crop 224, option B shortcuts", f"{RESNET}, Table 3", 2015),
        Figure(25.03, 7.76, "10-crop 224, option A shortcuts", f"{RESNET}, Table 3", 2015),
        _one(26.77, 8.67, f"{WRN}, Table 7 (width 1.0)", 2016),
    ),
    "resnet50": _resnet((24.01, 7.02), (22.24, 6.08), (23.87, 7.138)),
    "resnet101": _resnet((22.44, 6.21), (21.08, 5.35), (22.626, 6.454)),
    "resnet152": _resnet((22.16, 6.16), (20.69, 5.21), (21.688, 5.954)),
    "resnet50_v1": (_one(24.7, 7.8, RESNET_RELEASE, 2015), _ten(22.85, 6.71, f"{RESNET}, Table 3", 2015)),
    "resnet101_v1": (_one(23.6, 7.1, RESNET_RELEASE, 2015), _ten(21.75, 6.05, f"{RESNET}, Table 3", 2015)),
    "resnet152_v1": (_one(23.0, 6.7, RESNET_RELEASE, 2015), _ten(21.43, 5.71, f"{RESNET}, Table 3", 2015)),
    "resnext50_1x64d": (_one(23.9, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext50_2x40d": (_one(23.0, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext50_4x24d": (_one(22.6, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext50_8x14d": (_one(22.3, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext50_32x4d": (_one(22.2, None, f"{RESNEXT}, Table 3", 2016), _torchvision(22.382, 6.302)),
    "resnext101_1x64d": (_one(22.0, 6.0, f"{RESNEXT}, Tables 3 and 5", 2016),),
    "resnext101_2x40d": (_one(21.7, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext101_4x24d": (_one(21.4, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext101_8x14d": (_one(21.3, None, f"{RESNEXT}, Table 3", 2016),),
    "resnext101_32x4d": (_one(21.2, 5.6, f"{RESNEXT}, Tables 3 and 4", 2016),),
    "resnext101_32x8d": (_torchvision(20.688, 5.474),),
    "resnext101_64x4d": (
        _one(20.4, 5.3, f"{RESNEXT}, Table 4", 2016),
        Figure(19.1, 4.4, "1-crop 320", f"{RESNEXT}, Table 5", 2016),
    ),
    "wide_resnet50_2": (_one(21.9, 6.03, f"{WRN}, Table 8", 2016), _torchvision(21.532, 5.914)),
    "wide_resnet101_2": (_torchvision(21.152, 5.716),),
    "wrn18_1.5": (_one(27.06, 9.0, f"{WRN}, Table 7", 2016),),
    "wrn18_2": (_one(25.58, 8.06, f"{WRN}, Table 7", 2016),),
    "wrn18_3": (_one(24.06, 7.33, f"{WRN}, Table 7", 2016),),
    "wrn34_1.5": (_one(24.5, 7.58, f"{WRN}, Table 7", 2016),),
    "wrn34_2": (_one(23.39, 7.0, f"{WRN}, Table 7", 2016),),
    "densenet121": (*_densenet((25.02, 7.71), (23.61, 6.66), 25.0), _torchvision(25.566, 8.028)),
    "densenet161": (
        _one(22.2, None, DENSENET_RELEASE, 2016),
        _torchvision(22.862, 6.44),
        Figure(22.33, 6.15, f"{ONE_CROP}; second-hand", DENSENET_SECONDARY, 2016),
        Figure(20.85, 5.3, f"{TEN_CROP}; second-hand", DENSENET_SECONDARY, 2016),
    ),
    "densenet169": (*_densenet((23.8, 6.85), (22.08, 5.92), 23.6), _torchvision(24.4, 7.194)),
    "densenet201": (*_densenet((22.58, 6.34), (21.46, 5.54), 22.5), _torchvision(23.104, 6.63)),
    "densenet264": _densenet((22.15, 6.12), (20.8, 5.29), 22.1),
    "regnetx_200mf": _regnet(31.1, (31.088, 11.342)),
    "regnetx_400mf": _regnet(27.3, (27.382, 9.076), (27.166, 9.05), "; last stage 400 wide, not 384"),
    "regnetx_600mf": _regnet(25.9, (25.864, 8.198)),
    "regnetx_800mf": _regnet(24.8, (24.846, 7.592), (24.788, 7.652)),
    "regnetx_1.6gf": _regnet(23.0, (23.038, 6.484), (22.96, 6.56)),
    "regnetx_3.2gf": _regnet(21.7, (21.736, 5.862), (21.636, 6.008)),
    "regnetx_4.0gf": _regnet(21.4, (21.356, 5.736)),
    "regnetx_6.4gf": _regnet(20.8, (20.844, 5.434)),
    "regnetx_8.0gf": _regnet(20.7, (20.728, 5.42), (20.656, 5.314)),
    "regnetx_12gf": _regnet(20.3, (20.288, 5.284)),
    "regnetx_16gf": _regnet(20.0, (19.956, 5.022), (19.942, 5.056)),
    "regnetx_32gf": _regnet(19.5, (19.498, 4.878), (19.378, 4.752)),
    "regnety_200mf": _regnet(29.6, (29.658, 10.378)),
    "regnety_400mf": _regnet(25.9, (25.898, 8.07), (25.954, 8.284)),
    "regnety_600mf": _regnet(24.5, (24.54, 7.28)),
    "regnety_800mf": _regnet(23.7, (23.684, 6.846), (23.58, 6.864), "; 6,432,512 parameters, not 6,263,168"),
    "regnety_1.6gf": _regnet(22.0, (22.066, 6.134), (22.05, 6.034)),
    "regnety_3.2gf": _regnet(21.0, (21.074, 5.454), (21.052, 5.424)),
    "regnety_4.0gf": _regnet(20.6, (20.64, 5.336)),
    "regnety_6.4gf": _regnet(20.1, (20.11, 5.1)),
    "regnety_8.0gf": _regnet(20.1, (20.052, 5.06), (19.968, 4.952), "; 39,381,472 parameters, not 39,180,068"),
    "regnety_12gf": _regnet(19.7, (19.67, 4.856)),
    "regnety_16gf": _regnet(19.6, (19.608, 4.944), (19.576, 4.76)),
    "regnety_32gf": _regnet(19.0, (19.066, 4.568), (19.122, 4.66)),
}

CIFAR: dict[str, tuple[Figure, ...]] = {
    "cifar_resnet20": (_cifar(8.75, None, SCHEDULE, f"{RESNET}, Table 6", 2015),),
    "cifar_resnet32": (_cifar(7.51, None, SCHEDULE, f"{RESNET}, Table 6", 2015),),
    "cifar_resnet44": (_cifar(7.17, None, SCHEDULE, f"{RESNET}, Table 6", 2015),),
    "cifar_resnet56": (_cifar(6.97, None, SCHEDULE, f"{RESNET}, Table 6", 2015),),
    "cifar_resnet110": (
        _cifar(6.61, None, "mean of 5, flip/translation", f"{RESNET}, Table 6; {PRERESNET}, baseline", 2015),
        _cifar(6.43, None, "BEST of 5, flip/translation", f"{RESNET}, Table 6", 2015),
    ),
    "cifar_resnet1202": (_cifar(7.93, None, SCHEDULE, f"{RESNET}, Table 6", 2015),),
    "preresnet110": (_cifar(6.37, None, FIVE_RUNS, f"{PRERESNET}, Table 3"),),
    "preresnet164": (_cifar(5.46, 24.33, FIVE_RUNS, f"{PRERESNET}, Tables 3 and 4"),),
    "preresnet1001": (
        _cifar(4.92, 22.71, FIVE_RUNS, f"{PRERESNET}, Tables 3 and 4"),
        _cifar(4.62, None, f"{FIVE_RUNS}, batch 64", PRERESNET_RELEASE),
    ),
    "wrn_40_4": (_cifar(4.53, 21.18, MEANSTD, f"{WRN}, Table 5"), _cifar(4.97, 22.89, ZCA, f"{WRN}, Table 4")),
    "wrn_16_8": (_cifar(4.27, 20.43, MEANSTD, f"{WRN}, Table 5"), _cifar(4.81, 22.07, ZCA, f"{WRN}, Table 4")),
    "wrn_22_8": (_cifar(4.38, 21.22, ZCA, f"{WRN}, Table 4"),),
    "wrn_16_10": (_cifar(4.56, 21.59, ZCA, f"{WRN}, Table 4"),),
    "wrn_28_10": (
        _cifar(4.0, 19.25, MEANSTD, f"{WRN}, Table 5"),
        _cifar(3.89, 18.85, "median of 5, flip/translation, mean/std, dropout 0.3", f"{WRN}, Table 6"),
        _cifar(4.17, 20.5, ZCA, f"{WRN}, Table 4"),
    ),
    "resnext29_8x64d": (_cifar(3.65, 17.77, TEN_RUNS, f"{RESNEXT}, Table 7"),),
    "resnext29_16x64d": (_cifar(3.58, 17.31, TEN_RUNS, f"{RESNEXT}, Table 7"),),
    "densenet_40_12": (_cifar(5.24, 24.42, NO_DROPOUT, f"{DENSENET}, Table 2"),),
    "densenet_100_12": (_cifar(4.1, 20.2, NO_DROPOUT, f"{DENSENET}, Table 2"),),
    "densenet_100_24": (_cifar(3.74, 19.25, NO_DROPOUT, f"{DENSENET}, Table 2"),),
    "densenet_bc_100_12": (_cifar(4.51, 22.27, NO_DROPOUT, f"{DENSENET}, Table 2"),),
    "densenet_bc_250_24": (_cifar(3.62, 17.6, NO_DROPOUT, f"{DENSENET}, Table 2"),),
    "densenet_bc_190_40": (_cifar(3.46, 17.18, NO_DROPOUT, f"{DENSENET}, Table 2"),),
}

# As the papers have them; the challenge's results pages, read in copies alone, have 0.16422, 0.15315, 0.11743, 0.11197,
# 0.07325, 0.06656, 0.03567. Szegedy's Table 2 prints "1st" in both rows of 2012 and of 2013: a team has one place, that
# of its entry with external data. VGG's seven models are in its paper's Table 6.
ILSVRC_ENTRIES: tuple[Entry, ...] = (
    Entry("SuperVision", 2012, None, 16.4, "no", "AlexNet", 8, "ensemble of 5", f"{ALEXNET}, Table 2", "alexnet"),
    Entry(
        "SuperVision",
        2012,
        1,
        15.3,
        "ImageNet 22k",
        "AlexNet",
        8,
        "ensemble of 7, two pre-trained on ImageNet 2011",
        f"{ALEXNET}, Table 2",
        "alexnet",
    ),
    Entry("Clarifai", 2013, None, 11.7, "no", "not published", None, "not published", f"{GOOGLENET}, Table 2"),
    Entry("Clarifai", 2013, 1, 11.2, "ImageNet 22k", "not published", None, "not published", f"{GOOGLENET}, Table 2"),
    Entry(
        "VGG",
        2014,
        2,
        7.32,
        "no",
        "VGG-16",
        16,
        "7 models of 16 and 19 layers, dense evaluation",
        f"{GOOGLENET}, Table 2",
        "vgg16",
    ),
    Entry(
        "GoogLeNet", 2014, 1, 6.67, "no", "GoogLeNet", 22, "7 models x 144 crops", f"{GOOGLENET}, Table 2", "googlenet"
    ),
    Entry(
        "MSRA",
        2015,
        1,
        3.57,
        "no",
        "ResNet-152",
        152,
        "ensemble of 6 of several depths, two of 152",
        f"{RESNET}, Table 5",
        "resnet152_v1",
    ),
)
