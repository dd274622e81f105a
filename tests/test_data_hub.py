"""Datasets of the hub: the real library, talking to a hub of a few files on this machine, then to none."""

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
COMMIT = "a" * 40
GATED = "gated"

CODE = """
import json, sys
from evaluate.images.load import load_data, load_test
for line in sys.stdin:
    kind, spec = json.loads(line)
    try:
        data = (load_test if kind == "test" else load_data)(spec, 8)
        images = data.images if kind == "test" else data.train_images
        answer = {
            "name": data.name, "origin": data.origin, "key": data.key, "classes": data.class_names,
            "shape": list(images.shape), "red": sorted(images[:, 0, 0, 0].tolist()),
        }
    except ValueError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"""


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 10, 20)).save(buffer, "PNG")
    return buffer.getvalue()


def table(n: int, image: str = "img", label: str = "label", unlabelled: bool = False, **more: list[Any]) -> bytes:
    features = datasets.Features(
        {image: datasets.Image(), label: datasets.ClassLabel(names=["cat", "dog"])}
        | {name: datasets.Value("int64") for name in more}
    )
    images = [{"bytes": png(i), "path": None} for i in range(n)]
    labels = [-1 if unlabelled else i % 2 for i in range(n)]
    buffer = io.BytesIO()
    datasets.Dataset.from_dict({image: images, label: labels, **more}, features).to_parquet(buffer)
    return buffer.getvalue()


