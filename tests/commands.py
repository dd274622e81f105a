"""Commands in the process of the tests: how one ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """Exit status and what was written."""

    status: object
    out: str
    err: str
