"""The Debian mirror of this machine, from the configuration of apt.

The servers of another Debian release come from the same place, be it a mirror next door or a
company's proxy; no host is written down here.
"""

from __future__ import annotations

import functools
from pathlib import Path

from .machine import LabError, run

_FORMAT = "$(LABEL)\t$(COMPONENT)\t$(REPO_URI)"
_LIST = "mirror+file:"  # apt's own method: a file with one URL a line


@functools.cache
def mirror() -> str:
    """Return the URL of the Debian archive, for debootstrap.

    Raises: LabError where there is no apt, or it knows no Debian archive.
    """
    return mirror_in(run(["apt-get", "indextargets", "--format", _FORMAT]))


def mirror_in(targets: str) -> str:
    """Return the URL of the first Debian archive among apt's index targets.

    The security archive has another label, and other people's repositories have others still.

    Raises: LabError: there is none.
    """
    for line in targets.splitlines():
        label, component, url = line.split("\t")
        if (label, component) == ("Debian", "main"):
            return _first_of(url).rstrip("/")
    raise LabError(
        "apt knows no Debian archive here: add one to /etc/apt/sources.list.d, "
        "and run `apt-get update`"
    )


def _first_of(url: str) -> str:
    if not url.startswith(_LIST):
        return url
    path = Path("/" + url.removeprefix(_LIST).lstrip("/"))
    for line in path.read_text().splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            return words[0]
    raise LabError(f"{path}: no mirror stands there")
