"""The papers' tables: exact counts beside the figures as they are printed, and the pages that show them."""

import json
import re
from pathlib import Path

import pytest

from docs.refresh import PLACE, refresh
from results.__main__ import main as draw_command
from results.plots.published import published_plot
from space import LANDMARKS
from space.__main__ import main
from space.papers.outline import depth, outline
from space.papers.printed_costs import PRINTED, agrees, rounded
from space.papers.tables import TABLES

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("bottleneck", "resnet", "densenet", "ilsvrc")


def rows(name: str, table: int) -> list[dict[str, object]]:
    """What `--json` gives for one table of a sheet."""
    found: list[dict[str, object]] = TABLES[name]().to_json()["tables"][table]["rows"]
    return found


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("python -m space: ") and err.count("\n") == 1
    return err


def test_resnets_beside_table_1() -> None:
    found = [
        (row["network"], row["form"], row["layers"], row["macs"], row["printed_macs"]) for row in rows("resnet", 1)
    ]
    assert found == [
        ("ResNet-18", "shortcuts A", 18, 1_794_805_760, "1.8"),
        ("ResNet-18", "shortcuts B", 18, 1_814_073_344, "1.8"),
        ("ResNet-34", "shortcuts A", 34, 3_644_493_824, "3.6"),
        ("ResNet-34", "shortcuts B", 34, 3_663_761_408, "3.6"),
        ("ResNet-50", "stride in the 1x1", 50, 3_857_973_248, "3.8"),
        ("ResNet-50", "stride in the 3x3", 50, 4_089_184_256, "3.8"),
        ("ResNet-101", "stride in the 1x1", 101, 7_570_194_432, "7.6"),
        ("ResNet-101", "stride in the 3x3", 101, 7_801_405_440, "7.6"),
        ("ResNet-152", "stride in the 1x1", 152, 11_282_415_616, "11.3"),
        ("ResNet-152", "stride in the 3x3", 152, 11_513_626_624, "11.3"),
    ]
    assert [row["printed_params"] for row in rows("resnet", 1)][1:6:2] == ["11.7", "21.8", "25.6"]


def test_reasons_of_the_differences() -> None:
    why = {(row["network"], row["form"]): str(row["why"]) for row in rows("resnet", 1)}
    assert [key for key, reason in why.items() if reason == "rounding"] == [
        ("ResNet-18", "shortcuts A"),
        ("ResNet-18", "shortcuts B"),
        ("ResNet-34", "shortcuts A"),
        ("ResNet-101", "stride in the 1x1"),
        ("ResNet-152", "stride in the 1x1"),
    ]
    assert why["ResNet-34", "shortcuts B"] == "prints as 3.7: 19,267,584 in 3 projections, which A has not"
    assert "not explained" in why["ResNet-50", "stride in the 1x1"]
    # 256 -> 128 at 28 x 28 becomes 256 -> 128 at 56 x 56, and so on: each of the three gains 3 x 25,690,112
    assert why["ResNet-50", "stride in the 3x3"].startswith(f"{3 * 3 * 25_690_112:,} more: 3 first 1x1s")


def test_no_way_of_counting_gives_all_three() -> None:
    ways = {str(row["way"]): row["prints"] for row in rows("resnet", 2)}
    assert ways.pop("printed") == "3.8 7.6 11.3"
    assert ways["all convolutions and the classifier"] == "3.9 7.6 11.3"
    assert "3.8 7.6 11.3" not in ways.values()
    (note,) = TABLES["resnet"]().notes
    # 7.55 - 17 x 0.218365952 = 3.8378, and 3.85 is where 3.8 ends
    assert "3.838 to 3.850 G" in note and "218,365,952" in note and "3.8, 7.5, 11.2" in note


def test_blocks_and_sizes_as_in_table_1() -> None:
    found = {line.layer: line for line in outline(LANDMARKS["resnet50_v1"].network())}
    sizes = ["112x112", "56x56", "56x56", "28x28", "14x14", "7x7", "1x1"]
    assert [line.output for line in found.values()] == sizes
    assert found["conv4_x"].text.split() == ["6", "x", "1x1,", "256", "3x3,", "256", "1x1,", "1024"]
    grouped = outline(LANDMARKS["resnext50_32x4d"].network())[2]
    assert grouped.text.split("\n")[1].strip() == "3x3, 128, C=32"
    dense = {line.layer: line for line in outline(LANDMARKS["densenet169"].network())}
    assert dense["dense block 4"].text.split() == ["32", "x", "1x1,", "128", "3x3,", "32"]
    assert (dense["transition 3"].output, dense["transition 3"].text.split(",")[1].split()[0]) == ("7x7", "640")
    assert [line.output for line in outline(LANDMARKS["wrn_28_10"].network(), 32, 10)][-2:] == ["8x8", "1x1"]


