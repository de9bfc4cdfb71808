"""Subjects of replies and forwards: one prefix, whatever prefixes in other languages were there."""

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


def _without(subject: str, prefix: str) -> str:
    """The subject without prefixes of a kind, also behind a mailing list's `[name]`."""
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
    """The subject behind one "Re: ", earlier prefixes of replies taken away."""
    return f"Re: {_without(subject, 'reply')}".rstrip()


def of_forward(subject: str) -> str:
    """The subject behind one "Fwd: ", earlier prefixes of forwards taken away."""
    return f"Fwd: {_without(subject, 'forward')}".rstrip()
