"""A Kerberos realm on loopback for the tests of GSSAPI: a key distribution centre, and a Dovecot.

Both run as the lab's ordinary user, in a directory of their own. Debian's packages krb5-kdc,
krb5-admin-server, krb5-user and dovecot-gssapi have the programs.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from .lab import LabServer

REALM = "IMAPLUS.TEST"
MODULE = Path("/usr/lib/dovecot/modules/auth/libmech_gssapi.so")
PROGRAMS = {
    "/usr/sbin/krb5kdc": "krb5-kdc",
    "/usr/sbin/kdb5_util": "krb5-kdc",
    "/usr/sbin/kadmin.local": "krb5-admin-server",
    "/usr/bin/kinit": "krb5-user",
    "/usr/sbin/dovecot": "dovecot-imapd",
    str(MODULE): "dovecot-gssapi",
}
TIMEOUT = 20.0  # seconds that a daemon may take to answer

KRB5_CONF = """\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{realm} = {{
  kdc = 127.0.0.1:{kdc}
}}
[domain_realm]
localhost = {realm}
"""
KDC_CONF = """\
[kdcdefaults]
kdc_ports = ""
kdc_listen = 127.0.0.1:{kdc}
kdc_tcp_listen = 127.0.0.1:{kdc}
[realms]
{realm} = {{
  database_name = {dir}/principal
  key_stash_file = {dir}/stash
  max_life = 1h
}}
[logging]
kdc = FILE:{dir}/kdc.log
"""
DOVECOT_CONF = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
instance_name = imaplus-kerberos
import_environment = $import_environment KRB5_CONFIG KRB5RCACHETYPE
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service imap-urlauth-login {{
  chroot =
}}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = gssapi plain
auth_gssapi_hostname = localhost
auth_krb5_keytab = {dir}/imap.keytab
auth_realms = {realm}
auth_default_realm = {realm}
auth_username_format = %Ln
auth_failure_delay = 0
auth_verbose = yes
passdb {{
  driver = static
  args = password=unused
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
mail_location = maildir:~/Maildir
first_valid_uid = 1
"""


class Missing(Exception):
    """What this machine lacks; the message names the packages."""


class Realm:
    """A running realm with the principals alice and bob, and a server that takes their tickets."""

    def __init__(self, like: LabServer) -> None:
        """`like` is the lab's Dovecot: whom its files belong to, ours do.

        Raises: Missing.
        """
        lacking = {package for path, package in PROGRAMS.items() if not Path(path).exists()}
        if lacking:
            raise Missing(f"Kerberos needs the packages {', '.join(sorted(lacking))}")
        self.directory = Path(tempfile.mkdtemp(prefix="imaplus-krb5-"))
        owner = Path(like.info["dir"]).stat()
        self._uid, self._gid = owner.st_uid, owner.st_gid
        self._processes: list[subprocess.Popen[bytes]] = []
        self.kdc_port, self.port = _free_port(), _free_port()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """What a Kerberos program has to know."""
        d = self.directory
        return {
            "KRB5_CONFIG": f"{d}/krb5.conf",
            "KRB5_KDC_PROFILE": f"{d}/kdc.conf",
            "KRB5RCACHETYPE": "none",
            "KRB5CCNAME": f"FILE:{d}/none",
        }

    def ticket(self, user: str) -> str:
        """Log in to the realm as a user; the name of the credentials cache."""
        cache = f"FILE:{self.directory}/cache-{user}"
        self._run("/usr/bin/kinit", "-c", cache, "-k", "-t", self.directory / "users.keytab", user)
        return cache

    def log(self) -> str:
        """What the server has logged."""
        return (self.directory / "dovecot.log").read_text(errors="replace")

    def close(self) -> None:
        """End what was started, by its pid, and remove the directory."""
        for process in reversed(self._processes):
            process.terminate()
            process.wait(TIMEOUT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self) -> None:
        d = self.directory
        import grp
        import pwd

        facts = {
            "realm": REALM, "dir": d, "kdc": self.kdc_port, "port": self.port,
            "uid": self._uid, "gid": self._gid,
            "user": pwd.getpwuid(self._uid).pw_name, "group": grp.getgrgid(self._gid).gr_name,
        }  # fmt: skip
        (d / "krb5.conf").write_text(KRB5_CONF.format(**facts))
        (d / "kdc.conf").write_text(KDC_CONF.format(**facts))
        (d / "dovecot.conf").write_text(DOVECOT_CONF.format(**facts))
        for name in ("", "krb5.conf", "kdc.conf", "dovecot.conf"):
            if os.geteuid() == 0:
                os.chown(d / name, self._uid, self._gid)
        self._run("/usr/sbin/kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for user in ("alice", "bob"):
            self._admin(f"addprinc -randkey {user}")
            self._admin(f"ktadd -k {d}/users.keytab {user}")
        self._admin("addprinc -randkey imap/localhost")
        self._admin(f"ktadd -k {d}/imap.keytab imap/localhost")
        self._daemon("/usr/sbin/krb5kdc", "-n")
        self._daemon("/usr/sbin/dovecot", "-F", "-c", d / "dovecot.conf")
        for port in (self.kdc_port, self.port):
            self._wait_for(port)

    def _admin(self, query: str) -> None:
        self._run("/usr/sbin/kadmin.local", "-r", REALM, "-q", query)

    def _run(self, *argv: object) -> None:
        done = subprocess.run(
            list(map(str, argv)), env=self._whole_environment(), capture_output=True, text=True,
            timeout=TIMEOUT, check=False, **self._as_user(),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")

    def _daemon(self, *argv: object) -> None:
        with (self.directory / "console.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    list(map(str, argv)),
                    env=self._whole_environment(),
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **self._as_user(),
                )
            )

    def _whole_environment(self) -> Mapping[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.directory)} | (
            self.environment
        )

    def _as_user(self) -> dict[str, object]:
        if os.geteuid() != 0:
            return {}
        return {"user": self._uid, "group": self._gid, "extra_groups": []}

    def _wait_for(self, port: int) -> None:
        ends = time.monotonic() + TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                if time.monotonic() > ends or any(p.poll() is not None for p in self._processes):
                    console = (self.directory / "console.log").read_text(errors="replace")
                    raise RuntimeError(f"nothing answers at port {port}: {console}") from None
                time.sleep(0.05)
            else:
                return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
