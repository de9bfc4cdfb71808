"""Dovecot: 2.3 as Debian 12 has it, and 2.4, whose configuration language is new.

alice and bob have Maildirs; the other accounts show other sides of Dovecot:

    carol   sdbox          dave    mdbox          quinn   a quota of 200 KB
    fay     full text search                      anonymous (SASL ANONYMOUS)
    rita    (2.3) has moved: NO [REFERRAL ...]
    admin   master user: LOGIN alice*admin, or PLAIN with authzid alice
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from .base import Process, Server, client_certificate
from .chroot import Chrooted
from .machine import HOST, PASSWORD, USERS, fill, run, write

_COMMAND = Path(__file__).parents[1] / "imap-lab"
_VIRTUAL = {"All": "all", "Unseen": "unseen", "Flagged": "flagged"}


HASHED = (
    "{SHA512-CRYPT}$6$imaplus$"
    "2WvvVmQ9EQKhLw9bKUkZj2N1xrQ/rCkwcgUNGfnwOR6"
    "B5Igo/zPeeMADFV6NW0uJPX8F3Y8mariPTUjXZAFwL1"
)
"""The password as crypt(3) has it, which PLAIN and LOGIN can be held against and SCRAM cannot."""


class Dovecot(Server):
    """Dovecot 2.3: LITERAL+, shared, public and virtual namespaces, ACL, QUOTA, METADATA."""

    name = "dovecot"
    slot = 1
    admin = ("admin", PASSWORD)
    apt: ClassVar[tuple[str, ...]] = (
        *("dovecot-imapd", "dovecot-fts-xapian"),
        *("dovecot-gssapi", "krb5-kdc", "krb5-admin-server", "krb5-user"),  # test_kerberos.py
    )
    template: ClassVar[str] = "dovecot-2.3.conf"
    accounts: ClassVar[dict[str, str]] = {  # user -> extra fields of the passwd-file
        **dict.fromkeys(USERS, ""),
        "carol": "userdb_mail=sdbox:~/sdbox",
        "dave": "userdb_mail=mdbox:~/mdbox",
        "fay": "userdb_fts=xapian userdb_fts_autoindex=yes",
        "quinn": "userdb_quota_rule=*:storage=200K",
        "hugo": "",
        "rita": "nologin=y host=imap.example.org reason=moved",
        "anonymous": "",
    }

    def missing(self) -> str | None:
        """The package, in the version that the configuration is written for."""
        if not Path("/usr/lib/dovecot/modules/lib21_fts_xapian_plugin.so").exists():
            return f"{self.name} is not installed"
        if not (version := self.version()).startswith("2.3."):
            return f"{self.name} needs Dovecot 2.3 (Debian 12); {version} is installed"
        return None

    def version(self) -> str:
        """What `dovecot --version` says."""
        return run(["/usr/sbin/dovecot", "--version"]).split()[0]

    def users(self) -> dict[str, str]:
        """Those that can log in with a password of their own."""
        others = ("rita", "anonymous")
        return {user: PASSWORD for user in self.accounts if user not in others}

    @property
    def conf(self) -> Path:
        """The configuration file, for doveadm too."""
        return self.dir / "dovecot.conf"

    def configure(self) -> None:
        """Accounts, a key for OAuth tokens, virtual mailboxes, dovecot.conf."""
        d = self.dir
        kept = dict.fromkeys(self.accounts, f"{{PLAIN}}{PASSWORD}") | {"hugo": HASHED}
        lines = (f"{u}:{kept[u]}::::::{more}\n" for u, more in self.accounts.items())
        write(d / "users", "".join(lines))
        write(d / "masters", "{}:{{PLAIN}}{}\n".format(*self.admin))
        if not self._oauth_key.exists():
            write(self._oauth_key, base64.b64encode(os.urandom(32)).decode())
        write(
            d / "oauth2.conf",
            "introspection_mode = local\n"
            f"local_validation_key_dict = fs:posix:prefix={d}/oauth2-keys/\n"
            "username_attribute = sub\n"
            "openid_configuration_url = https://localhost/.well-known/openid\n",
        )
        for mailbox, query in _VIRTUAL.items():
            for user in self.users():
                write(d / f"home/{user}/virtual/{mailbox}/dovecot-virtual", f"*\n  {query}\n")
        write(d / "public/dovecot-acl", "anyone lrwstiekxa\n")
        lab = self.lab
        values = {
            "host": HOST,
            "port": self.port,
            "tls_port": self.tls_port,
            "dir": d,
            "user": lab.user,
            "group": lab.group,
            "uid": lab.uid,
            "gid": lab.gid,
            "tls": lab.tls,
            "ca": lab.ca,
        }
        write(self.conf, fill(self.template, **values), 0o644)

    def daemons(self) -> list[Process]:
        """One master process."""
        return [(["/usr/sbin/dovecot", "-F", "-c", self.conf], {})]

    def imap_command(self, user: str) -> list[object]:
        """An IMAP server on stdin and stdout, already logged in (greets PREAUTH)."""
        return ["/usr/lib/dovecot/imap", "-c", self.conf, "-u", user]

    def doveadm_command(self, words: Sequence[str]) -> list[object]:
        """Dovecot's administration tool, on this server."""
        return ["/usr/bin/doveadm", "-c", self.conf, *words]

    def extras(self) -> dict[str, Any]:
        """Commands that log in otherwise, and who stores mail how."""
        me = [sys.executable, str(_COMMAND), "--dir", str(self.lab.dir)]
        me += ["--cache", str(self.lab.cache), "--suite", self.lab.suite]
        return {
            "tunnel": [*me, "tunnel", self.name, "alice"],
            "oauth_token": [*me, "token", self.name, "alice"],
            "doveadm": [*me, "doveadm", self.name],
            "client_certificate": client_certificate(self.lab.tls),
            "storage": {"alice": "maildir", "bob": "maildir", "carol": "sdbox", "dave": "mdbox"},
        }

    def token(self, user: str, *, lifetime: int = 3600) -> str:
        """A bearer token for XOAUTH2 and OAUTHBEARER that is good for `lifetime` seconds.

        It is a JSON Web Token (RFC 7519) signed by HS256, which Dovecot checks by itself.
        """

        def part(value: bytes) -> bytes:
            return base64.urlsafe_b64encode(value).rstrip(b"=")

        now = int(time.time())
        claims = {"sub": user, "azp": "imap-lab", "iss": "imap-lab", "iat": now, "nbf": now - 60}
        claims["exp"] = now + lifetime
        head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        signed = head + b"." + part(json.dumps(claims).encode())
        key = base64.b64decode(self._oauth_key.read_text())
        return (signed + b"." + part(hmac.new(key, signed, hashlib.sha256).digest())).decode()

    @property
    def _oauth_key(self) -> Path:
        return self.dir / "oauth2-keys/imap-lab/HS256/default"