def test_names_count_layers() -> None:
    names = ("resnet18", "resnet152", "resnext50_32x4d", "densenet121", "densenet201", "cifar_resnet110")
    assert [depth(LANDMARKS[name].network()) for name in names] == [18, 152, 50, 121, 201, 110]
    assert depth(LANDMARKS["densenet264"].network()) == 1 + 2 * (6 + 12 + 64 + 48) + 3 + 1 == 265
    assert "265 layers" in TABLES["densenet"]().notes[0]


def test_resnext_beside_tables_1_and_3() -> None:
    one, other = rows("resnext", 1)
    assert (one["params"], one["printed_params"], one["macs"], one["printed_macs"]) == (
        25_557_032, "25.5", 4_089_184_256, "4.1",
    )  # fmt: skip
    assert one["weights"] == 25_557_032 - 53_120 - 1_000
    assert "without 54,120 of norms and bias" in str(one["why"])
    assert (other["params"], other["printed_params"], other["macs"], other["printed_macs"]) == (
        25_028_904, "25.0", 4_230_479_872, "4.2",
    )  # fmt: skip
    assert other["why"] == "GFLOPs: rounding; params: rounding"
    table3 = rows("resnext", 2)
    assert [row["inner"] for row in table3] == [64, 80, 96, 112, 128] * 2
    assert [row["top1_error"] for row in table3] == [23.9, 23.0, 22.6, 22.3, 22.2, 22.0, 21.7, 21.4, 21.3, 21.2]
    assert "ResNeXt-50 8x14d is the farthest off, +4.1%" in TABLES["resnext"]().notes[0]


def test_densenet_beside_resnet() -> None:
    costs = rows("densenet", 1)
    assert [row["layers"] for row in costs] == [121, 169, 201, 265]
    assert {row["growth_rate"] for row in costs} == {32}
    assert [row["params"] for row in costs] == [7_978_856, 14_149_480, 20_013_928, 33_337_704]
    assert [row["top1_error"] for row in costs] == [25.02, 23.8, 22.58, 22.15]
    pairs = {row["network"]: row for row in rows("densenet", 2)}
    pair = pairs["DenseNet-201"]
    assert (pair["params"], pair["top1_error"]) == (20_013_928, 22.58)
    assert (pair["compared"], pair["compared_params"], pair["compared_error"]) == ("ResNet-101", 44_549_160, 22.44)
    assert pair["params_share"] == pytest.approx(20_013_928 / 44_549_160)
    assert [row["compared"] for row in pairs.values()] == ["ResNet-50", "ResNet-50", "ResNet-101", "ResNet-152"]


def test_ilsvrc(capsys: pytest.CaptureFixture[str]) -> None:
    keys = ("team", "year", "place", "top5_error", "external_data", "layers", "params")
    assert [tuple(row[key] for key in keys) for row in rows("ilsvrc", 0)] == [
        ("SuperVision", 2012, None, 16.4, "no", 8, 60_965_224),
        ("SuperVision", 2012, 1, 15.3, "ImageNet 22k", 8, 60_965_224),
        ("Clarifai", 2013, None, 11.7, "no", None, None),
        ("Clarifai", 2013, 1, 11.2, "ImageNet 22k", None, None),
        ("VGG", 2014, 2, 7.32, "no", 16, 138_357_544),
        ("GoogLeNet", 2014, 1, 6.67, "no", 22, 6_625_000),
        ("MSRA", 2015, 1, 3.57, "no", 152, 60_192_808),
    ]
    out = shown(capsys, "table", "ilsvrc")
    assert "Sources: Krizhevsky 2012, NIPS, Table 2; Szegedy 2014, arXiv:1409.4842, Table 2; He 2015" in out
    assert next(line for line in out.splitlines() if line.startswith("2014  VGG-16")).split()[2:4] == [
        "138.358",
        "15.470",
    ]


