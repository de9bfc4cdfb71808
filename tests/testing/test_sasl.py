"""SASL: each mechanism, with an initial response and without, right and wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from imaplus.testing import PERSONALITIES, Quirk


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data)


@pytest.fixture
def talk(server, dial):
    return dial(server, login=False)


def exchange(talk, mechanism, *responses, initial=None):
    """Run an exchange. Gives the challenges and the tagged line."""
    talk.count += 1
    tag = b"t%d" % talk.count
    line = tag + b" AUTHENTICATE " + mechanism.encode()
    talk.send(line + (b"" if initial is None else b" " + (b64(initial) or b"=")) + b"\r\n")
    challenges = []
    for response in responses:
        challenge = talk.line()
        assert challenge.startswith(b"+ ")
        challenges.append(base64.b64decode(challenge[2:]))
        answer = response(challenges[-1]) if callable(response) else response
        talk.send((b64(answer) if answer != "*" else b"*") + b"\r\n")
    return challenges, talk.answer(tag)


def good(password):

    return {
        "PLAIN": f"\0ada\0{password}",
        "XOAUTH2": f"user=ada\1auth=Bearer {password}\1\1",
        "OAUTHBEARER": f"n,a=ada,\1host=x\1auth=Bearer {password}\1\1",
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("initial", [True, False])
def test_one_message(server, talk, mechanism, initial):
    message = good(server.password)[mechanism]
    if initial:
        _, answer = exchange(talk, mechanism, initial=message)
    else:
        challenges, answer = exchange(talk, mechanism, message)
        assert challenges == [b""]
    assert b" OK [CAPABILITY IMAP4rev1" in answer
    talk.ok("SELECT INBOX")


def test_login(server, talk):
    challenges, answer = exchange(talk, "LOGIN", "ada", server.password)
    assert challenges == [b"Username:", b"Password:"]
    assert b" OK " in answer


def test_login_with_the_user_at_once(server, talk):
    challenges, answer = exchange(talk, "LOGIN", server.password, initial="ada")
    assert challenges == [b"Password:"]
    assert b" OK " in answer


@pytest.mark.parametrize("right", [True, False])
def test_cram_md5(server, talk, right):
    key = server.password if right else "wrong"

    def respond(challenge):
        return "ada " + hmac.new(key.encode(), challenge, "md5").hexdigest()

    _, answer = exchange(talk, "CRAM-MD5", respond)
    assert (b" OK " in answer) == right


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_scram(server, talk, digest, right):
    password = server.password if right else "wrong"
    bare = "n=ada,r=client"
    verifier = b""

    def final(challenge):
        nonlocal verifier
        said = dict(each.split("=", 1) for each in challenge.decode().split(","))
        assert said["r"].startswith("client")
        salt, rounds = base64.b64decode(said["s"]), int(said["i"])
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds)
        without = f"c={b64('n,,').decode()},r={said['r']}"
        signed = f"{bare},{challenge.decode()},{without}".encode()
        key = hmac.digest(salted, b"Client Key", digest)
        signature = hmac.digest(hashlib.new(digest, key).digest(), signed, digest)
        server_key = hmac.digest(salted, b"Server Key", digest)
        verifier = b"v=" + b64(hmac.digest(server_key, signed, digest))
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{without},p={b64(proof).decode()}"

    name = {"sha1": "SCRAM-SHA-1", "sha256": "SCRAM-SHA-256"}[digest]
    if right:
        challenges, answer = exchange(talk, name, final, "", initial="n,," + bare)
        assert challenges[1] == verifier
        assert b" OK " in answer
    else:
        _, answer = exchange(talk, name, final, initial="n,," + bare)
        assert b"NO [AUTHENTICATIONFAILED]" in answer


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_wrong_token_is_explained(talk, mechanism):
    message = good("wrong")[mechanism]
    challenges, answer = exchange(talk, mechanism, "", initial=message)
    assert b'"status"' in challenges[0]
    assert b"NO [AUTHENTICATIONFAILED]" in answer


def test_wrong_password(talk):
    assert b"NO [AUTHENTICATIONFAILED]" in exchange(talk, "PLAIN", initial="\0ada\0wrong")[1]
    assert b"NO [AUTHENTICATIONFAILED]" in exchange(talk, "PLAIN", initial="nonsense")[1]
    assert b"NO [AUTHENTICATIONFAILED]" in exchange(talk, "PLAIN", initial=b"\xff\0x\0y")[1]


def test_acting_for_another(server, talk):
    message = f"bob\0ada\0{server.password}"
    assert b"NO [AUTHORIZATIONFAILED]" in exchange(talk, "PLAIN", initial=message)[1]


def test_anonymous(server, talk):
    assert b" NO " in exchange(talk, "ANONYMOUS", initial="trace")[1]
    server.add_user("anonymous", "")
    assert b" OK " in exchange(talk, "ANONYMOUS", initial="trace")[1]


def test_cancelled(talk):
    _, answer = exchange(talk, "PLAIN", "*")
    assert b" BAD Authentication cancelled" in answer
    talk.ok("NOOP")


def test_not_base64(talk):
    assert b" BAD " in talk("AUTHENTICATE PLAIN !!!")


def test_unknown_mechanism(talk):
    assert b"NO [CANNOT]" in talk("AUTHENTICATE X-NONE")


def test_initial_responses_can_be_unwelcome(start, dial):
    talk = dial(start(personality="netease"), login=False)
    assert b" BAD " in talk("AUTHENTICATE PLAIN AGFkYQB4")
    who = PERSONALITIES["rev1"].but(Quirk.NO_INITIAL_RESPONSE, minus="SASL-IR")
    assert "SASL-IR" not in who.capabilities
