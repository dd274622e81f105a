"""`python -m results show`: rows, order, columns, formats; and what stands beside the scores."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from results import frontier_table, load_run
from results.__main__ import main
from results.cli.filters import where
from results.export.tables import FORMATS, render
from results.run.columns import COLUMNS, page
from results.run.run import Run

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {column.name: column for column in COLUMNS}


@pytest.fixture(scope="module")
def small(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve networks, all finished, at 30 M."""
    directory = tmp_path_factory.mktemp("show") / "small"
    return make_run(directory, budget="0.03G", input_size=32, classes=10, samples=12, landmarks=False)


@pytest.fixture(scope="module")
def run(small: Path) -> Run:
    return load_run(small)


def columns(*names: str) -> list[str]:
    return ["--columns", ",".join(names)]


def said(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["show", *map(str, words)]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["show", *map(str, words)]) == 2
    output = capsys.readouterr()
    assert not output.out
    assert output.err.count("\n") == 1, "one sentence"
    return output.err


def test_the_page_of_columns_is_current() -> None:
    assert (ROOT / "docs" / "columns.md").read_text() == page() + "\n", (
        "python -m results.run.columns > docs/columns.md"
    )
    assert page().count("\n| `") == len(COLUMNS)


def test_rows_order_and_columns(small: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    frame = run.frame()
    best = frame.sort_values("proxy_top1", ascending=False)["trial"].tolist()
    words = ("--sort", "proxy_top1:desc", "--limit", "3", "--format", "csv", *columns("trial", "proxy_top1"))
    table = pd.read_csv(io.StringIO(said(capsys, small, *words)))
    assert table["trial"].tolist() == best[:3]
    assert list(table.columns) == ["trial", "proxy_top1"]
    limit = int(frame["macs"].median())
    words = ("--where", f'macs < {limit} and family == "resnet"', "--format", "json", *columns("trial", "macs"))
    expected = frame[(frame["macs"] < limit).fillna(False) & (frame["family"] == "resnet")]
    records = json.loads(said(capsys, small, *words))
    assert records == [{"trial": t, "macs": m} for t, m in zip(expected["trial"], expected["macs"], strict=True)]
    frontier = json.loads(said(capsys, small, "--frontier", "--format", "json", *columns("trial")))
    assert [row["trial"] for row in frontier] == run.frontier()["trial"].tolist()


def test_text_fits_and_is_aligned(small: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, small).splitlines()
    assert len(lines) == 2 + len(run.frame())
    assert max(map(len, lines)) <= 120
    end = lines[0].index("macs") + len("macs")
    assert lines[1][:end].endswith("M")
    assert lines[2][end - 5 : end].strip() == f"{run.frame()['macs'][0] / 1e6:.2f}"
    assert said(capsys, small, "--where", "macs < 0") == "no row\n"
    empty = run.frame().assign(macs=pd.array([None] * len(run.frame()), dtype="Int64"))
    for kind in FORMATS:  # also of columns in which everything is missing
        assert render(run.frame(), COLUMNS, kind) and render(empty, COLUMNS, kind)


def test_conditions(run: Run) -> None:
    frame = run.frame()

    def trials(condition: str) -> list[int]:
        return list(where(frame, condition)["trial"])

    assert trials("trial in [1, 3]") == [1, 3]
    assert trials("1 <= trial < 3 or trial == 5") == [1, 2, 5]
    assert trials("not (trial > 2)") == [0, 1, 2]
    assert trials("trial * 2 - 1 == 3") == [2]
    assert trials("on_frontier") == sorted(run.frontier()["trial"])
    assert trials('state != "complete"') == frame.loc[frame["state"] != "complete", "trial"].tolist()
    assert trials("macs > -1") == frame.loc[frame["macs"].notna(), "trial"].tolist(), "missing values do not compare"
    assert trials('family not in ("resnet", "densenet") and proxy_top1 > 0') == (
        frame[~frame["family"].isin(["resnet", "densenet"]) & frame["proxy_top1"].notna()]["trial"].tolist()
    )


def test_missing_values_follow_one_rule() -> None:
    """What is compared with a missing value is unknown, and so is its opposite: neither is shown."""
    frame = pd.DataFrame({
        "whole": pd.Series([1, None, 3], dtype="Int64"), "real": [1.0, float("nan"), 3.0], "text": ["a", None, "c"],
        "truth": pd.Series([True, None, False], dtype="boolean"),
        "time": pd.to_datetime(["2026-01-01", None, "2026-03-01"]),
    })  # fmt: skip
    for condition in (
        "whole < 2", "real < 2", "text == 'a'", "truth", "time < '2026-02-01'", "whole in [1, 2]", "text in ('a',)",
        "whole + 1 < 3", "1 < 2 > whole", "truth == True", "not whole != real - 0", "real in [1, 2]", "whole / 0 > 1",
    ):  # fmt: skip
        rows = list(where(frame, condition).index)
        assert rows == ([0, 2] if condition in ("not whole != real - 0", "whole / 0 > 1") else [0]), condition
        assert list(where(frame, f"not ({condition})").index) == ([] if len(rows) == 2 else [2]), condition
    assert list(where(frame, "text not in ['a']").index) == list(where(frame, "text != 'a'").index) == [2]
    assert list(where(frame, "whole < 2 or truth or 1 < 2").index) == [0, 1, 2]  # known, whatever is missing
    assert list(where(frame, "1 / 0 > 2 and 0 / 0 != 0 and -(1 - 1) == 0").index) == [0, 1, 2]
    assert list(where(frame, f"whole < {10**400} and whole > -1e999").index) == [0, 2]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("flops < 3", "there is no column 'flops'; there are trial, kind, "),
        ("__import__('os').system('true')", "there is no column|expected columns, numbers"),
        ("macs.max() > 3", "expected columns, numbers and quoted text"),
        ("macs.__class__ == 3", "expected columns, numbers and quoted text"),
        ("config[0] == 'a'", "expected columns, numbers and quoted text"),
        ("@frame.trial == 1", "cannot be read"),
        ("`trial` == 1", "cannot be read"),
        ("trial = 1", "cannot be read"),
        ("(lambda: 1)() == 1", "expected columns, numbers and quoted text"),
        ("9 ** 9 ** 9 > trial", "expected columns, numbers and quoted text"),
        ("'a' * 10000000000 == family", "'a' is a text, expected a number there"),
        ("f'{trial}' == '1'", "expected columns, numbers and quoted text"),
        ("trial + 1", "is no condition"),
        ("True", "is no condition"),
        ("family < 3", "3 is a number, expected a text there; expected a condition such as"),
        ("macs in (loss / trial) / reason", "expected a list behind in"),
        ("(loss / trial) / reason > 2", "reason is a text, expected a number there"),
        ("macs in []", "expected a list behind in"),
        ("trial in [1, 'a']", "'a' is a text, expected a number"),
        ("macs", "is no condition"),
        ("macs and trial", "macs is a number, expected true or false"),
        ("-family < 3", "family is a text"),
        ("on_frontier < True", "on_frontier is true or false, expected a number"),
        ("trial is 1", "expected columns, numbers"),
        ("trial == None", "expected columns, numbers"),
        ("trial == 1j", "expected columns, numbers"),
        ("started > 'soon'", "'soon' is no time"),
        ("started > 3", "3 is a number, expected a time"),
        ("not " * 200 + "on_frontier", "parts within parts"),
        ("(" * 500 + "1" + ")" * 400, "cannot be read"),
        ("1" * 2000, "at most 1000"),
        ("", "cannot be read"),
    ],
)
def test_conditions_that_are_refused(run: Run, condition: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        where(run.frame(), condition)


@pytest.mark.parametrize("command", ["show", "compare"])
def test_help_loads_nothing_heavy(command: str) -> None:
    code = (
        "import sys\nfrom results.__main__ import main\n"
        f"try:\n    main(['{command}', '--help'])\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "heavy = {'torch', 'optuna', 'pandas', 'matplotlib', 'numpy', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"usage: python -m results {command}" in done.stdout


def test_what_cannot_be_done_is_one_sentence(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no column 'flops'" in refused(capsys, small, "--sort", "flops")
    assert "COLUMN:desc" in refused(capsys, small, "--sort", "macs:down")
    assert "--columns 'flops': expected all, or some of trial" in refused(capsys, small, "--columns", "trial,flops")
    assert "from 1" in refused(capsys, small, "--limit", "0")
    assert "--out FILE.parquet" in refused(capsys, small, "--format", "parquet")
    assert ".txt, .csv, .parquet, .json, .tex, .md" in refused(capsys, small, "--out", tmp_path / "table.xls")
    assert "is a directory" in refused(capsys, small, "--out", tmp_path)
    assert "does not exist" in refused(capsys, tmp_path / "none")
    (tmp_path / "file").write_text("")
    refused(capsys, small, "--out", tmp_path / "file" / "table.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "nothing is left half-written"


def test_parquet_keeps_types_and_meanings(small: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "table.parquet"
    assert main(["show", str(small), "--out", str(out)]) == 0  # all columns: it is for a program
    pd.testing.assert_frame_equal(pd.read_parquet(out), run.frame())
    field = pq.read_schema(out).field("macs")
    assert field.metadata[b"unit"] == b"multiply-adds"
    assert field.metadata[b"meaning"].decode() == KNOWN["macs"].meaning


def hostile() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial": [7, 8],
            "macs": pd.array([1_234_567_890, None], dtype="Int64"),
            "proxy_top1": [91.005, float("nan")],
            "reason": pd.Series([None, "50% | a_b & <b>$x$</b>\nline \\ #{2} ~ ^ `c` *d* [e]"], dtype="str"),
            "started": pd.to_datetime(["2026-11-23 12:00:01", None]),
            "on_frontier": [True, False],
        }
    )


SHOWN = [KNOWN[name] for name in ("trial", "macs", "proxy_top1", "reason", "started", "on_frontier")]


def test_markdown() -> None:
    lines = render(hostile(), SHOWN, "markdown").decode().splitlines()
    assert lines == [
        "| trial | macs (G) | proxy top1 (%) | reason | started (local time) | on frontier |",
        "| --: | --: | --: | --- | --- | --- |",
        "| 7 | 1.235 | 91.00 |  | 2026-11-23 12:00:01 | yes |",
        r"| 8 |  |  | 50% \| a\_b \& \<b\>$x$\</b\> line \\ #{2} \~ ^ \`c\` \*d\* \[e\] |  | no |",
    ]


def test_latex() -> None:
    lines = render(hostile(), SHOWN, "latex").decode().splitlines()
    assert lines[1:5] == [
        r"\begin{tabular}{rrrlll}",
        r"    \toprule",
        r"    trial & macs (G) & proxy top1 (\%) & reason & started (local time) & on frontier \\",
        r"    \midrule",
    ]
    assert lines[5] == r"    7 & 1.235 & 91.00 & -- & 2026-11-23 12:00:01 & yes \\"
    assert lines[6] == (
        r"    8 & -- & -- & 50\% | a\_b \& \textless{}b\textgreater{}\$x\$\textless{}/b\textgreater{} line "
        r"\textbackslash{} \#\{2\} \textasciitilde{} \textasciicircum{} `c` *d* [e] & -- & no \\"
    )
    assert lines[7:] == [r"    \bottomrule", r"\end{tabular}"]


def test_json_has_null_for_what_is_missing() -> None:
    first, second = json.loads(render(hostile(), SHOWN, "json"))
    assert first == {
        "trial": 7, "macs": 1_234_567_890, "proxy_top1": 91.005, "reason": None, "started": "2026-11-23T12:00:01",
        "on_frontier": True,
    }  # fmt: skip
    assert (second["macs"], second["proxy_top1"], second["started"]) == (None, None, None)
    assert render(hostile().iloc[:0], SHOWN, "json") == b"[]\n"


# ------------------------------------------------------------------------------------------ trained further


def report(directory: Path, run: Run, trial: int, epochs: int, top1: float, recipe: str = "full") -> None:
    directory.mkdir(parents=True)
    content = {"config": run.candidate(trial).config.to_json(), "recipe": {"name": recipe}, "epochs_done": epochs}
    (directory / "train.json").write_text(json.dumps(content | {"top1": top1, "held_out": 1000}))


def test_trainings_stand_beside_the_scores(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = Path(shutil.copytree(small, tmp_path / "run"))
    run = load_run(directory)
    assert run.frame()["trained_top1"].isna().all() and run.notes == ()
    assert "trained top-1" not in frontier_table(run)
    first, last = (int(run.frontier()["trial"].iloc[place]) for place in (0, -1))
    report(directory / "trained" / "a", run, first, 10, 70.0, "short")
    report(directory / "trained" / "b", run, first, 200, 80.5)
    report(directory / "trained" / "c", run, first, 200, 99.0)  # as long: the first by name counts
    report(directory / "trained" / "d", run, last, 3, 101.0)
    (directory / "trained" / "e").mkdir()
    (directory / "trained" / "e" / "train.json").write_text("{")
    (directory / "trained" / "f").mkdir()  # one that has not ended
    again = load_run(directory)
    frame = again.frame().set_index("trial")
    assert frame["trained_top1"].dropna().to_dict() == {first: 80.5}
    assert frame["trained_recipe"].dropna().to_dict() == {first: "full"}
    assert [frame[name].dtype for name in ("trained_top1", "trained_recipe")] == ["float64", "str"]
    assert len(again.notes) == 2
    assert again.notes[0].endswith("d/train.json was left out: its top1 is 101.0, no percentage")
    table = frontier_table(again).splitlines()
    assert "trained top-1 (%)  by recipe" in table[0]
    assert "80.50 ± 1.25  full" in table[1]
    assert table[-2:] == list(again.notes)
    assert main(["show", str(directory), "--frontier"]) == 0
    output = capsys.readouterr()
    assert "trained_top1  trained_recipe" in output.out.splitlines()[0]
    assert output.err.count("was left out") == 2


def test_best_takes_limits_as_text(run: Run) -> None:
    assert run.best("20M", "1M") == run.best(20e6, 1e6)
    with pytest.raises(ValueError, match="max_macs '2 apples': expected a number"):
        run.best(max_macs="2 apples")
