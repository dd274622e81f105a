"""Every published network: exact golden counts, beside what the papers print."""

import pytest

from space import LANDMARKS, cost
from space.landmarks.figures import CIFAR, IMAGENET
from space.networks.layers import Conv, Linear
from space.networks.regnetx import regnetx

# Exact counts at 224 and 1000 classes, or 32 and 10. Those with a star are torchvision's num_params or in the
# complexity tables of pycls; the others agree with what the papers print (see PRINTED_PARAMS).
PARAMS = {
    "alexnet": 60_965_224,
    "zfnet": 62_357_608,
    "vgg16": 138_357_544,  # *
    "vgg19": 143_667_240,  # *
    "googlenet": 6_625_000,
    "resnet18": 11_689_512,  # *
    "resnet34": 21_797_672,  # *
    "resnet50": 25_557_032,  # *
    "resnet101": 44_549_160,  # *
    "resnet152": 60_192_808,  # *
    "resnet50_v1": 25_557_032,
    "resnet101_v1": 44_549_160,
    "resnet152_v1": 60_192_808,
    "resnext50_1x64d": 25_557_032,
    "resnext50_2x40d": 25_425_000,
    "resnext50_4x24d": 25_292_968,
    "resnext50_8x14d": 25_603_016,
    "resnext50_32x4d": 25_028_904,  # *
    "resnext101_1x64d": 44_549_160,
    "resnext101_2x40d": 44_456_296,
    "resnext101_4x24d": 44_363_432,
    "resnext101_8x14d": 45_104_328,
    "resnext101_32x4d": 44_177_704,  # *
    "resnext101_32x8d": 88_791_336,  # *
    "resnext101_64x4d": 83_455_272,  # *
    "wide_resnet50_2": 68_883_240,  # *
    "wide_resnet101_2": 126_886_696,  # *
    "wrn18_1.5": 25_875_816,
    "wrn18_2": 45_618_216,
    "wrn18_3": 101_783_976,
    "wrn34_1.5": 48_613_608,
    "wrn34_2": 86_036_008,
    "densenet121": 7_978_856,  # *
    "densenet161": 28_681_000,  # *
    "densenet169": 14_149_480,  # *
    "densenet201": 20_013_928,  # *
    "densenet264": 33_337_704,
    "regnetx_200mf": 2_684_792,  # *, and so all RegNetX
    "regnetx_400mf": 5_157_512,
    "regnetx_600mf": 6_196_040,
    "regnetx_800mf": 7_259_656,
    "regnetx_1.6gf": 9_190_136,
    "regnetx_3.2gf": 15_296_552,
    "regnetx_4.0gf": 22_118_248,
    "regnetx_6.4gf": 26_209_256,
    "regnetx_8.0gf": 39_572_648,
    "regnetx_12gf": 46_106_056,
    "regnetx_16gf": 54_278_536,
    "regnetx_32gf": 107_811_560,
    "regnety_200mf": 3_162_996,  # *, and so all RegNetY
    "regnety_400mf": 4_344_144,
    "regnety_600mf": 6_055_160,
    "regnety_800mf": 6_263_168,
    "regnety_1.6gf": 11_202_430,
    "regnety_3.2gf": 19_436_338,
    "regnety_4.0gf": 20_646_656,
    "regnety_6.4gf": 30_583_252,
    "regnety_8.0gf": 39_180_068,
    "regnety_12gf": 51_822_544,
    "regnety_16gf": 83_590_140,
    "regnety_32gf": 145_046_770,
    "cifar_resnet20": 269_722,
    "cifar_resnet32": 464_154,
    "cifar_resnet44": 658_586,
    "cifar_resnet56": 853_018,
    "cifar_resnet110": 1_727_962,
    "cifar_resnet1202": 19_421_274,
    "preresnet110": 1_727_962,
    "preresnet164": 1_703_258,
    "preresnet1001": 10_327_706,
    "wrn_40_4": 8_949_210,
    "wrn_16_8": 10_961_370,
    "wrn_22_8": 17_158_106,
    "wrn_16_10": 17_116_634,
    "wrn_28_10": 36_479_194,
    "resnext29_8x64d": 34_426_698,
    "resnext29_16x64d": 68_155_210,
    "densenet_40_12": 1_019_722,
    "densenet_100_12": 6_979_642,
    "densenet_100_24": 27_249_082,
    "densenet_bc_100_12": 769_162,
    "densenet_bc_250_24": 15_324_406,
    "densenet_bc_190_40": 25_624_430,
}

