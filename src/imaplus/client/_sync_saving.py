# Generated from _async_saving.py by tools/gen_sync.py: edit that file instead.
"""Save messages and parts to files, resuming earlier attempts."""

from __future__ import annotations

from pathlib import Path
from time import monotonic as now
from typing import TYPE_CHECKING, Final

from imaplus.client.deadlines import Deadline, time_left
from imaplus.client.saving import Landing, Target
from imaplus.core.transfer_encodings import Decoder, Identity, decoder_for
from imaplus.errors import NoSuchMessage, Refused, Rejected, Throttled
from imaplus.flows.download import Progress, find_decoder, resume
from imaplus.reading.texts import usual_encoding

if TYPE_CHECKING:
    from imaplus.client._sync_messages import Messages

AS_IT_IS: Final = "binary"
"""The encoding of sections that are saved without decoding."""


def save_section(
    mailbox: Messages,
    uid: int,
    section: str,
    target: Target,
    *,
    encoding: str | None,
    progress: Progress | None = None,
    ends: Deadline | None,
) -> Path:
    """Write a section to a file, and return the file's path.

    Args:
        mailbox: the mailbox of the message.
        uid: the message.
        section: the section, "" for the whole message.
        target: where the file is to appear.
        encoding: the transfer encoding to decode; None if it is not known. The server decodes it if
            it has BINARY (RFC 3516).
        progress: called with the bytes received so far, and the size in bytes.
        ends: when to give up.

    Raises:
        NoSuchMessage: there is no such message, or no such section in it.
        Refused: neither the server nor imaplus knows the transfer encoding.
        OSError: the file cannot be written.
        ConnectionLost: what was received is kept beside the file; the next call resumes.
    """
    refusal: Exception | None = None
    usual = None if encoding is None else usual_encoding(encoding)
    if (
        usual in ("base64", "quoted-printable", None)
        and section
        and mailbox._connection.can("BINARY")
    ):
        try:
            return _save(mailbox, uid, section, target, None, True, progress, ends)
        except Throttled:
            raise
        except (Refused, Rejected, NoSuchMessage) as error:  # decode here instead
            refusal = error
    decoder: Decoder | None
    if usual is not None:
        decoder = decoder_for(usual.encode("ascii", "replace"))
    else:
        decoder = mailbox._give(find_decoder(uid, section), time_left(ends, now()))
        if decoder is None:
            words = f"the transfer encoding of part {section} is unknown"
            raise refusal or Refused("FETCH", "NO", "UNKNOWN-CTE", words)
    return _save(mailbox, uid, section, target, decoder, False, progress, ends)


def _save(
    mailbox: Messages,
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
        mailbox._give(flow, time_left(ends, now()))
        if decoder is not None and not isinstance(decoder, Identity):
            landing.decode(decoder)
        return landing.publish()
    except BaseException as error:
        landing.leave(error)
        raise
