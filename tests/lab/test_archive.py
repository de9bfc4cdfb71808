"""The lab takes Debian from where the machine's apt does; no registry's host is written down."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from servers.archive import mirror_in
from servers.machine import LabError

ROOT = Path(__file__).parents[2]
SECURITY = "Debian-Security\tmain\thttp://mirror.example/debian-security/"
OTHERS = "Some Shop\tmain\thttps://shop.example/apt/"
DEBIAN = "Debian\tmain\thttp://mirror.example/debian/"
CONTRIB = "Debian\tcontrib\thttp://other.example/debian/"

# Words, since the hosts themselves are not to stand here either.
_HOSTS = """
deb debian org, ftp debian org, security debian org, snapshot debian org, archive debian org,
pypi org, ythonhosted org, npmjs org, crates io, proxy golang org, rubygems org
"""
REGISTRIES = [".".join(words.split()) for words in _HOSTS.split(",")]
"""Hosts of package registries, or how they end."""


def test_the_archive_is_the_one_of_apt() -> None:
    targets = "\n".join([SECURITY, OTHERS, CONTRIB, DEBIAN])
    assert mirror_in(targets) == "http://mirror.example/debian"


def test_a_list_of_mirrors_gives_its_first(tmp_path: Path) -> None:
    file = tmp_path / "debian.list"
    file.write_text("# ours\n\nhttp://near.example/debian\tpriority:1\nhttp://far.example/debian\n")
    targets = f"Debian\tmain\tmirror+file:{file}/"
    assert mirror_in(targets.rstrip("/")) == "http://near.example/debian"
    file.write_text("# none\n")
    with pytest.raises(LabError, match="no mirror"):
        mirror_in(targets.rstrip("/"))


def test_without_an_archive_it_says_what_to_do() -> None:
    with pytest.raises(LabError, match="apt-get update"):
        mirror_in("\n".join([SECURITY, OTHERS]))


def tree() -> list[Path]:
    """The files of the project; without git, all that is not made by tools."""
    if shutil.which("git"):
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
        if done.returncode == 0:
            return [ROOT / name for name in done.stdout.decode().split("\0") if name]
    made = {".venv", "build", "dist", ".git"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not made & {*p.relative_to(ROOT).parts}]


def hosts_in(text: str) -> list[str]:
    return [host for host in REGISTRIES if host in text.lower()]


def test_no_host_of_a_registry_stands_in_the_tree() -> None:
    found = {
        str(path.relative_to(ROOT)): hosts
        for path in tree()
        if path.is_file() and (hosts := hosts_in(path.read_text(errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize("host", REGISTRIES)
def test_such_a_host_would_be_found(host: str) -> None:
    assert host in hosts_in(f"see https://{host.upper()}/simple")
