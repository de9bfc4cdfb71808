"""Every place where a caller's text gets into a command: the table of the injection test.

`PLACES` names them by class and argument. `uncovered()` compares it with the code, so that a new
command, parameter, search key or mechanism is not forgotten here.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import imaplus.core
import imaplus.extensions
from imaplus import sasl
from imaplus.core import listing, mailboxes, raw_search, search, search_keys, search_query, session
from imaplus.core.append import Append, Outgoing
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.messages import Change, Copy, Move, Store
from imaplus.core.parameters import Parameter
from imaplus.core.search import Search
from imaplus.extensions import gmail, objectid, xlist
from imaplus.extensions.id import Id
from imaplus.protocol.command import Command
from imaplus.wire.secret import Secret
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets

ONE = SequenceSet.of(1)


class Place(NamedTuple):
    """One argument that takes text."""

    kind: str
    """How it arrives: "text", "mailbox", "word" (an atom, perhaps in capitals), "set", "base64";
    "hidden" where no command shows it."""
    make: Callable[[str], Command[Any]]
    lobby: bool = False
    """The command is for those who have not logged in."""


def _outgoing(text: str) -> Append:
    return Append("INBOX", (Outgoing(Octets(b"\r\n"), frozenset({text})),))


def _login(mechanism: sasl.Mechanism) -> session.Authenticate:
    return session.Authenticate(mechanism, True)


def _named(command: type[Any]) -> dict[tuple[type, str], Place]:
    return {(command, "mailbox"): Place("mailbox", command)}


def _password(
    which: Callable[..., sasl.Mechanism], kind: str, *more: object
) -> dict[tuple[Any, str], Place]:
    """A mechanism of three texts; what is not the first response shows in no command."""

    def mechanism(who: sasl.Password) -> sasl.Mechanism:
        return which(who, *more)

    return {
        (which, "user"): Place(
            kind, lambda t: _login(mechanism(sasl.Password(t, "p"))), lobby=True
        ),
        (which, "password"): Place(
            kind, lambda t: _login(mechanism(sasl.Password("ada", t))), lobby=True
        ),
        (which, "authzid"): Place(
            kind, lambda t: _login(mechanism(sasl.Password("ada", "p", t))), lobby=True
        ),
    }


def _token(mechanism: type[sasl.OAuthBearer]) -> dict[tuple[type, str], Place]:
    return {
        (mechanism, "user"): Place(
            "hidden", lambda t: _login(mechanism(sasl.BearerToken(t, "x"))), lobby=True
        ),
        (mechanism, "token"): Place(
            "base64", lambda t: _login(mechanism(sasl.BearerToken("ada", t))), lobby=True
        ),
        (mechanism, "host"): Place(
            "hidden",
            lambda t: _login(mechanism(sasl.BearerToken("ada", "x"), host=t)),
            lobby=True,
        ),
    }


def _text_key(key: type[Any]) -> dict[tuple[type, str], Place]:
    return {(key, "text"): Place("text", lambda t: Search(key(t), charset="UTF-8"))}


BINDINGS = (sasl.ChannelBinding("tls-unique", b"finished"),)

PLACES: dict[tuple[Any, str], Place] = {
    (session.Login, "user"): Place("text", lambda t: session.Login(t, Secret("x")), lobby=True),
    (session.Login, "password"): Place(
        "text", lambda t: session.Login("ada", Secret(t)), lobby=True
    ),
    **_password(sasl.Plain, "base64"),
    **_password(sasl.Login, "hidden"),
    **_password(sasl.CramMd5, "hidden"),
    **_password(sasl.ScramSha1, "hidden"),
    **_password(sasl.ScramSha256, "hidden"),
    **_password(sasl.ScramSha512, "hidden"),
    **_password(sasl.ScramSha1Plus, "hidden", BINDINGS),
    **_password(sasl.ScramSha256Plus, "hidden", BINDINGS),
    **_password(sasl.ScramSha512Plus, "hidden", BINDINGS),
    **_token(sasl.OAuthBearer),
    **_token(sasl.XOAuth2),
    (sasl.ExternalMechanism, "authzid"): Place(
        "base64", lambda t: _login(sasl.ExternalMechanism(sasl.External(t))), lobby=True
    ),
    (sasl.AnonymousMechanism, "trace"): Place(
        "base64", lambda t: _login(sasl.AnonymousMechanism(sasl.Anonymous(t))), lobby=True
    ),
    (session.Enable, "capabilities"): Place("word", lambda t: session.Enable((t,))),
    (Id, "fields"): Place("text", lambda t: Id(((t, "value"),))),
    (Id, "values"): Place("text", lambda t: Id((("name", t), ("os", None)))),
    **_named(mailboxes.Create),
    (mailboxes.Create, "special_uses"): Place("word", lambda t: mailboxes.Create("new", (t,))),
    **_named(mailboxes.Delete),
    **_named(mailboxes.Subscribe),
    **_named(mailboxes.Unsubscribe),
    **_named(mailboxes.Select),
    **_named(mailboxes.Examine),
    **_named(mailboxes.GetStatus),
    (mailboxes.GetStatus, "items"): Place("word", lambda t: mailboxes.GetStatus("INBOX", (t,))),
    (mailboxes.Rename, "mailbox"): Place("mailbox", lambda t: mailboxes.Rename(t, "new")),
    (mailboxes.Rename, "new_name"): Place("mailbox", lambda t: mailboxes.Rename("nowhere", t)),
    (listing.List, "reference"): Place("mailbox", lambda t: listing.List(t, ("x",))),
    (listing.List, "patterns"): Place("mailbox", lambda t: listing.List("", (t,))),
    (listing.List, "several patterns"): Place("mailbox", lambda t: listing.List("", ("x", t))),
    (listing.Lsub, "reference"): Place("mailbox", lambda t: listing.Lsub(t, "x")),
    (listing.Lsub, "pattern"): Place("mailbox", lambda t: listing.Lsub("", t)),
    (listing.Option, "word"): Place(
        "word", lambda t: listing.List("", ("x",), (listing.Option(t),))
    ),
    (listing.Option, "word returned"): Place(
        "word", lambda t: listing.List("", ("x",), (), (listing.Option(t),))
    ),
    (listing.WithStatus, "items"): Place(
        "word", lambda t: listing.List("", ("x",), (), (listing.WithStatus((t,)),))
    ),
    (xlist.XList, "reference"): Place("mailbox", lambda t: xlist.XList(t, "x")),
    (xlist.XList, "pattern"): Place("mailbox", lambda t: xlist.XList("", t)),
    (Append, "mailbox"): Place("mailbox", lambda t: Append(t, (Outgoing(Octets(b"x")),))),
    (Outgoing, "flags"): Place("word", _outgoing),
    (Store, "flags"): Place(
        "word", lambda t: Store(ONE, Change.REPLACE, frozenset({t}), silent=True)
    ),
    (Copy, "mailbox"): Place("mailbox", lambda t: Copy(ONE, t)),
    (Move, "mailbox"): Place("mailbox", lambda t: Move(SequenceSet.of(2), t)),
    (Fetch, "items"): Place("word", lambda t: Fetch(ONE, ("UID", t))),
    (BodySection, "section"): Place("hidden", lambda t: Fetch(ONE, (BodySection(t),))),
    (BodySection, "fields"): Place(
        "text", lambda t: Fetch(ONE, (BodySection("HEADER.FIELDS", ("X", t)),))
    ),
    (Search, "charset"): Place("hidden", lambda t: Search(charset=t)),
    (search.ReturnOption, "word"): Place(
        "word", lambda t: Search(returns=(search.ReturnOption(t),))
    ),
    **_text_key(search_keys.Bcc),
    **_text_key(search_keys.Body),
    **_text_key(search_keys.Cc),
    **_text_key(search_keys.From),
    **_text_key(search_keys.Subject),
    **_text_key(search_keys.Text),
    **_text_key(search_keys.To),
    # It is search criteria itself: refused, or written as one command (tests/core/test_raw_search).
    (raw_search.Raw, "criteria"): Place(
        "hidden", lambda t: Search(raw_search.Raw(t), charset="UTF-8")
    ),
    (search_keys.Header, "name"): Place("text", lambda t: Search(search_keys.Header(t, "x"))),
    (search_keys.Header, "text"): Place(
        "text", lambda t: Search(search_keys.Header("X", t), charset="UTF-8")
    ),
    (search_keys.HasKeyword, "keyword"): Place("word", lambda t: Search(search_keys.HasKeyword(t))),
    (search_keys.LacksKeyword, "keyword"): Place(
        "word", lambda t: Search(search_keys.LacksKeyword(t))
    ),
    (search_keys.Uid, "uids"): Place("set", lambda t: Search(search_keys.Uid(t))),
    (search_keys.SequenceNumbers, "seqs"): Place(
        "set", lambda t: Search(search_keys.SequenceNumbers(t))
    ),
    (objectid.EmailId, "id"): Place("word", lambda t: Search(objectid.EmailId(t))),
    (objectid.ThreadId, "id"): Place("word", lambda t: Search(objectid.ThreadId(t))),
    **_text_key(gmail.GmailSearch),
    (gmail.GmailLabel, "label"): Place("mailbox", lambda t: Search(gmail.GmailLabel(t))),
    (gmail.StoreLabels, "labels"): Place(
        "mailbox", lambda t: gmail.StoreLabels(ONE, Change.ADD, frozenset({t}))
    ),
    (search_query.Key, "name"): Place("word", lambda t: Search(search_query.Key(t))),
}

NEVER_TEXT = {
    "bool",
    "int",
    "date",
    "tuple[int, int] | None",
    "datetime | None",
    "SequenceSet",
    "MessageLike",
    "Change",
    "BodySink | None",
    "str | None",  # Option.requires, which is compared and not written; a nonce of SCRAM
    "int | None",
    # What stands in the table by itself:
    "Mechanism",
    "Password",
    "BearerToken",
    "External",
    "Anonymous",
    "Query",
    "Item",
    "tuple[Outgoing, ...]",
    "tuple[Query, ...]",
    "tuple[SelectParameter, ...]",
    "tuple[FetchModifier, ...]",
    "tuple[StoreModifier, ...]",
    "tuple[SearchReturn, ...]",
    "tuple[ListSelection, ...]",
    "tuple[ListReturn, ...]",
}
"""Annotations of arguments that cannot hold a text of the caller's."""


