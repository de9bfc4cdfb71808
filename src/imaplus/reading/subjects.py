"""Subjects of replies and forwards: prefixes in many languages are replaced by one."""

from __future__ import annotations

from typing import Final

from imaplus.wire.patterns import lazy_pattern

# German, Dutch, Danish/Norwegian/Swedish, Finnish, Polish, French, Italian, Hungarian, Turkish,
# Welsh, Portuguese, Indonesian, Greek, Russian, Chinese, Japanese, Korean, Hebrew, Arabic.
_REPLIES: Final = (
    r"re|aw|antw|antwort|sv|vs|odp|réf|réponse|rép|rif|vá|ynt|atb|res|resp|bls|balas|απ|σχετ"
    r"|отв|ответ|на|回复|回覆|回復|答复|答覆|返信|답장|회신|תגובה|השב|رد"
)
_FORWARDS: Final = (
    r"fw|fwd|wg|weiterleitung|doorst|vb|vid|vl|pd|tr|rv|enc|továbbítás|ilt|i̇lt|πρθ|пересл|пер"
    r"|转发|轉寄|轉發|転送|전달|הועבר|إعادة توجيه"
)
_NUMBER: Final = r"(?:\s?\[\d{1,3}\]|\s?\(\d{1,3}\)|\^\d{1,3}|\*\d{1,3})?"
_REPLY: Final = lazy_pattern(rf"(?i)\s*(?:{_REPLIES}){_NUMBER}\s*[:：]\s*")
_FORWARD: Final = lazy_pattern(rf"(?i)\s*(?:{_FORWARDS}){_NUMBER}\s*[:：]\s*")
_LIST: Final = lazy_pattern(r"\s*(\[[^\]]{1,60}\])\s*")


def _remove_prefixes(subject: str, prefix: str) -> str:
    """Remove the prefixes of a kind, also after a mailing list's `[name]`."""
    pattern = _REPLY if prefix == "reply" else _FORWARD
    tag = ""
    while True:
        if found := pattern.match(subject):
            subject = subject[found.end() :]
        elif (found := _LIST.match(subject)) and pattern.match(subject, found.end()):
            tag = tag or found[1]
            subject = subject[found.end() :]
        else:
            break
    subject = subject.strip()
    if tag and not subject.startswith(tag):
        subject = f"{tag} {subject}".strip()
    return subject


def of_reply(subject: str) -> str:
    """Return the subject of a reply: "Re: " and the subject without other reply prefixes."""
    return f"Re: {_remove_prefixes(subject, 'reply')}".rstrip()


def of_forward(subject: str) -> str:
    """Return the subject of a forward: "Fwd: " and the subject without other forward prefixes."""
    return f"Fwd: {_remove_prefixes(subject, 'forward')}".rstrip()