# Millions, as the papers print them (and at CIFAR a classifier of 10).
PRINTED_PARAMS = {
    "alexnet": "60",
    "vgg16": "138",
    "vgg19": "144",
    "resnext50_1x64d": "25.5",
    "resnext50_32x4d": "25.0",
    "wrn18_1.5": "25.9",
    "wrn18_2": "45.6",
    "wrn18_3": "101.8",
    "wrn34_1.5": "48.6",
    "wrn34_2": "86.0",
    "wide_resnet50_2": "68.9",
    "densenet201": "20",
    "cifar_resnet20": "0.27",
    "cifar_resnet32": "0.46",
    "cifar_resnet44": "0.66",
    "cifar_resnet56": "0.85",
    "cifar_resnet110": "1.7",
    "cifar_resnet1202": "19.4",
    "preresnet110": "1.7",
    "preresnet164": "1.7",
    "preresnet1001": "10.2",  # the paper says 10.2; the authors' build has 10.33
    "wrn_40_4": "8.9",
    "wrn_16_8": "11.0",
    "wrn_22_8": "17.2",
    "wrn_16_10": "17.1",
    "wrn_28_10": "36.5",
    "resnext29_8x64d": "34.4",
    "resnext29_16x64d": "68.1",
    "densenet_40_12": "1.0",
    "densenet_100_12": "7.0",
    "densenet_100_24": "27.2",
    "densenet_bc_100_12": "0.8",
    "densenet_bc_250_24": "15.3",
    "densenet_bc_190_40": "25.6",
}

# Billions: torchvision's _ops, exact to 0.001.
TORCHVISION_OPS = {
    "vgg16": 15.470,
    "vgg19": 19.632,
    "googlenet": 1.498,
    "resnet18": 1.814,
    "resnet34": 3.664,
    "resnet50": 4.089,
    "resnet101": 7.801,
    "resnet152": 11.514,
    "resnext50_32x4d": 4.230,
    "resnext101_32x8d": 16.414,
    "resnext101_64x4d": 15.460,
    "wide_resnet50_2": 11.398,
    "wide_resnet101_2": 22.753,
    "densenet121": 2.834,
    "densenet161": 7.728,
    "densenet169": 3.360,
    "densenet201": 4.291,
}

# Billions, as the papers print them, and how far off the exact count may be. ResNeXt's widths at a cardinality
# keep 4.1 and 7.8 G only in name: 8x14d costs 4 % more. "~15" for 64x4d is 15.6 in the authors' README.
PRINTED_MACS = {
    "resnet18": (1.8, 0.01),
    "resnet34": (3.6, 0.02),
    "resnet50_v1": (3.8, 0.02),
    "resnet101_v1": (7.6, 0.01),
    "resnet152_v1": (11.3, 0.01),
    "resnext50_1x64d": (4.1, 0.01),
    "resnext50_2x40d": (4.1, 0.01),
    "resnext50_4x24d": (4.1, 0.02),
    "resnext50_8x14d": (4.1, 0.045),
    "resnext50_32x4d": (4.2, 0.01),
    "resnext101_1x64d": (7.8, 0.01),
    "resnext101_2x40d": (7.8, 0.01),
    "resnext101_4x24d": (7.8, 0.02),
    "resnext101_8x14d": (7.8, 0.04),
    "resnext101_32x4d": (7.8, 0.025),
    "resnext101_64x4d": (15.6, 0.01),
    "googlenet": (1.5, 0.01),
}

