"""Replies and forwards as `email.message.EmailMessage`. Nothing is sent.

Recipients follow RFC 5322 (3.6.2), and for lists RFC 2369 (3.4) and Mail-Followup-To; References
follow RFC 5322 (3.6.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from email import message_from_bytes, policy
from email.headerregistry import Address as MailAddress
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import localtime, make_msgid
from typing import Any, ClassVar, Final, Literal, NamedTuple
from urllib.parse import unquote

from imaplus.core.envelope import Address, Addresses, Envelope
from imaplus.errors import InvalidArgument
from imaplus.reading import subjects
from imaplus.reading.headers import Fields, addresses, first, message_ids, values
from imaplus.wire.patterns import lazy_pattern

ReplyTo = Literal["sender", "all", "list"]
"""The recipients of a reply: see `Message.reply()`."""
MOST_REFERENCES: Final = 50
"""Message ids in References at most: the first one, and the last ones."""
_MAILTO: Final = lazy_pattern(r"(?i)<\s*mailto:([^>?\s]+)[^>]*>")
_CONTROLS: Final = lazy_pattern(r"[\x00-\x1f\x7f\u2028\u2029]+")
_SIGNATURE: Final = lazy_pattern(r"(?m)^-- $")


class Original(NamedTuple):
    """The message to reply to, or to forward."""

    envelope: Envelope
    references: tuple[str, ...]
    fields: Fields
    """The header fields."""
    date: datetime | None
    text: str


class File(NamedTuple):
    """An attachment."""

    name: str
    content_type: str
    data: bytes
    charset: str | None = None


class _MessageIds:
    """A header of message ids, folded between ids and never encoded."""

    max_count: ClassVar[int] = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["parse_tree"] = None
        kwds["decoded"] = " ".join(value.split())

    def fold(self, *, policy: Any) -> str:
        line_end: str = policy.linesep
        name: str = self.name  # type: ignore[attr-defined]  # BaseHeader has it
        return f"{name}: {(line_end + ' ').join(str(self).split())}{line_end}"


def _policy() -> EmailPolicy[Any]:
    factory: Any = HeaderRegistry()
    for name in ("references", "in-reply-to", "message-id"):
        factory.map_to_type(name, _MessageIds)
    # Attached messages stay unchanged: their headers are not refolded.
    return policy.default.clone(header_factory=factory, refold_source="none")


def reply(
    original: Original,
    text: str,
    *,
    sender: str | None,
    to: ReplyTo,
    aliases: Iterable[str],
    quote: bool,
) -> EmailMessage:
    """Compose a reply: see `Message.reply()`.

    Raises:
        InvalidArgument: `sender` is not an address; `to` is invalid, or "list" for a message that
            is not from a list.
    """
    message, me = _begin(sender)
    mine = {each.lower() for each in aliases} | ({me.email.lower()} if me else set())
    if not mine:
        delivered = values(original.fields, "Delivered-To") + values(
            original.fields, "X-Original-To"
        )
        mine = {each.email.lower() for each in addresses(delivered)}
    recipients, copies = _recipients(original, to, mine)
    _set_addresses(message, "To", recipients)
    _set_addresses(message, "Cc", copies)
    message["Subject"] = subjects.of_reply(_one_line(original.envelope.subject))
    parents = message_ids(original.envelope.message_id)
    if parents:
        message["In-Reply-To"] = parents[0]
    _set_references(message, original)
    message.set_content(_with_quote(text, original) if quote else text)
    return message


def forward(
    original: Original,
    text: str,
    *,
    sender: str | None,
    to: Iterable[str],
    whole: bytes | None = None,
    files: Sequence[File] = (),
) -> EmailMessage:
    """Compose a forward: see `Message.forward()`. `whole` is a message to attach.

    Raises:
        InvalidArgument: `sender`, or one of `to`, is not an address.
    """
    message, _ = _begin(sender)
    _set_addresses(message, "To", [_address(each) for each in to])
    message["Subject"] = subjects.of_forward(_one_line(original.envelope.subject))
    _set_references(message, original)
    if whole is not None:
        message.set_content(text)
        _attach_message(message, whole)
        return message
    message.set_content(_lines(text, _headline(original), original.text))
    for file in files:
        media, _, subtype = file.content_type.partition("/")
        if file.content_type == "message/rfc822":
            _attach_message(message, file.data)
            continue
        if media in ("message", "multipart"):  # must not be encoded (RFC 2046, 5)
            media, subtype = "application", "octet-stream"
        message.add_attachment(
            file.data,
            maintype=media,
            subtype=subtype or "octet-stream",
            filename=file.name,
            params={"charset": file.charset} if file.charset else None,
        )
    return message


def _attach_message(message: EmailMessage, data: bytes) -> None:
    """Attach a message unchanged."""
    if not message.is_multipart():
        message.make_mixed()
    part = EmailMessage(_policy())
    part["Content-Type"] = "message/rfc822"
    part["Content-Disposition"] = "attachment"
    part.set_payload([message_from_bytes(data, policy=policy.compat32)])
    message.attach(part)


def _begin(sender: str | None) -> tuple[EmailMessage, Address | None]:
    message = EmailMessage(_policy())
    me = None if sender is None else _address(sender)
    message["Date"] = localtime()
    if me is not None:
        _set_addresses(message, "From", [me])
        message["Message-ID"] = make_msgid(domain=me.host or "localhost")
    message["MIME-Version"] = "1.0"
    return message, me


def _address(text: str) -> Address:
    found = addresses([text])
    if len(found) != 1 or not found[0].host:
        raise InvalidArgument(f"expected an e-mail address, found {text!r:.100}")
    return found[0]


# -- recipients ------------------------------------------------------------------------------------


def _recipients(
    original: Original, to: ReplyTo, mine: set[str]
) -> tuple[Sequence[Address], Sequence[Address]]:
    """Return To and Cc of a reply."""
    envelope, fields = original.envelope, original.fields
    followup = addresses(values(fields, "Mail-Followup-To"))
    if to == "list":
        if found := followup or _list_address(fields) or _list_reply_to(envelope):
            return _others(found, mine) or found, ()
        raise InvalidArgument(
            "the message is not from a mailing list: it has no address to post to"
        )
    if to not in ("sender", "all"):
        raise InvalidArgument(f'expected "sender", "all" or "list", found {to!r:.40}')
    author = addresses(values(fields, "Mail-Reply-To")) or envelope.reply_to or envelope.from_
    if _is_mine(envelope.from_, mine):  # a message of one's own: reply to its recipients
        author = envelope.to or author
    if to == "sender":
        return _known(author), ()
    if followup:
        return _others(followup, mine) or _known(followup), ()
    first_ = _others(author, mine) or _known(author)
    there = {each.email.lower() for each in first_} | mine
    also = _others(envelope.to, there)
    copies = _others(envelope.cc, there | {each.email.lower() for each in also})
    return [*first_, *also], copies


def _is_mine(who: Addresses, mine: set[str]) -> bool:
    return bool(who) and all(each.email.lower() in mine for each in who)


def _known(who: Iterable[Address]) -> list[Address]:
    """Return the addresses that mail can be sent to, each once."""
    return list({each.email.lower(): each for each in who if each.mailbox and each.host}.values())


def _others(who: Iterable[Address], but: set[str]) -> list[Address]:
    return [each for each in _known(who) if each.email.lower() not in but]


def _list_address(fields: Fields) -> Addresses:
    """Return the address of List-Post (RFC 2369, 3.4); none for NO, a list without posting."""
    found = _MAILTO.findall(first(fields, "List-Post") or "")
    return addresses(unquote(each) for each in found[:1])


def _list_reply_to(envelope: Envelope) -> Addresses:
    """Return the addresses of Reply-To that are not the author's: lists put their own there."""
    authors = {each.email.lower() for each in envelope.from_}
    return tuple(each for each in envelope.reply_to if each.email.lower() not in authors)


