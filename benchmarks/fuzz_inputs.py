"""Wrong inputs that look nearly right: mutations of valid text, JSON and bytes, all from a seeded generator."""

from __future__ import annotations

import copy
import json
import random
import string
from collections.abc import Sequence
from typing import Any

NUMBERS = (
    "0", "-0", "-1", "1", "2", "1e400", "-1e400", "1e-400", "9" * 400, "9" * 5000, "1" + "0" * 20, str(2**31),
    str(2**63), str(2**64), "nan", "inf", "-inf", "1_000", "0x10", "1e", "1.2.3", ".", "+", "1,5", "4.1e9", "0.1",
    "\u0661\u0662", "\uff11\uff12", "\u00bd", "  7 ", "1e308", "-0.0",
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "\n", "\r\n", "\t", "\x1b[31mred\x1b[0m", "\x07", "\u202egnp.exe", "\u2066x\u2069", "\ufeff",
    "\udcff", "\u00e9" * 300, "x" * 10_000, "../../x", "..", ".", "-", "--", "-rf", "~", "~root", "$HOME", "%s%n", "{}",
    "{0}", "'; DROP TABLE trials; --", "<script>alert(1)</script>", "null", "true", "[]",
    "a\u0301", "\U0001d518", "a,b",
    "a=b", "=", "?", "?split=", "&", ":", "#", "*", "//", "file:///etc/passwd", "\u2028",
    "None", "digits", "all", "none",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 1.5, -0.0, 10**20, 10**400, -(10**400), 1e308, float("nan"), float("inf"), "", " ",
    "1", "\0", "\u202e", "\ud800", "x" * 5000, "../../x", [], {}, [[]], [None], [0], [1, 2], {"": 0}, {"name": "x"},
    "nan", "1e400", "true", [10**400], ["x"] * 50,
)  # fmt: skip
DEEP = 20_000  # levels of nesting


def mutated_text(rng: random.Random, text: str, others: Sequence[str], most: int = 3) -> str:
    """A text with up to `most` changes; `others` are valid texts that parts are taken from."""
    for _ in range(rng.randint(1, most)):
        at, end = sorted(rng.randint(0, len(text)) for _ in range(2))
        match rng.randrange(10):
            case 0:  # cut out
                text = text[:at] + text[end:]
            case 1:  # twice, or very often
                text = text[:end] + text[at:end] * rng.choice((1, 1, 2, 500 if end - at < 20 else 1)) + text[end:]
            case 2:  # a splice
                other = rng.choice(others)
                cut = rng.randint(0, len(other))
                text = text[:at] + other[cut:]
            case 3:
                text = text[:at] + rng.choice(TEXTS) + text[at:]
            case 4:
                text = text[:at] + rng.choice(NUMBERS) + text[rng.choice((at, end)) :]
            case 5:  # one letter
                text = text[:at] + rng.choice(string.printable) + text[at + 1 :]
            case 6:  # one bit of one letter
                if at < len(text):
                    text = text[:at] + chr((ord(text[at]) ^ (1 << rng.randrange(8))) % 0xD800) + text[at + 1 :]
            case 7:
                text = rng.choice((text.upper, text.lower, text.swapcase, text.strip, text.title))()
            case 8:
                text = rng.choice((*TEXTS, *NUMBERS, rng.choice(others)))
            case 9:
                text = text[:at] + chr(rng.choice((rng.randrange(32), rng.randrange(0x80, 0xD800)))) + text[at:]
    return text


def mutated_tree(rng: random.Random, tree: Any, others: Sequence[Any], most: int = 3) -> Any:
    """A JSON value with up to `most` changes somewhere in it."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, most)):
        parent, key = _place(rng, tree)
        if parent is None:
            if rng.random() < 0.3:
                tree = rng.choice((*VALUES, rng.choice(others)))
            continue
        old = parent[key]
        match rng.randrange(8):
            case 0:
                del parent[key]
            case 1 | 2 | 3:
                parent[key] = copy.deepcopy(rng.choice(VALUES))
            case 4:  # another type, the same words
                parent[key] = rng.choice((str(old), [old], {"value": old}, [old, old]))
            case 5 if isinstance(old, int | float) and not isinstance(old, bool):
                parent[key] = rng.choice((-old, old * 1000, old * 10**40 if isinstance(old, int) else old / 7))
            case 5 if isinstance(old, str):
                parent[key] = mutated_text(rng, old, TEXTS)
            case 6:  # a branch of another one
                other = rng.choice(others)
                place, name = _place(rng, other)
                parent[key] = copy.deepcopy(other if place is None else place[name])
            case _:
                if isinstance(parent, dict):
                    parent[rng.choice((*TEXTS, str(key) + "x"))] = copy.deepcopy(rng.choice(VALUES))
                else:
                    parent.insert(key, copy.deepcopy(rng.choice(VALUES)))
    return tree


def _place(rng: random.Random, tree: Any) -> tuple[Any, Any]:
    """A container in the tree and one of its keys; (None, None) for what has none."""
    parent, key = None, None
    node = tree
    while isinstance(node, dict | list) and node and (parent is None or rng.random() < 0.6):
        parent, key = node, rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        node = parent[key]
    return parent, key


def json_bytes(rng: random.Random, tree: Any, others: Sequence[bytes]) -> bytes:
    """A tree as the content of a file, now and then no JSON, no UTF-8, or nested without end."""
    kind = rng.randrange(20)
    if kind == 0:
        opening = rng.choice(('{"config":', "[", '{"a":'))
        return (opening * DEEP).encode()
    content = json.dumps(tree).encode()
    if kind <= 3:
        return mutated_bytes(rng, content, others)
    if kind == 4:
        return rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\0")) + content
    if kind == 5:
        return content.replace(b":", b":" + b"9" * 5000, 1)
    return content


def mutated_bytes(rng: random.Random, content: bytes, others: Sequence[bytes], most: int = 4) -> bytes:
    """Bytes with up to `most` changes: flipped bits, cut, spliced, overwritten."""
    data = bytearray(content)
    for _ in range(rng.randint(1, most)):
        if not data:
            return bytes(rng.randrange(256) for _ in range(rng.randrange(40)))
        at = rng.randrange(min(len(data), 200) if rng.random() < 0.4 else len(data))
        match rng.randrange(7):
            case 0 | 1:
                for _ in range(rng.choice((1, 1, 8, 64))):
                    data[rng.randrange(at, min(len(data), at + 512))] ^= 1 << rng.randrange(8)
            case 2:
                del data[at:]
            case 3:
                del data[at : at + rng.choice((1, 4, 100))]
            case 4:  # a length that is far too large
                data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x80\0\0\0"))
            case 5:
                data[at:at] = bytes([rng.choice((0, 255, rng.randrange(256)))]) * rng.choice((1, 4, 1000))
            case 6:
                other = rng.choice(others)
                data[at:] = other[rng.randrange(len(other) or 1) :]
    return bytes(data)
