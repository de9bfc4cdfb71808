"""The GS2 header that SCRAM and OAUTHBEARER begin with (RFC 5801, 4)."""

from __future__ import annotations


def saslname(text: str) -> str:
    """saslname: commas and equal signs are escaped."""
    return text.replace("=", "=3D").replace(",", "=2C")


def gs2_header(flag: str, authzid: str) -> str:
    """gs2-header = [gs2-nonstd-flag ","] gs2-cb-flag "," [gs2-authzid] ","."""
    return f"{flag},{f'a={saslname(authzid)}' if authzid else ''},"
