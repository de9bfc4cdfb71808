"""Ways to log in, for `Client.connect(credentials=...)`, and secrets that stay out of logs."""

from __future__ import annotations

from imaplus.sasl import (
    Anonymous,
    AsyncCredentialsSource,
    BearerToken,
    Credentials,
    CredentialsSource,
    External,
    Password,
)
from imaplus.wire.secret import Secret

__all__ = [
    "Anonymous",
    "AsyncCredentialsSource",
    "BearerToken",
    "Credentials",
    "CredentialsSource",
    "External",
    "Password",
    "Secret",
]