# flops and acts of pycls@4449e4a, dev/model_complexity.json, which count the classifier's 1,000 biases and outputs.
REGNETX = {
    "regnetx_200mf": (199_040_872, 2_164_056),
    "regnetx_400mf": (397_678_568, 3_143_272),
    "regnetx_600mf": (600_891_112, 3_975_096),
    "regnetx_800mf": (799_700_712, 5_148_744),
    "regnetx_1.6gf": (1_602_850_792, 7_933_512),
    "regnetx_3.2gf": (3_176_622_952, 11_367_432),
    "regnetx_4.0gf": (3_964_499_816, 12_201_608),
    "regnetx_6.4gf": (6_460_292_264, 16_369_744),
    "regnetx_8.0gf": (7_995_133_416, 14_059_688),
    "regnetx_12gf": (12_086_679_016, 21_366_568),
    "regnetx_16gf": (15_940_756_456, 25_515_496),
    "regnetx_32gf": (31_735_930_792, 36_302_160),
}

# The same, which count the biases of the gates too.
REGNETY = {
    "regnety_200mf": (199_519_076, 2_168_052),
    "regnety_400mf": (401_849_056, 3_892_496),
    "regnety_600mf": (601_227_608, 4_334_296),
    "regnety_800mf": (797_183_328, 5_249_888),
    "regnety_1.6gf": (1_612_087_326, 8_044_814),
    "regnety_3.2gf": (3_176_496_162, 11_263_418),
    "regnety_4.0gf": (3_973_301_344, 12_287_200),
    "regnety_6.4gf": (6_355_221_876, 16_407_188),
    "regnety_8.0gf": (7_963_074_196, 17_968_916),
    "regnety_12gf": (12_092_395_504, 21_384_496),
    "regnety_16gf": (15_911_534_044, 23_041_228),
    "regnety_32gf": (32_279_583_362, 30_261_570),
}

FIGURES_ONLY = ["alexnet", "zfnet", "vgg16", "vgg19", "googlenet"]


def test_all_names():
    assert list(LANDMARKS) == list(PARAMS)
    assert [name for name, known in LANDMARKS.items() if known.config is None] == FIGURES_ONLY
    assert set(IMAGENET) | set(CIFAR) == set(LANDMARKS)
    assert all(name == known.name for name, known in LANDMARKS.items())
    assert len({known.label for known in LANDMARKS.values()}) == len(LANDMARKS)


@pytest.mark.parametrize("name", PARAMS)
def test_params_are_exact(name):
    known = LANDMARKS[name]
    assert known.params == PARAMS[name]
    if known.config is not None:
        counted = cost(known.config, known.input_size, known.classes)
        assert (counted.macs, counted.params) == (known.macs, known.params)


@pytest.mark.parametrize("name", PRINTED_PARAMS)
def test_params_are_the_papers(name):
    printed = PRINTED_PARAMS[name]
    last_digit = 10.0 ** -len(printed.partition(".")[2])  # papers truncate as often as they round
    assert abs(LANDMARKS[name].params / 1e6 - float(printed)) < last_digit * (1.3 if name == "preresnet1001" else 1)


@pytest.mark.parametrize("name", TORCHVISION_OPS)
def test_macs_are_torchvisions(name):
    assert round(LANDMARKS[name].macs / 1e9, 3) == TORCHVISION_OPS[name]


@pytest.mark.parametrize("name", PRINTED_MACS)
def test_macs_are_the_papers(name):
    printed, tolerance = PRINTED_MACS[name]
    assert LANDMARKS[name].macs / 1e9 == pytest.approx(printed, rel=tolerance)


def test_exact_macs():
    # ResNet-50: torch's FlopCounterMode / 2; the others: pycls's complexity table less the classifier's bias.
    assert LANDMARKS["resnet50"].macs == 4_089_184_256
    assert LANDMARKS["resnet101"].macs == 7_801_406_440 - 1000
    assert LANDMARKS["resnet152"].macs == 11_513_627_624 - 1000
    assert LANDMARKS["resnext50_32x4d"].macs == 4_230_480_872 - 1000
    assert LANDMARKS["resnext101_32x4d"].macs == 7_969_997_800 - 1000


