"""What measurements have saved as JSON, read for pictures: one sentence for whatever is no such report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def a_report_of(command: str) -> Iterator[None]:
    """For reading the content of COMMAND.json, which ``python -m evaluate COMMAND`` wrote.

    Raises:
        ValueError: in place of what content of another form raises inside.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"no {command} report ({error!r}): expected the content of a {command}.json that python -m evaluate "
            f"{command} wrote"
        ) from error