CONFIGS = b"---\nconfigs:\n- config_name: a\n  data_files: a.parquet\n- config_name: b\n  data_files: b.parquet\n---\n"
REPOSITORIES: dict[str, Any] = {
    "me/pets": {"data/train-0.parquet": table(20), "data/test-0.parquet": table(6)},
    "me/blind": {
        "data/train-0.parquet": table(20),
        "data/test-0.parquet": table(6, unlabelled=True),
        "data/validation-0.parquet": table(4),
    },
    "me/many": {"train.parquet": table(20, label="fine_label", coarse_label=[0, 0, 1, 1] * 5)},
    "me/only-test": {"test.parquet": table(6)},
    "me/files": {f"train/{name}/{i}.png": png(i) for name in ("cat", "dog") for i in range(5)},
    "me/two": {"README.md": CONFIGS, "a.parquet": table(8), "b.parquet": table(10)},
    "me/script": {"README.md": b"x", "script.py": b"import os\nos.mkdir('sprung')\n"},
    "me/empty": {"README.md": b"x"},
    "me/text": {"data.csv": b"a,b\n1,2\n3,4\n"},
    "me/broken": {"train.parquet": b"PAR1 nothing PAR1"},
    "me/gated": GATED,
}


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as the library asks for."""

    def answer(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        parts = self.path.split("?")[0].strip("/").split("/")
        api = parts[0] == "api"
        name, rest = "/".join(parts[api + 1 : api + 3]), parts[api + 3 :]
        files = REPOSITORIES.get(name)
        if files is None:
            return self.reply(404, {"X-Error-Code": "RepoNotFound"})
        if files == GATED:
            return self.reply(401, {"X-Error-Code": "GatedRepo"})
        if not api:  # resolve/<revision>/<file>
            path = "/".join(rest[2:])
            if path not in files:
                return self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            tag = hashlib.sha1(files[path]).hexdigest()
            return self.reply(200, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT}, files[path])
        if rest[:1] == ["tree"]:
            above = "/".join([*rest[2:], ""])
            found = [self.entry(files, path) for path in self.paths(files) if path.startswith(above)]
        elif rest[:1] == ["paths-info"]:
            found = [self.entry(files, path) for path in self.paths(files) if path in asked["paths"]]
        else:
            siblings = [{"rfilename": path} for path in files]
            found = {"id": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}  # type: ignore[assignment]
        self.reply(200, {}, json.dumps(found).encode())

    @staticmethod
    def paths(files: dict[str, bytes]) -> list[str]:
        return sorted(
            {path[:end] for path in files for end in range(len(path) + 1) if path[end : end + 1] in ("", "/")}
        )

    @staticmethod
    def entry(files: dict[str, bytes], path: str) -> dict[str, Any]:
        kind = {"type": "file", "size": len(files[path])} if path in files else {"type": "directory", "size": 0}
        return {"path": path, "oid": "0" * 40, **kind}

    def reply(self, code: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(code)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_: Any) -> None: ...


class Loader:
    """A process of its own: the library reads its settings when it is imported."""

    def __init__(self, home: Path, **settings: str) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        own = {"HF_HOME": str(home / "hf"), "ARCHFRONTIER_CACHE": str(home / "cache"), "NO_PROXY": "127.0.0.1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            cwd=home,
            env=env
            | own
            | settings
            | {"PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, spec: str, kind: str = "data") -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([kind, spec]) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def load(home: Path) -> Iterator[Loader]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    loader = Loader(home, HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
    yield loader
    loader.close()
    server.shutdown()
    server.server_close()


def test_a_dataset_of_the_hub(load: Loader) -> None:
    data = load("me/pets")
    assert data["name"] == "me/pets" and data["classes"] == ["cat", "dog"] and data["shape"] == [18, 3, 8, 8]
    assert data["origin"] == "hub: split train, image column img, label column label (guessed)"
    assert set(data["red"]) < set(range(20))
    test = load("me/pets", "test")
    assert test["red"] == list(range(6)) and test["origin"].startswith("hub: split test,")


def test_what_is_guessed_can_be_chosen(load: Loader) -> None:
    assert load("me/many?label=coarse_label")["origin"] == (
        "hub: label column coarse_label; split train, image column img (guessed)"
    )
    assert "label column fine_label (guessed)" in load("me/many")["origin"]
    two = load("me/two?config=b&split=train")
    assert two["origin"] == "hub: config b, split train; image column img, label column label (guessed)"
    assert two["shape"][0] == 8
    assert load("me/only-test?split=test")["shape"][0] == 4


def test_the_same_rows_in_a_folder_have_the_same_key(load: Loader, home: Path) -> None:
    (home / "folder").mkdir()
    (home / "folder" / "train.parquet").write_bytes(REPOSITORIES["me/pets"]["data/train-0.parquet"])
    assert load("folder")["key"] == load("me/pets")["key"]
    assert load("me/two?config=a")["key"] != load("me/pets")["key"]


def test_a_dataset_of_image_files(load: Loader) -> None:
    data = load("me/files")
    assert data["classes"] == ["cat", "dog"] and data["shape"] == [8, 3, 8, 8]


def test_a_test_split_without_labels_is_passed_over(load: Loader) -> None:
    test = load("me/blind", "test")
    assert test["origin"].startswith("hub: split validation,") and test["red"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "spec, kind, message",
    [
        ("me/nothing", "data", "no such folder here, and the Hugging Face hub has no dataset of that name"),
        ("me/gated", "data", "is gated: accept its terms at huggingface.co/datasets/me/gated, then log in"),
        ("me/script", "data", "needs a loading script, which is never run"),
        ("me/empty", "data", "holds no files that the datasets library reads"),
        ("me/broken", "data", "cannot be loaded: "),
        ("me/text", "data", "has no image column (a struct of bytes and path): its columns are a, b"),
        ("me/two", "data", "has several configurations: choose by ?config=, of a, b"),
        ("me/two?config=c", "data", "has no configuration c: expected a, b"),
        ("me/pets?split=dev", "data", "has no split dev: its splits are train, test"),
        ("me/pets?image=picture", "data", "has no column picture: its columns are img, label"),
        ("me/pets?label=img", "data", "column img holds no classes"),
        ("me/pets?image=label", "data", "column label holds no images, but img may"),
        ("me/only-test", "data", "has no split train, only test: choose one by me/only-test?split="),
        ("me/only-test?split=test", "test", "has no test and no validation split"),
        ("me/many", "test", "has no test and no validation split"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(load: Loader, home: Path, spec: str, kind: str, message: str) -> None:
    error = load(spec, kind)["error"]
    assert message in error and error.startswith(f"data {spec.split('?')[0]}") and "\n" not in error
    assert not (home / "sprung").exists()


@pytest.mark.slow
def test_without_a_network(load: Loader, home: Path) -> None:
    online = load("me/pets")
    offline = Loader(home, HF_HUB_OFFLINE="1")
    assert offline("me/pets") == online  # from the library's own cache
    error = offline("me/never-seen")["error"]
    assert "the Hugging Face hub cannot be reached, and no copy is in its local cache: go online once" in error
    assert "\n" not in error
    offline.close()