@pytest.mark.parametrize("name", REGNETX)
def test_regnetx_is_pycls(name):
    counted = cost(LANDMARKS[name].config)
    assert (counted.macs + 1000, counted.activations + 1000) == REGNETX[name]


@pytest.mark.parametrize("name", REGNETY)
def test_regnety_is_pycls(name):
    config = LANDMARKS[name].config
    counted = cost(config)
    biases = 1000 + sum(layer.out_channels for layer in config.layers() if isinstance(layer, Conv) and layer.bias)
    assert (counted.macs + biases, counted.activations + 1000) == REGNETY[name]


def test_the_gate_of_regnety_is_a_quarter_of_what_its_block_reads():
    layers = {layer.name: layer for layer in LANDMARKS["regnety_200mf"].config.layers()}
    hidden = {name: layer.out_channels for name, layer in layers.items() if name.endswith("se.fc1")}
    assert (hidden["layer1.0.se.fc1"], hidden["layer4.0.se.fc1"], hidden["layer4.1.se.fc1"]) == (8, 38, 92)


def test_the_rule_of_regnetx():
    # Table of the RegNetX-200MF: blocks of 24, 56, 152 and 368 channels from 24 + 36.44 j and powers of 2.49.
    config = regnetx(13, 24, 36.44, 2.49, 8)
    assert (config.depths, config.widths, config.groups) == ((1, 1, 4, 7), (24, 56, 152, 368), (3, 7, 19, 46))
    # 88 and 200 of the rule are no multiples of 48 channels a group.
    config = regnetx(25, 88, 26.31, 2.25, 48)
    assert config.widths == config.inner_widths == (96, 192, 432, 1008)
    assert config.groups == (2, 4, 9, 21)
    # A group is never wider than its stage.
    config = regnetx(23, 80, 49.56, 2.88, 120)
    assert (config.widths[0], config.groups[0]) == (80, 1)


def test_networks_without_configuration_are_counted_by_their_layers():
    classifier = [Linear("", 9216, 4096), Linear("", 4096, 4096), Linear("", 4096, 1000)]
    vgg_classifier = [Linear("", 25088, 4096), *classifier[1:]]
    # Krizhevsky 2012, section 3.5: two GPUs are two groups in layers 2, 4 and 5. The first layer leaves 55x55.
    alexnet = [
        Conv("", 3, 96, 11, 1, 55),
        Conv("", 96, 256, 5, 1, 27, 2),
        Conv("", 256, 384, 3, 1, 13),
        Conv("", 384, 384, 3, 1, 13, 2),
        Conv("", 384, 256, 3, 1, 13, 2),
        *classifier,
    ]
    # Zeiler 2013, Fig. 3: 110x110 after the first layer, 26x26 after the second.
    zfnet = [
        Conv("", 3, 96, 7, 1, 110),
        Conv("", 96, 256, 5, 1, 26),
        Conv("", 256, 384, 3, 1, 13),
        Conv("", 384, 384, 3, 1, 13),
        Conv("", 384, 256, 3, 1, 13),
        *classifier,
    ]
    assert _with_biases(alexnet) == (LANDMARKS["alexnet"].macs, LANDMARKS["alexnet"].params)
    assert _with_biases(zfnet) == (LANDMARKS["zfnet"].macs, LANDMARKS["zfnet"].params)
    for name, depths in {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}.items():
        channels, layers = 3, []
        for stage, (depth, width) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True)):
            for _ in range(depth):
                layers.append(Conv("", channels, width, 3, 1, 224 >> stage))
                channels = width
        assert _with_biases([*layers, *vgg_classifier]) == (LANDMARKS[name].macs, LANDMARKS[name].params)


def _with_biases(layers):
    totals = [layer.totals(1) for layer in layers]
    biases = sum(layer.out_channels for layer in layers if isinstance(layer, Conv))
    return sum(total[0] for total in totals), sum(total[1] for total in totals) + biases
