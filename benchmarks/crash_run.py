"""The run that `benchmarks.crash` kills: its command, and where a start of it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crash_checks import Stored, leftovers, read_study
from search.run.log import read_log

TRIALS, LANDMARKS = 10, ("cifar_resnet20", "cifar_resnet32")
NETWORKS = TRIALS + len(LANDMARKS)
RECIPE = {
    "name": "tiny", "epochs": 2, "batch_size": 64, "learning_rate": 0.1, "resolution": 8, "proxy_macs": 300_000,
    "stem": "cifar", "train_images": 128, "flip": False, "crop": False,
}  # fmt: skip
COMMAND = [
    "--budget", "50M", "--input", "32", "--classes", "10", "--families", "resnet", "wide_resnet", "--recipe",
    "tiny.json", "--landmarks", *LANDMARKS, "--early-stopping", "--refine", "0.5", "--trials", str(TRIALS),
]  # fmt: skip
WRITING = ("networks done, writing", "files half replaced")
PHASES = ("before the study", "opening", "proposing", "training", "recorded, not told", *WRITING)


def lines(log: Path) -> int:
    """How many lines the log has."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


@dataclass
class Run:
    """One run, killed and continued until it is done."""

    directory: Path
    command: list[str]
    output: Path
    seen: dict[int, Stored] = field(default_factory=dict)
    kills_when_done: int = 0

    @property
    def left(self) -> int:
        """Networks that are missing."""
        return NETWORKS - len(self.seen)

    def written(self) -> int | list[Path]:
        """Changes while a network is recorded, or, if there is none left, while files are replaced."""
        if not self.left:
            return leftovers(self.directory)
        try:
            return (self.directory / "study.db-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def phase(self, process: int) -> str:
        """Where the start of this process is, or was when it was killed."""
        study = read_study(self.directory)
        log = read_log(self.directory / "log.jsonl")
        starts = [place for place, event in enumerate(log) if event["event"] == "begin"]
        if any(f"-{process}." in path.name for path in leftovers(self.directory)):
            return "files half replaced"
        if not starts or log[starts[-1]]["process"] != process:
            return "opening" if study.created else "before the study"
        if len(study.trials) == NETWORKS:
            return "networks done, writing"
        if len(study.trials) > sum(event["event"] == "finish" for event in log):
            return "recorded, not told"
        return "training" if log[-1]["event"] in ("start", "retry") else "proposing"