def _set_addresses(message: EmailMessage, name: str, who: Sequence[Address]) -> None:
    found: list[MailAddress] = []
    for each in _known(who):
        shown = _CONTROLS.sub(" ", each.name or "").strip()
        try:
            found.append(MailAddress(shown, each.mailbox or "", each.host or ""))
        except ValueError:  # a line break in the address
            continue
    if found:
        message[name] = found


# -- content ---------------------------------------------------------------------------------------


def _set_references(message: EmailMessage, original: Original) -> None:
    """Set References: those of the original, or its single In-Reply-To, then its Message-ID."""
    known = original.references
    if not known:
        answered = message_ids(original.envelope.in_reply_to)
        known = answered if len(answered) == 1 else ()
    found = tuple(dict.fromkeys((*known, *message_ids(original.envelope.message_id))))
    if len(found) > MOST_REFERENCES:
        found = (found[0], *found[1 - MOST_REFERENCES :])
    if found:
        message["References"] = " ".join(found)


def _one_line(subject: str | None) -> str:
    return _CONTROLS.sub(" ", subject or "").strip()


def _who(who: Iterable[Address]) -> str:
    return ", ".join(_one_line(str(each)) for each in who)


def _when(original: Original) -> str:
    return "" if original.date is None else original.date.strftime("%Y-%m-%d %H:%M %z").strip()


def _lines(*texts: str) -> str:
    return "\n\n".join(each.strip("\n") for each in texts if each.strip()) + "\n"


def _with_quote(text: str, original: Original) -> str:
    author = original.envelope.from_[:1]
    who = (author[0].name or author[0].email) if author else "somebody"
    when = _when(original)
    intro = f"On {when}, {_one_line(who)} wrote:" if when else f"{_one_line(who)} wrote:"
    body = _SIGNATURE.split(original.text, maxsplit=1)[0].strip("\n")
    quoted = [
        f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in body.split("\n")
    ]
    return _lines(text, "\n".join([intro, *quoted]))


def _headline(original: Original) -> str:
    envelope = original.envelope
    found = {
        "From": _who(envelope.from_),
        "Date": _when(original),
        "Subject": _one_line(envelope.subject),
        "To": _who(envelope.to),
        "Cc": _who(envelope.cc),
    }
    lines = [f"{name}: {value}" for name, value in found.items() if value]
    return "\n".join(["-------- Forwarded message --------", *lines])
