"""Install what `python -m build` has made, each file into an empty environment, and use it there.

    python tools/try_dist.py dist/*

What is tried: the import, `imaplus --version`, and the pytest plugin in a run where every warning
is an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

IMPORT = """
import imaplus
assert imaplus.Client and imaplus.AsyncClient
assert imaplus.__file__.startswith(sys.prefix), imaplus.__file__
"""
TESTS = """
import imaplus

def test_the_plugin(imap_server):
    imap_server.add_message("INBOX", b"Subject: hi\\r\\n\\r\\nhello\\r\\n")
    where = imaplus.endpoints.Tcp(imap_server.host, imap_server.port, imaplus.Security.PLAIN)
    with imaplus.Client.connect(
        where, user=imap_server.user, password=imap_server.password,
        security=imaplus.Security.PLAIN,
    ) as client:
        assert client.select("INBOX").exists == 1
"""


def main(files: list[str]) -> None:
    """Try each file; stop at the first failure."""
    if not {Path(name).suffix for name in files} >= {".whl", ".gz"}:
        sys.exit("expected a wheel and an sdist: python tools/try_dist.py dist/*")
    for name in files:
        with tempfile.TemporaryDirectory(prefix="imaplus-dist-") as folder:
            attempt(Path(name).resolve(), Path(folder))
        print(f"{name}: installed, imported, run", flush=True)


def attempt(file: Path, folder: Path) -> None:
    """Install one file in an empty environment and use it outside the source tree."""
    venv.create(folder / "env", with_pip=True)
    binaries = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / "python"

    def run(*words: object) -> str:
        return subprocess.run(
            [str(word) for word in words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": ""},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    run(python, "-m", "pip", "install", "--quiet", file)
    run(python, "-W", "error", "-c", f"import sys\n{IMPORT}")
    version = run(binaries / "imaplus", "--version").split()
    if version[0] != "imaplus" or version[1] not in file.name:
        sys.exit(f"{file.name}: `imaplus --version` says {' '.join(version)}")
    run(python, "-m", "pip", "install", "--quiet", "pytest")
    (folder / "test_it.py").write_text(TESTS)
    told = run(python, "-W", "error", "-m", "pytest", "-W", "error", "test_it.py")
    if "1 passed" not in told or "warning" in told.lower():
        sys.exit(f"{file.name}: the pytest plugin does not do as it should:\n{told}")


if __name__ == "__main__":
    main(sys.argv[1:])
