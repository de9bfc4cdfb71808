"""Messages and parts into files that appear whole, from where an earlier attempt stopped."""

from __future__ import annotations

from pathlib import Path
from time import monotonic as now
from typing import TYPE_CHECKING, Final

from imaplus.client.deadlines import Deadline, deadline_in, time_left
from imaplus.client.saving import Landing, Target
from imaplus.core.transfer_encodings import Decoder, Identity, decoder_for
from imaplus.errors import NoSuchMessage, Refused, Rejected, Throttled
from imaplus.flows.download import Progress, find_decoder, resume
from imaplus.reading.texts import usual_encoding

if TYPE_CHECKING:
    from imaplus.client._async_messages import AsyncMessages

AS_IT_IS: Final = "binary"
"""The encoding of what is not to be decoded."""


async def save_section(
    mailbox: AsyncMessages,
    uid: int,
    section: str,
    target: Target,
    *,
    encoding: str | None,
    progress: Progress | None = None,
    timeout: float | None = None,
) -> Path:
    """Write a section into a file; its path.

    `encoding` is its transfer encoding, to be undone; None, if that is not known. BINARY (RFC 3516)
    has the server undo it, where it can.

    Raises:
        NoSuchMessage: there is no such message, or section.
        Refused: neither the server nor imaplus knows the transfer encoding.
        OSError: the file cannot be written.
        ConnectionLost: what has come is kept beside the file; the next call goes on from there.
    """
    refusal: Exception | None = None
    ends = deadline_in(timeout, now())
    usual = None if encoding is None else usual_encoding(encoding)
    if (
        usual in ("base64", "quoted-printable", None)
        and section
        and mailbox._connection.can("BINARY")
    ):
        try:
            return await _save(mailbox, uid, section, target, None, True, progress, ends)
        except Throttled:
            raise
        except (Refused, Rejected, NoSuchMessage) as error:  # it cannot: then we do
            refusal = error
    decoder: Decoder | None
    if usual is not None:
        decoder = decoder_for(usual.encode("ascii", "replace"))
    else:
        decoder = await mailbox._give(find_decoder(uid, section), time_left(ends, now()))
        if decoder is None:
            words = f"the transfer encoding of part {section} is unknown"
            raise refusal or Refused("FETCH", "NO", "UNKNOWN-CTE", words)
    return await _save(mailbox, uid, section, target, decoder, False, progress, ends)


async def _save(
    mailbox: AsyncMessages,
    uid: int,
    section: str,
    target: Target,
    decoder: Decoder | None,
    binary: bool,
    progress: Progress | None,
    ends: Deadline | None,
) -> Path:
    landing = Landing(target, mailbox._identity_of(uid, section, binary))
    try:
        flow = resume(uid, landing.file, section=section, binary=binary, progress=progress)
        await mailbox._give(flow, time_left(ends, now()))
        if decoder is not None and not isinstance(decoder, Identity):
            landing.decode(decoder)
        return landing.publish()
    except BaseException as error:
        landing.leave(error)
        raise
