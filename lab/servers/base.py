"""The base class of the lab's servers: start, wait until ready, stop."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from .certificates import make_certificates
from .machine import HOST, PASSWORD, USERS, Lab, LabError, free_ports, require_free, write
from .probe import Probe
from .processes import is_alive, start_daemon, stop

START_TIMEOUT = 30.0  # seconds from the first process to the first answer
TRIES = 4  # attempts to start: free ports may be taken in the meantime

Process = tuple[Sequence[object], Mapping[str, str]]  # argv, more environment


class Server(ABC):
    """One server in the lab's directory; subclasses configure it."""

    name: ClassVar[str]
    slot: ClassVar[int]  # its ports are base + 10 * slot, and one more for implicit TLS
    apt: ClassVar[tuple[str, ...]] = ()  # packages to be installed
    unpack: ClassVar[tuple[str, ...]] = ()  # packages to be unpacked below the cache
    admin: ClassVar[tuple[str, str] | None] = None  # user and password

    def __init__(self, lab: Lab):
        self.lab = lab
        self.dir = lab.dir / self.name
        self._state_file = self.dir / "lab-state.json"
        running = self.info()
        self.port: int = running["imap"] if running else lab.base_port + 10 * self.slot

    # Methods that subclasses implement

    @abstractmethod
    def missing(self) -> str | None:
        """Say why it cannot run here; None if it can."""

    @classmethod
    def install(cls, lab: Lab) -> None:
        """Install the packages that it needs."""
        lab.apt_install(cls.apt)
        for name in cls.unpack:
            lab.apt_unpack(name)

    @abstractmethod
    def version(self) -> str:
        """Return the installed version."""

    @abstractmethod
    def configure(self) -> None:
        """Write configuration and accounts in `self.dir`."""

    @abstractmethod
    def daemons(self) -> list[Process]:
        """Return the processes to start, in order."""

    def populate(self) -> None:  # noqa: B027 - optional
        """Create over IMAP what the server needs; called when it is first ready."""

    def users(self) -> dict[str, str]:
        """Return the users and their passwords."""
        return dict.fromkeys(USERS, PASSWORD)

    def owner(self) -> tuple[int, int]:
        """Return uid and gid of the daemons and of their files."""
        return self.lab.uid, self.lab.gid

    def extras(self) -> dict[str, Any]:
        """Return additional items for the JSON output."""
        return {}

    def popen_options(self) -> dict[str, Any]:
        """Return options of `subprocess` that drop root privileges."""
        return self.lab.as_user

    # Methods common to all servers

    @property
    def tls_port(self) -> int:
        """The port for implicit TLS."""
        return self.port + 1

    def info(self) -> dict[str, Any] | None:
        """Return the description of the running server; None if it does not run."""
        state = self._state()
        return state["info"] if state["info"] and is_alive(state["daemons"]) else None

    def up(self) -> dict[str, Any]:
        """Start it unless it runs; return its description.

        Raises: LabError when it does not come to answer.
        """
        if running := self.info():
            return running
        self.down()  # remains of a crash
        make_certificates(self.lab)
        tries = 1 if self.lab.base_port else TRIES
        while True:
            tries -= 1
            if not self.lab.base_port:
                self.port = free_ports()
            try:
                return self._start()
            except LabError:
                if not tries or self._ports_are_free():
                    raise

    def down(self) -> bool:
        """Stop it; return whether it was running."""
        try:
            found = stop(self._state()["daemons"])
        except TimeoutError as error:
            raise LabError(f"{self.name}: {error}") from error
        self._state_file.unlink(missing_ok=True)
        return found

    def capabilities(self) -> dict[str, list[str]]:
        """Return the capabilities before and after TLS and login; this checks TLS, too."""
        ca, account = self.lab.ca, next(iter(self.users().items()))
        plain = Probe(self.port)
        answers = {"before_login": plain.capability()}
        upgraded = Probe(self.port, ca)
        upgraded.starttls()
        answers["after_starttls"] = upgraded.capability()
        upgraded.close()
        implicit = Probe(self.tls_port, ca, implicit_tls=True)
        answers["tls_before_login"] = implicit.capability()
        implicit.login(*account)
        implicit.close()
        plain.login(*account)
        answers["after_login"] = plain.capability()
        plain.close()
        return answers

    def _start(self) -> dict[str, Any]:
        if not self._ports_are_free():
            raise LabError(f"{self.name}: port {self.port} or the next is taken; use --base-port")
        began = time.monotonic()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.configure()
        self.lab.give(self.dir, *self.owner())
        log_file = self.dir / "console.log"
        daemons = []
        with log_file.open("ab") as log:
            for argv, environment in self.daemons():
                home = {"HOME": str(self.dir), **environment}
                options = {"cwd": self.dir, **self.popen_options()}
                daemons.append(start_daemon(argv, home, log, **options))
                # Record it now, so that `down` finds the process after any failure.
                write(self._state_file, json.dumps({"daemons": daemons, "info": None}))
        try:
            self._wait(began)
            self.populate()
            capabilities = self.capabilities()
        except (OSError, LabError) as error:
            self.down()
            last_words = log_file.read_text(errors="replace")[-2000:]
            raise LabError(f"{self.name} did not start: {error}\n{last_words}") from error
        info = {
            "name": self.name,
            "version": self.version(),
            "host": HOST,
            "imap": self.port,
            "imaps": self.tls_port,
            "users": self.users(),
            "admin": self.admin and dict(zip(("user", "password"), self.admin, strict=True)),
            "ca": str(self.lab.ca),
            "dir": str(self.dir),
            "ready_seconds": round(time.monotonic() - began, 2),
            "pids": [daemon["pid"] for daemon in daemons],
            "capabilities": capabilities,
            **self.extras(),
        }
        write(self._state_file, json.dumps({"daemons": daemons, "info": info}, indent=1))
        return info

    def _ports_are_free(self) -> bool:
        try:
            require_free(self.port)
            require_free(self.tls_port)
        except OSError:
            return False
        return True

    def _wait(self, began: float) -> None:
        while True:
            try:
                Probe(self.port).close()
            except (OSError, LabError):
                alive = is_alive(self._state()["daemons"])
                if not alive or time.monotonic() - began > START_TIMEOUT:
                    raise
                time.sleep(0.05)
            else:
                return

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {"daemons": [], "info": None}
        return state


def client_certificate(tls: Path) -> dict[str, str]:
    """Return the files for alice's login with SASL EXTERNAL."""
    return {"user": "alice", "cert": str(tls / "alice.pem"), "key": str(tls / "alice.key")}
