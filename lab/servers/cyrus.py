"""Cyrus: 3.6 as Debian 12 has it, 3.10 of its backports, and the newer Debian's in a chroot.

All have sasldb accounts, idled and Xapian search; `admin` may act for anyone.  A third port,
`imap_strict`, announces LOGINDISABLED until STARTTLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from .archive import mirror
from .base import Process, Server, client_certificate
from .chroot import Chrooted
from .machine import HOST, PASSWORD, USERS, Lab, fill, run, write
from .probe import Probe

_CONFIG_DIRECTORIES = (
    *("db", "db.backup", "lock", "log", "msg", "proc", "ptclient"),
    *("quota", "sieve", "socket", "user"),
)


class Cyrus(Server):
    """Cyrus 3.6.  Its imapd is unpacked, not installed: the package conflicts with the others."""

    name = "cyrus"
    slot = 2
    admin = ("admin", PASSWORD)
    apt = (
        *("cyrus-common", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db"),
        "msmtp-mta",  # the smallest mail-transport-agent, which cyrus-common depends on
    )
    unpack: ClassVar[tuple[str, ...]] = ("cyrus-imapd",)
    more_options: ClassVar[str] = ""

    @property
    def common(self) -> Path:
        """Where cyrus-common's programs are."""
        return Path("/usr/lib/cyrus/bin")

    @property
    def bin(self) -> Path:
        """Where cyrus-imapd's programs are."""
        return self.lab.packages / "cyrus-imapd/usr/lib/cyrus/bin"

    @property
    def environment(self) -> Mapping[str, str]:
        """What its processes need beside the usual."""
        return {}

    def missing(self) -> str | None:
        """Any of the three packages."""
        programs = (self.common / "master", self.bin / "imapd", Path("/usr/sbin/saslpasswd2"))
        if not all(program.exists() for program in programs):
            return f"{self.name} is not installed"
        return None

    def version(self) -> str:
        """The version of cyrus-common."""
        return run(["dpkg-query", "-W", "-f", "${Version}", "cyrus-common"]).split("-")[0]

    def configure(self) -> None:
        """Directories, imapd.conf, cyrus.conf and the accounts."""
        d, lab = self.dir, self.lab
        for name in _CONFIG_DIRECTORIES:
            (d / "conf" / name).mkdir(parents=True, exist_ok=True)
        for name in ("spool", "search"):
            (d / name).mkdir(exist_ok=True)
        values = {
            "host": HOST,
            "port": self.port,
            "tls_port": self.tls_port,
            "strict_port": self._strict_port,
            "dir": d,
            "user": lab.user,
            "group": lab.group,
            "tls": lab.tls,
            "ca": lab.ca,
            "admin": self.admin[0],
            "bin": self.bin,
            "common": self.common,
            "more_options": self.more_options,
        }
        write(d / "imapd.conf", fill("cyrus-imapd.conf", **values), 0o644)
        write(d / "cyrus.conf", fill("cyrus.conf", **values), 0o644)
        (d / "sasldb2").unlink(missing_ok=True)
        lab.give(d)  # in the chroot, saslpasswd2 runs as the ordinary user
        for user in (*USERS, self.admin[0]):
            words = ["-c", "-p", "-f", d / "sasldb2", "-u", "localhost", user]
            run(self.saslpasswd(words), input=PASSWORD)

    def saslpasswd(self, words: list[object]) -> list[object]:
        """The command that makes an account."""
        return ["/usr/sbin/saslpasswd2", *words]

    def daemons(self) -> list[Process]:
        """One master process."""
        d = self.dir
        files = ["-C", d / "imapd.conf", "-M", d / "cyrus.conf", "-p", d / "master.pid"]
        return [([self.common / "master", *files, "-l", "128"], self.environment)]

    def populate(self) -> None:
        """Log in once: that makes the INBOX (autocreate)."""
        for user in USERS:
            probe = Probe(self.port)
            probe.login(user)
            probe.command("SELECT INBOX")
            probe.close()

    def extras(self) -> dict[str, Any]:
        """The third port, and files for SASL EXTERNAL."""
        certificate = client_certificate(self.lab.tls)
        return {"imap_strict": self._strict_port, "client_certificate": certificate}

    @property
    def _strict_port(self) -> int:
        return self.port + 2


class CyrusBackports(Cyrus):
    """Cyrus 3.10 of bookworm-backports: IMAP4rev2, and no root needed to run it.

    All of it is unpacked, beside the libraries that Cyrus 3.6 brought along: as a package it
    wants a libclamav that Debian 12 no longer has.
    """

    name = "cyrus-bpo"
    slot = 9
    unpack = ("cyrus-common", "cyrus-imapd", "libpcre2-posix3")

    @property
    def tree(self) -> Path:
        """Where the packages are unpacked."""
        return self.lab.packages / "cyrus-bpo"

    @property
    def common(self) -> Path:
        """Unpacked as well."""
        return self.bin

    @property
    def bin(self) -> Path:
        """In the tree."""
        return self.tree / "usr/lib/cyrus/bin"

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the tree's libraries are."""
        libraries = ":".join(str(path) for path in self.tree.glob("usr/lib/*-linux-gnu"))
        return {"LD_LIBRARY_PATH": libraries}

    def version(self) -> str:
        """As it was when it was unpacked."""
        return (self.tree / "VERSION").read_text().split("-")[0]

    @classmethod
    def install(cls, lab: Lab) -> None:
        """Download from backports with lists of our own: apt's configuration stays as it is."""
        lab.apt_install(cls.apt)
        lists = lab.packages / "backports-lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        suites = ("bookworm-backports", "bookworm")
        lines = "".join(f"deb {mirror()} {suite} main\n" for suite in suites)
        source = write(lab.packages / "backports.list", lines)
        apt = ["apt-get", "-o", f"Dir::Etc::SourceList={source}", "-o", "Dir::Etc::SourceParts=-"]
        apt += ["-o", f"Dir::State::Lists={lists}", "-o", "APT::Sandbox::User=root"]
        run([*apt, "update"])
        target = lab.packages / "cyrus-bpo"
        target.mkdir(exist_ok=True)
        run([*apt, "download", "-t", "bookworm-backports", *cls.unpack], cwd=target)
        lab.unpack_downloads(target, "cyrus-common")


class CyrusNext(Chrooted, Cyrus):
    """Cyrus 3.10 (trixie) or 3.12 (sid, with PARTIAL, INPROGRESS and JMAPACCESS)."""

    name = "cyrus-next"
    slot = 7
    marker = "opt/cyrus-imapd/usr/lib/cyrus/bin/imapd"
    more_options = """\
allowstarttls: yes
jmapaccess_url: https://localhost/jmap/
imap_inprogress_interval: 1s
"""

    @property
    def bin(self) -> Path:
        """Unpacked in the chroot."""
        return Path("/opt/cyrus-imapd/usr/lib/cyrus/bin")

    def version(self) -> str:
        """The version of cyrus-common in the chroot."""
        query = ["dpkg-query", "-W", "-f", "${Version}", "cyrus-common"]
        return run(self.enter(query)).split("-")[0]

    def saslpasswd(self, words: list[object]) -> list[object]:
        """As Cyrus', inside."""
        return self.enter(super().saslpasswd(words))

    def daemons(self) -> list[Process]:
        """One master process, inside."""
        return [(self.enter(argv), environment) for argv, environment in super().daemons()]