def test_printed_figures() -> None:
    assert agrees(3_644_493_824, "3.6", 1e9) and not agrees(3_663_761_408, "3.6", 1e9)
    assert [rounded(3_857_973_248, text, 1e9) for text in ("4", "3.8", "3.86")] == ["4", "3.9", "3.86"]
    for name, figures in PRINTED.items():
        for figure in figures:
            assert figure.source and (figure.macs or figure.params)
            count = LANDMARKS[name].macs if figure.macs else LANDMARKS[name].params
            assert count == pytest.approx(
                float(figure.macs or figure.params or 0) * (1e9 if figure.macs else 1e6), 0.045
            )


@pytest.mark.parametrize("name", TABLES)
def test_the_three_forms_of_a_table(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(shown(capsys, "table", name, "--json"))
    text, markdown = shown(capsys, "table", name), shown(capsys, "table", name, "--markdown")
    assert data["sources"] and all(source in text and source in markdown for source in data["sources"])
    for table in data["tables"]:
        assert table["title"] in text and f"**{table['title']}**" in markdown
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(lines) == sum(2 + len(table["rows"]) for table in data["tables"])


def test_published_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "p.png"
    assert draw_command(["published", "--out", str(out), "--family", "resnet", "densenet", "--x", "params"]) == 0
    assert capsys.readouterr().out.startswith("15 networks, parameters (M) against published top-1 error on ImageNet")
    assert out.read_bytes().startswith(b"\x89PNG")
    own = tmp_path / "own.json"
    own.write_text('[{"name": "mine", "macs": "2G", "params": "9M", "top1_error": 21.5}]')
    out = tmp_path / "p.svg"
    words = ["published", "--out", str(out), "--family", "vgg", "--landmark", str(own), "--theme", "dark"]
    assert draw_command(words) == 0
    assert capsys.readouterr().out.startswith("3 networks, GFLOPs")
    assert b"</svg>" in out.read_bytes()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--out", "p.jpg"], "expected a name that ends in one of .png, .svg, .pdf"),
        (["--out", "p.png", "--family", "nets"], "--family 'nets': expected some of alexnet"),
        (
            ["--out", "p.png", "--family", "regnetx", "--target", "cifar"],
            "none of these has a published error on cifar",
        ),
        (["--out", "p.png", "--landmark", "none.txt"], "ends with .json or .csv"),
    ],
)
def test_published_refuses(
    words: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert draw_command(["published", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and reason in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_points_by_parameters() -> None:
    data = published_plot(
        "imagenet", [LANDMARKS["resnet50"], LANDMARKS["densenet201"], LANDMARKS["wrn_28_10"]], "params"
    )
    assert [(point.x, point.y) for line in data.lines for point in line.points] == [
        (25.557032, 24.01),
        (20.013928, 22.58),
    ]
    assert data.sizes == (5_000_000, 25_000_000)
    assert "multiply-adds" not in data.footnote + data.x_label


def test_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    assert "'vgg': expected one of resnet, resnext, densenet, ilsvrc" in refused(capsys, "table", "vgg")
    assert "expected one of them" in refused(capsys, "table", "resnet", "--json", "--markdown")


@pytest.mark.parametrize("page", PAGES)
def test_pages_show_what_is_printed_now(page: str) -> None:
    path = DOCS / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    assert PLACE.search(text)
    assert refresh(text) == text, f"type python -m docs.refresh docs/{page}.md"


def test_a_page_that_is_not_current() -> None:
    page = "before\n<!-- python -m space show resnet50 --layers | grep conv1 -->\nold\n<!-- end -->\nafter"
    text = refresh(page)
    assert "118,013,952" in text and "old" not in text and "layer1.1.bn1" not in text
    assert text.startswith("before\n") and text.endswith("\n```\n\n<!-- end -->\nafter")
    with pytest.raises(ValueError, match="table nothing fails"):
        refresh("<!-- python -m space table nothing -->\n<!-- end -->")


def test_the_index_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    assert {f"{page}.md" for page in PAGES} <= set(links)
    assert [link for link in links if not (DOCS / link).exists()] == []
    for page in PAGES:
        pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (DOCS / f"{page}.md").read_text(encoding="utf-8"))
        assert pictures and all((DOCS / picture).stat().st_size < 150_000 for picture in pictures)
