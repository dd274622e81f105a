"""Budgets: what is read and refused, and how counts are written."""

import pytest

from space import Budget, gflops
from space.budget import parse_count


@pytest.mark.parametrize(
    ("text", "macs"),
    [
        ("4.1GFLOPs", 4_100_000_000),
        ("4.1 GMACs", 4_100_000_000),
        ("4.1gflops", 4_100_000_000),
        ("4.1 G", 4_100_000_000),
        ("600M", 600_000_000),
        ("600MFLOP", 600_000_000),
        ("4.1e9", 4_100_000_000),
        ("4.1E+9", 4_100_000_000),
        ("0.6G", 600_000_000),
        (".6G", 600_000_000),
        ("1T", 10**12),
        ("5000k", 5_000_000),
        ("4089184256", 4_089_184_256),
        ("  1G  ", 10**9),
        ("1M", 1_000_000),
        ("4_100_000_000", 4_100_000_000),
        ("1_000M", 1_000_000_000),
    ],
)
def test_budget_reads(text, macs):
    assert Budget.parse(text) == Budget(macs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "G",
        "0",
        "0G",
        "-1G",
        "+1G",
        "nan",
        "inf",
        "infG",
        "1e999",
        "4.1.2G",
        "4,1G",
        "4.1GB",
        "4.1 parsecs",
        "4.1GFLOPs/s",
        "0x10G",
        "ten",
        "1e400G",
        "1",
        "999999",
        "1000T",
        "1__000M",
        "_1G",
        "1_G",
        "4.1GG",
        ".",
        ".G",
        "\n",
        "٤G",
    ],
)
def test_budget_refuses(text):
    with pytest.raises(ValueError, match="budget") as refusal:
        Budget.parse(text)
    assert "4.1GFLOPs" in str(refusal.value)


@pytest.mark.parametrize("macs", [0, -1, 999_999, 10**15, 4.1e9, "4.1G", True, None])
def test_budget_checks_where_it_is_made(macs):
    with pytest.raises(ValueError, match="budget"):
        Budget(macs)


def test_budget_writes_what_it_reads():
    for text in ("4.1GFLOPs", "600MFLOPs", "1TFLOPs"):
        assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)
    assert str(Budget(4_100_000_000)) == "4.1GFLOPs"
    assert [gflops(value) for value in (4_089_184_256, 620_000_000, 15_460_270_080, 40_551_040, 900)] == [
        "4.09G",
        "620M",
        "15.46G",
        "40.55M",
        "900",
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("25M", 25_000_000),
        ("25.6M", 25_600_000),
        (" 25.6 m ", 25_600_000),
        ("25_000_000", 25_000_000),
        ("1.5e7", 15_000_000),
        ("300k", 300_000),
        ("1", 1),
        ("10T", 10**13),
    ],
)
def test_counts_read(text, count):
    assert parse_count(text, "--max-params") == count


@pytest.mark.parametrize(
    "text", ["", "0", "0.4", "-1M", "nan", "inf", "1e308T", "11T", "25M params", "25MB", "25GFLOPs", "2.5.6M", "many"]
)
def test_counts_refuse_and_name_the_flag(text):
    with pytest.raises(ValueError, match=r"^--max-params .* for example --max-params 25\.6M$"):
        parse_count(text, "--max-params")