def below(kind: type) -> Iterator[type]:
    """A class and all that derive from it, in imaplus."""
    module = sys.modules[kind.__module__]
    if getattr(module, kind.__name__) is kind:  # and not what a dataclass with slots was made of
        yield kind
    each: type
    for each in kind.__subclasses__():
        if each.__module__.startswith("imaplus."):
            yield from below(each)


def arguments() -> Iterator[tuple[type, str]]:
    """Each class that is written into a command, with each argument that may hold text."""
    for package in (imaplus.core, imaplus.extensions, sasl):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    written = [
        *below(Command),
        *below(Parameter),
        *below(search_query.Query),
        BodySection,
        Outgoing,
    ]
    for kind in written:
        if kind.__name__.startswith("_") or kind in (Command, Parameter, search_query.Query):
            continue
        for name, parameter in inspect.signature(kind).parameters.items():
            if parameter.annotation not in NEVER_TEXT:
                yield kind, name
    for mechanism in below(sasl.Mechanism):
        # What GSSAPI sends is made by its library: tests/sasl/test_kerberos.py.
        if hasattr(mechanism, "name") and mechanism is not sasl.Gssapi:
            yield mechanism, "credentials"


def uncovered() -> list[str]:
    """Arguments that are not in the table."""
    classes = {kind for kind, _ in PLACES}
    return [
        f"{kind.__name__}.{name}"
        for kind, name in arguments()
        if (kind, name) not in PLACES and not (name == "credentials" and kind in classes)
    ]
