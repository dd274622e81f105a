"""What a run goes by, for its frontier, its best network and its pictures."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Score:
    """One kind of score; a new one is one line of `SCORES`."""

    name: str
    column: str  # of the table of `results.run.columns`, in percent
    noun: str  # "proxy top-1"
    error: bool  # whether the column is an error, of which less is better

    def worth(self, frame: pd.DataFrame) -> pd.Series:
        """Percent of top-1 that choices go by: of expected errors the cautious ones."""
        return 100 - frame["cautious_error"] if self.error else frame[self.column]

    def top1(self, frame: pd.DataFrame) -> pd.Series:
        """Percent of top-1, of which more is better."""
        return 100 - frame[self.column] if self.error else frame[self.column]


SCORES = {
    each.name: each
    for each in (
        Score("expected", "expected_error", "expected top-1", True),
        Score("proxy", "proxy_top1", "proxy top-1", False),
    )
}
