"""Datasets of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluate.images.decode import Source, first_line
from evaluate.images.tables import BATCH, TEST, VALIDATION, Part, Table, find_columns, first_labelled, said, stamp_of


def open_hub(name: str, options: Mapping[str, str], final: bool) -> Source:
    """A split of a dataset of the Hugging Face hub, or of its copy in the library's own cache.

    Args:
        name: ``owner/name``.
        options: ``config``, ``split``, ``image`` and ``label``, where the user chose.
        final: whether the split for the final evaluation is meant: test, else validation.

    Raises:
        ValueError: if it cannot be had, or there is nothing usable in it.
    """
    what = f"data {name}"
    splits = _load(name, options.get("config"))
    asked = options.get("split")
    if asked is not None and asked not in splits:
        raise ValueError(f"{what} has no split {asked}: its splits are {', '.join(splits)}")
    train = asked or next((split for split in splits if split.lower() == "train"), None)
    if train is None:
        rest = [split for split in splits if not (TEST.match(split) or VALIDATION.match(split))]
        if len(rest) != 1:
            raise ValueError(f"{what} has no split train, only {', '.join(splits)}: choose one by {name}?split=")
        train = rest[0]
    if not final:
        table = _hub_table(name, splits, train, options, asked is None)
        return table.source(table.values())
    others = [split for kind in (TEST, VALIDATION) for split in splits if split != train and kind.match(split)]
    return first_labelled(what, (_hub_table(name, splits, split, options, True) for split in others))


def _load(name: str, config: str | None) -> Mapping[str, Any]:
    """All splits of a dataset; what the library says when it fails, as one sentence that says what to do."""
    import datasets

    what = f"data {name}"
    try:
        return dict(datasets.load_dataset(name, config))
    except ConnectionError as error:
        raise ValueError(
            f"{what}: there is no such folder here, the Hugging Face hub cannot be reached, and no copy is in its "
            "local cache: go online once, or give a folder of parquet files or of images"
        ) from error
    except datasets.exceptions.DatasetNotFoundError as error:
        if "gated" in str(error):
            raise ValueError(
                f"{what} is gated: accept its terms at huggingface.co/datasets/{name}, then log in by `hf auth login` "
                "or set HF_TOKEN"
            ) from error
        raise ValueError(
            f"{what}: there is no such folder here, and the Hugging Face hub has no dataset of that name that can be "
            "read without a login"
        ) from error
    except FileNotFoundError as error:  # EmptyDatasetError, DataFilesNotFoundError
        raise ValueError(f"{what} holds no files that the datasets library reads as a table or as images") from error
    except Exception as error:  # what else the library raises has no common class
        if "scripts are no longer supported" in str(error):
            raise ValueError(
                f"{what} needs a loading script, which is never run: give a copy of it as parquet"
            ) from error
        if isinstance(error, ValueError) and (configs := datasets.get_dataset_config_names(name)):
            if config is None and len(configs) > 1:
                raise ValueError(
                    f"{what} has several configurations: choose by ?config=, of {', '.join(configs)}"
                ) from error
            if config is not None and config not in configs:
                raise ValueError(f"{what} has no configuration {config}: expected {', '.join(configs)}") from error
        raise ValueError(f"{what} cannot be loaded: {first_line(error.__cause__ or error)}") from error


def _hub_table(name: str, splits: Mapping[str, Any], split: str, options: Mapping[str, str], guessed: bool) -> Table:
    what = f"data {name}"
    rows = splits[split]
    if not len(rows):
        raise ValueError(f"{what}: split {split} holds no rows")
    image, label = find_columns(what, rows.features, options)

    def read(column: str) -> Iterator[Any]:
        for table in rows.select_columns([column]).with_format("arrow").iter(BATCH):
            yield from table.column(0).chunks

    config = [(f"config {options['config']}", False)] if "config" in options else []
    origin = "hub: " + said([*config, (f"split {split}", guessed)], image, label, options)
    stamp = stamp_of([Path(file["filename"]) for file in rows.cache_files])
    parts = [Part(f"split {split}", read)]
    # sets of image files hold the files' places in the library's cache
    return Table(what, name, origin, image, label, rows.features[label], parts, stamp, follow=True)
