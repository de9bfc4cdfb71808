"""Courier: an independent, older reading of IMAP4rev1, with ACL, QUOTA and no LITERAL+.

It reads /etc/courier and /run/courier whatever one says: private bind mounts cover both, which
only root can make.  Its TLS helper insists on the user courier, so all of it runs as that.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .base import Process, Server
from .machine import HOST, PASSWORD, USERS, may_mount, run, write

_AUTHDAEMONRC = """\
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=3
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"""
_CAPABILITY = (
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE "
    "AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=CRAM-SHA1 AUTH=CRAM-SHA256"
)
_ENVIRONMENT = {
    "ADDRESS": HOST,
    "MAXDAEMONS": "200",
    "MAXPERIP": "200",
    "IMAP_CAPABILITY": _CAPABILITY,
    "IMAP_CAPABILITY_TLS": _CAPABILITY,
    "IMAP_KEYWORDS": "1",
    "IMAP_ACL": "1",
    "IMAP_ENHANCEDIDLE": "1",
    "IMAP_IDLE_TIMEOUT": "2",
    "IMAP_USELOCKS": "1",
    "IMAP_UMASK": "022",
    "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_TRASHFOLDERNAME": "Trash",
    "IMAP_SHAREDINDEXFILE": "/etc/courier/shared/index",
    "IMAP_TLS_REQUIRED": "0",
    "MAILDIRPATH": "Maildir",
    "MAILDIR": "Maildir",
    "COURIERTLS": "/usr/bin/couriertls",
    "TLS_VERIFYPEER": "NONE",
}


class Courier(Server):
    """Courier 5.0.  Its imapd is unpacked, not installed: the package conflicts with the others."""

    name = "courier"
    slot = 3
    apt = (
        *("courier-base", "courier-authdaemon", "courier-authlib-userdb"),
        "msmtp-mta",  # the smallest mail-transport-agent, which courier-base depends on
    )
    unpack = ("courier-imap",)

    @property
    def tree(self) -> Path:
        """Where courier-imap is unpacked."""
        return self.lab.packages / "courier-imap"

    def missing(self) -> str | None:
        """Root and its mounts, or the packages."""
        if os.geteuid() or not may_mount():
            return f"{self.name} needs root and the right to mount"
        programs = (Path("/usr/sbin/couriertcpd"), self._imaplogin)
        if not all(program.exists() for program in programs):
            return f"{self.name} is not installed"
        return None

    def version(self) -> str:
        """As it was when it was unpacked."""
        return (self.tree / "VERSION").read_text().split("+")[0]

    def owner(self) -> tuple[int, int]:
        """The user courier."""
        account = pwd.getpwnam("courier")
        return account.pw_uid, account.pw_gid

    def popen_options(self) -> dict[str, Any]:
        """None: setpriv sheds root, after the mounts."""
        return {}

    def configure(self) -> None:
        """What stands for /etc/courier and /run/courier, and a Maildir for each user."""
        d = self.dir
        write(d / "server.pem", (self.lab.tls / "server-both.pem").read_text())
        for name in ("run/authdaemon", "etc/shared"):
            (d / name).mkdir(parents=True, exist_ok=True)
        write(d / "etc/authdaemonrc", _AUTHDAEMONRC)
        write(d / "etc/userdb", "".join(self._account(user) for user in USERS))
        run(["/usr/sbin/makeuserdb", "-f", d / "etc/userdb"])

    def daemons(self) -> list[Process]:
        """The authentication daemon, and a listener for each port."""
        authdaemond = "/usr/lib/courier/courier-authlib/authdaemond"
        listen = ["/usr/sbin/couriertcpd", f"-address={HOST}", "-maxprocs=200", "-maxperip=200"]
        listen += ["-nodnslookup", "-noidentlookup"]
        login = [self._imaplogin, self.tree / "usr/bin/imapd", "Maildir"]
        tls = ["/usr/bin/couriertls", "-server", "-tcpd"]
        settings = {
            **_ENVIRONMENT,
            "TLS_CERTFILE": str(self.dir / "server.pem"),
            "TLS_TRUSTCERTS": str(self.lab.ca),
        }
        return [
            (self._enter([authdaemond]), {}),
            (self._enter([*listen, self.port, *login]), {**settings, "IMAP_STARTTLS": "YES"}),
            (
                self._enter([*listen, self.tls_port, *tls, *login]),
                {**settings, "IMAP_STARTTLS": "NO", "IMAP_TLS": "1"},
            ),
        ]

    def _account(self, user: str) -> str:
        """One line of userdb(8)."""
        home = self.dir / "home" / user
        if not (home / "Maildir").exists():
            home.mkdir(parents=True)
            run(["/usr/bin/maildirmake.courier", home / "Maildir"])
        uid, gid = self.owner()
        fields = [f"uid={uid}", f"gid={gid}", f"home={home}", f"mail={home}/Maildir"]
        fields.append("systempw=" + run(["openssl", "passwd", "-6", PASSWORD]).strip())
        for digest in ("md5", "sha1", "sha256"):
            shown = run(["/usr/sbin/userdbpw", f"-hmac-{digest}"], input=f"{PASSWORD}\n" * 2)
            fields.append(f"hmac-{digest}pw=" + shown.split()[-1])
        return f"{user}\t" + "|".join(fields) + "\n"

    def _enter(self, argv: Sequence[object]) -> list[object]:
        """argv with /etc/courier and /run/courier replaced, as the user courier."""
        Path("/run/courier").mkdir(exist_ok=True)
        script = (
            'mount --bind "$0/etc" /etc/courier && mount --bind "$0/run" /run/courier && '
            'exec setpriv "$@"'
        )
        uid, gid = self.owner()
        ids = [f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        mounts = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c"]
        return [*mounts, script, self.dir, *ids, *argv]

    @property
    def _imaplogin(self) -> Path:
        return self.tree / "usr/lib/courier/courier/imaplogin"
