"""``scores.jsonl``: a line that says what is measured, then one for each score, on the disk as soon as it is there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from evaluate.fidelity.network import SeedScore
from evaluate.training.recipe import Recipe
from space.shell.reading import read_bytes

MOST_BYTES = 1 << 30
Records = dict[tuple[str, int | None], dict[str, Any]]  # by network and seed; zero-cost scores under None


def seed_score(record: dict[str, Any]) -> SeedScore:
    """What a ranking needs of a record.

    Raises:
        KeyError: if it is not the record of a score.
    """
    score = record["score"]
    if score["state"] != "complete":
        return SeedScore(record["seed"], score["seconds"], None, None, None, score["reason"] or score["state"])
    train_loss = score["curve"][-1]["train_loss"]
    return SeedScore(record["seed"], score["seconds"], score["top1"], score["loss"], train_loss)


def open_scores(path: Path, setting: dict[str, Any]) -> Records:
    """The records that are there, ready for more: a line that was cut off is taken away.

    Raises:
        ValueError: if they are of another setting, or damaged.
    """
    header, records = read_scores(path)
    if header is None:
        path.unlink(missing_ok=True)
        return {}
    if difference := _difference(header["setting"], setting):
        raise ValueError(
            f"{path.parent} holds scores of another setting, {difference}: choose another directory, or remove this "
            "one to begin anew"
        )
    content = path.read_bytes()
    os.truncate(path, content.rindex(b"\n") + 1)
    return records


def read_scores(path: Path) -> tuple[dict[str, Any] | None, Records]:
    """The header (None before the first score) and the records; a last line that was cut off is passed over.

    Raises:
        ValueError: for a damaged line before the last; it says which.
    """
    try:
        lines = read_bytes(path, MOST_BYTES).split(b"\n")[:-1]
    except FileNotFoundError:
        return None, {}
    header: dict[str, Any] | None = None
    records: Records = {}
    for count, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if header is None:
                header = {"setting": record["setting"], "environment": record["environment"]}
            elif "zero_cost" in record:
                records[record["network"], None] = record
            else:
                seed_score(record)
                records[record["network"], record["seed"]] = record
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{path}: line {count} is damaged ({error!r}): take it out, or remove the file") from error
    return header, records


def append_score(path: Path, header: dict[str, Any], record: dict[str, Any]) -> None:
    """One line in one write, on the disk before this returns; what is cut off all the same is the last line alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        lines = [record] if file.tell() else [header, record]
        file.write(b"".join(json.dumps(line, allow_nan=False).encode() + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def _difference(there: dict[str, Any], here: dict[str, Any]) -> str:
    """In what two settings differ, in words; the names of recipe and data may differ, "" if nothing else does."""
    for key, value in here.items():
        if key == "recipe":
            old = Recipe.from_json(there["recipe"]).to_json()  # with what has been added to recipes since
            for field, now in value.items():
                if field != "name" and old[field] != now:
                    return f"recipe {field} {old[field]!r} there, {now!r} here"
        elif key == "networks" and there.get(key) != value:
            return "other networks or published figures there"
        elif key != "data" and there.get(key) != value:
            return f"{key} {there.get(key)!r} there, {value!r} here"
    return ""
