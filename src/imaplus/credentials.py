"""Ways to log in, for `Client.connect(credentials=...)`, and secrets that stay out of logs."""

from __future__ import annotations

from imaplus.sasl.credentials import (
    Anonymous,
    AsyncCredentialsSource,
    BearerToken,
    Credentials,
    CredentialsSource,
    External,
    Kerberos,
    Password,
)
from imaplus.sasl.mechanism import Mechanism
from imaplus.sasl.memory import LoginMemory
from imaplus.wire.secret import Secret

__all__ = [
    "Anonymous",
    "AsyncCredentialsSource",
    "BearerToken",
    "Credentials",
    "CredentialsSource",
    "External",
    "Kerberos",
    "LoginMemory",
    "Mechanism",
    "Password",
    "Secret",
]
