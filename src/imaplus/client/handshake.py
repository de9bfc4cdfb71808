"""TLS for both kinds of stream: the check of ALPN, channel bindings, and errors."""

from __future__ import annotations

import ssl

from imaplus.client.endpoints import ALPN
from imaplus.client.unreachable import too_late
from imaplus.errors import ConnectionLost, TlsFailed
from imaplus.sasl.binding import EXPORTER, UNIQUE, ChannelBinding, server_end_point


def check_alpn(selected: str | None) -> None:
    """Refuse a server that selected another protocol by ALPN (ALPACA; RFC 7301, 3.2)."""
    if selected not in (None, ALPN):
        raise ssl.SSLError(f"the server speaks {selected!r}, not {ALPN!r}")


def handshake_error(host: str, error: Exception, timeout: float | None) -> ConnectionLost:
    """The error for a failed handshake. `timeout` is the limit in seconds."""
    if isinstance(error, TimeoutError):
        return too_late(f"{host} did not finish the TLS handshake", error, timeout)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(f"the certificate of {host} is not accepted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return TlsFailed(f"TLS with {host} failed: {getattr(error, 'reason', None) or error}")
    return TlsFailed(f"TLS with {host} failed: {str(error) or 'the connection was closed'}")


def channel_bindings(tls: ssl.SSLSocket | ssl.SSLObject | None) -> list[ChannelBinding]:
    """The channel bindings of a TLS connection, in order of preference; none without TLS.

    tls-exporter where Python supports it (RFC 9266; no version does so far). tls-unique up to TLS
    1.2 only: it is undefined in TLS 1.3 (RFC 8446, appendix C.5), although Python returns a value.
    Last tls-server-end-point, which identifies the server, not the connection (RFC 5929, 4).
    """
    if tls is None:
        return []
    usual = EXPORTER if tls.version() == "TLSv1.3" else UNIQUE
    found: list[ChannelBinding] = []
    if usual in ssl.CHANNEL_BINDING_TYPES and (data := tls.get_channel_binding(usual)):
        found.append(ChannelBinding(usual, data))
    certificate = tls.getpeercert(True)
    end_point = server_end_point(certificate) if certificate else None
    return found if end_point is None else [*found, end_point]
