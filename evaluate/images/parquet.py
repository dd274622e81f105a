"""Folders of parquet files in the Hugging Face image layout.

They are read with pyarrow, which `datasets` uses too: `datasets.load_dataset` would first write the whole table to disk
once more, unpacked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from evaluate.images.decode import Source, first_line
from evaluate.images.tables import BATCH, TEST, VALIDATION, Part, Table, find_columns, first_labelled, said, stamp_of
from space.shell.reading import check_regular


def open_parquet(folder: Path, files: Sequence[Path], options: Mapping[str, str], final: bool) -> Source:
    """The training split of a folder's parquet files, or the split for a final evaluation.

    Args:
        folder: what the user gave.
        files: all its parquet files.
        options: ``split``, ``image`` and ``label``, where the user chose.
        final: whether the split for the final evaluation is meant: test, else validation.

    Raises:
        ValueError: if there is nothing usable; it names the folder or the file.
    """
    train = split_files(folder, files, options.get("split"))
    if not final:
        table = _parquet(folder, train, options, guessed="split" not in options)
        return table.source(table.values())
    rest = [file for file in files if file not in set(train)]
    groups = (
        [file for file in rest if any(kind.match(part) for part in file.relative_to(folder).parts)]
        for kind in (TEST, VALIDATION)
    )
    return first_labelled(f"data {folder}", (_parquet(folder, group, options, True) for group in groups if group))


def split_files(folder: Path, files: Sequence[Path], split: str | None = None) -> list[Path]:
    """The parquet files of a split; of training, unless told: ``train*``, else those that no other split's name is on.

    Raises:
        ValueError: if there are none.
    """

    def parts(path: Path) -> Sequence[str]:  # data/train-00000-of-00001.parquet, default/train/0000.parquet
        return path.relative_to(folder).parts

    def is_other(part: str) -> bool:
        return bool(TEST.match(part) or VALIDATION.match(part))

    if split is not None:
        word = re.compile(re.escape(split) + r"(?![a-z0-9])", re.IGNORECASE)
        chosen = [path for path in files if any(word.match(part) for part in parts(path))]
        if not chosen:
            known = sorted({re.sub(r"-\d+(-of-\d+)?$", "", path.stem) for path in files})
            raise ValueError(f"data {folder} has no split {split}: its files are {', '.join(known)}")
        return chosen
    train = [path for path in files if any(part.lower().startswith("train") for part in parts(path))]
    train = [path for path in train if not is_other(path.name)]
    rest = [path for path in files if not any(is_other(part) for part in parts(path))]
    if not (train or rest):
        raise ValueError(f"data {folder} holds no training split, only {files[0].name}: name its files train*.parquet")
    return train or rest


def _parquet(folder: Path, files: Sequence[Path], options: Mapping[str, str], guessed: bool) -> Table:
    what = f"data {folder}"
    features = _parquet_features(files[0])
    image, label = find_columns(what, features, options)
    for file in files[1:]:
        own = _parquet_features(file)
        if any(own.get(column) != features[column] for column in (image, label)):
            raise ValueError(f"{what} is not one table: columns or classes of {file.name} differ from {files[0].name}")
    names = [str(file.relative_to(folder)) for file in files]
    split = names[0] if len(names) == 1 else f"{len(names)} files from {names[0]} to {names[-1]}"
    parts = [Part(name, _parquet_reader(file)) for name, file in zip(names, files, strict=True)]
    origin = "parquet: " + said([(split, guessed)], image, label, options)
    return Table(what, folder.resolve().name, origin, image, label, features[label], parts, stamp_of(files))


def _parquet_features(file: Path) -> dict[str, Any]:
    """The columns of a file that is all right as far as its footer tells."""
    import datasets

    try:
        check_regular(file)
        footer = pq.read_metadata(file)
        features = dict(datasets.Features.from_arrow_schema(footer.schema.to_arrow_schema()))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"{file} is no readable parquet file: {first_line(error)}") from error
    if not footer.num_rows:
        raise ValueError(f"{file} holds no rows")
    return features


def _parquet_reader(file: Path) -> Callable[[str], Iterator[Any]]:
    def read(column: str) -> Iterator[Any]:
        try:
            with pq.ParquetFile(file) as table:
                for batch in table.iter_batches(BATCH, columns=[column]):
                    yield batch.column(0)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{file} is damaged: {first_line(error)}") from error

    return read
