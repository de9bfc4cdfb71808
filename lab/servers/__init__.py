"""The IMAP servers that the lab can install, start and stop; one module per make.

They know Debian and each server's configuration.  They know nothing of imaplus: what they
promise is a port on 127.0.0.1 that answers, and facts about it as one JSON object.
"""

from __future__ import annotations

from .base import Server
from .courier import Courier
from .cyrus import Cyrus, CyrusBackports, CyrusNext
from .dovecot import Dovecot, DovecotNext

SERVERS: dict[str, type[Server]] = {
    make.name: make for make in (Dovecot, DovecotNext, Cyrus, CyrusBackports, CyrusNext, Courier)
}

__all__ = ["SERVERS", "Dovecot", "DovecotNext", "Server"]