class DovecotNext(Chrooted, Dovecot):
    """Dovecot 2.4: UTF8=ACCEPT and LITERAL-; Debian builds it without IMAP4rev2."""

    name = "dovecot-next"
    slot = 6
    apt: ClassVar[tuple[str, ...]] = ("dovecot-imapd", "dovecot-flatcurve")
    marker = "usr/lib/dovecot/modules/lib21_fts_flatcurve_plugin.so"
    template = "dovecot-2.4.conf"
    accounts: ClassVar[dict[str, str]] = {
        **dict.fromkeys(USERS, ""),
        "carol": "userdb_mail_driver=sdbox userdb_mail_path=~/sdbox",
        "dave": "userdb_mail_driver=mdbox userdb_mail_path=~/mdbox",
        "fay": "userdb_fts_driver=flatcurve userdb_fts_autoindex=yes",
        "quinn": "userdb_quota_storage_size=200K",
        "hugo": "",
        "anonymous": "",
    }

    def version(self) -> str:
        """What `dovecot --version` says in the chroot."""
        return run(self.enter(["/usr/sbin/dovecot", "--version"])).split()[0]

    def daemons(self) -> list[Process]:
        """One master process, inside."""
        return [(self.enter(argv), environment) for argv, environment in super().daemons()]

    def imap_command(self, user: str) -> list[object]:
        """As Dovecot's, inside."""
        return self.enter(super().imap_command(user))

    def doveadm_command(self, words: Sequence[str]) -> list[object]:
        """As Dovecot's, inside."""
        return self.enter(super().doveadm_command(words))
