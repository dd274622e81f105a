"""Names that become directories and files, and text of others that is shown: one rule for all packages.

Names come from command lines, but also from recipes, landmarks and runs that somebody else has made. As a part of a
path such a name must not leave its directory, be taken for an option or be endless; on a terminal it must not move the
cursor or turn the order of the letters.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

EVALUATE = ("fidelity", "lesion", "paths", "train")  # what `python -m evaluate` writes into under runs/
LONGEST = 150  # bytes; file systems take 255, and temporary files beside a file have longer names
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format (bidirectional ones too), surrogates, line ends


def safe_name(*parts: str) -> str:
    """Make the name of a directory or a file of what describes it, joined by dashes.

    What is no letter, digit, dot, plus, equals sign, comma or underscore becomes a dash, and so does a dot beside it;
    at the ends of a part neither stays. A name of more than 150 bytes is cut and ends with a digest of the whole.

    Args:
        parts: such as a network's, a data set's and a recipe's name; empty ones are left out.

    Returns:
        The name; "unnamed" if nothing is left of the parts.
    """
    safe = (re.sub(r"[^\w+=,]*[^\w.+=,]+[^\w+=,]*", "-", part).strip("-.") for part in parts)
    name = "-".join(filter(None, safe)) or "unnamed"
    whole = name.encode()
    if len(whole) > LONGEST:
        digest = hashlib.sha256(whole).hexdigest()[:12]
        name = f"{whole[: LONGEST - 13].decode(errors='ignore').rstrip('-.')}-{digest}"
    return name


def check_name(what: str, name: str, example: str) -> None:
    """Raise ValueError unless a name that was given can be a directory's under runs/.

    Args:
        what: is named by it, such as "run name".
        name: as it was given.
        example: what to type.
    """
    if name in EVALUATE:
        raise ValueError(f"{what} {name!r}: python -m evaluate keeps its results in runs/{name}; {example}")
    if not name or name[0] in "-." or name != name.strip() or re.search(r"[/\\]", name) or visible(name) != name:
        raise ValueError(
            f"{what} {visible(name)[:80]!r}: expected a plain name without path separators and control characters that "
            f"does not begin with a dash or a dot; {example}"
        )
    if len(name.encode()) > LONGEST:
        raise ValueError(f"{what} of {len(name.encode())} bytes: expected at most {LONGEST}; {example}")


def visible(text: str, keep: str = "") -> str:
    r"""The text with control and bidirectional characters, and others that are not seen, as escapes such as \\x1b.

    Args:
        text: of whatever origin.
        keep: characters that stay as they are, such as line ends.
    """
    if text.isprintable():  # the usual case, and quick
        return text
    return "".join(
        each.encode("unicode_escape").decode() if unicodedata.category(each) in _HIDDEN and each not in keep else each
        for each in text
    )
