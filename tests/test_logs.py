"""What is logged, and above all what is not."""

import errno
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage
from hypothesis import given
from hypothesis import strategies as st

from persplit import logs
from persplit.logs import redact, tell_exception

ROOT = Path(__file__).parent.parent
SESSION_SECONDS_MAX = 180


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_day_leaves_ids_in_the_logs_and_nobodys_secrets(form: str) -> None:
    command = [sys.executable, "-m", "tests.logged_session", form]
    ran = subprocess.run(  # noqa: S603 - our own words
        command, cwd=ROOT, capture_output=True, text=True, timeout=SESSION_SECONDS_MAX, check=False
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    logged = ran.stderr.lower()
    assert [secret for secret in told["secrets"] if secret.lower() in logged] == []
    assert [id_ for id_ in told["ids"] if id_ not in logged] == []
    for event in (
        "request_failed",
        "command_failed",
        "refresh_token_reused",
        "task exception was never retrieved",
    ):
        assert event in logged
    assert ran.stderr.count("Surprise") >= 3, "of each exception its kind is told"
    assert "logged_session.py" in logged, "and where it was raised"
    assert "error handling request" not in logged, "what isn't HTTP is no news"
    if form == "json":
        assert all("event" in json.loads(line) for line in ran.stderr.splitlines())


# --- fields and texts

words = st.from_regex(r"[a-z][a-z0-9]{2,12}", fullmatch=True)
secrets = st.one_of(
    st.builds("{}@{}".format, words, words),
    st.builds("{}.{}@{}.org".format, words, words, words),
    st.builds("upi://pay?pa={}@{}&pn={}".format, words, words, words),
    st.builds("eyJ{}.{}.{}".format, words, words, words),
    st.builds(
        "{}.{}.{}".format, st.uuids(), st.integers(1, 999), st.from_regex(r"[\w-]{43}\Z", fullmatch=True)
    ),
    st.builds("mongodb://{}:{}@{}/persplit".format, words, words, words),
    st.builds("rediss://:{}@{}:6379/0".format, words, words),
    st.builds("Bearer {}".format, words),
    st.builds("+91 {} {}".format, st.integers(10_000, 99_999), st.integers(10_000, 99_999)),
    st.integers(10**9, 10**12 - 1).map(str),
)
KEYS: tuple[str, ...] = (
    "password",
    "joinPassword",
    "refresh_token",
    "accessToken",
    "Authorization",
    "set-cookie",
    "email",
    "e-mail",
)
KEYS += ("name", "displayName", "phone", "vpa", "upiId", "UTR", "note", "jwt_secret", "PASSWORD_HASH")
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
nested = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


def redacted(**fields: Any) -> Any:
    return redact(None, "info", {"event": "something", **fields})


def deep_in(value: object, depth: int) -> object:
    for level in range(depth):
        value = {"part": value} if level % 2 else [value, 7]
    return value


@given(secrets, st.text(" :,()<>'\"", max_size=3), st.integers(0, logs.NESTING_MAX + 3))
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(secret: str, around: str, depth: int) -> None:
    told = json.dumps(redacted(text=deep_in(f"it was {around}{secret}{around} there", depth)))
    assert secret not in told
    assert secret.partition("@")[0] not in told or "@" not in secret


@given(st.sampled_from(KEYS), nested, st.integers(0, 3))
def test_what_is_called_like_a_secret_is_hidden_whatever_it_is(name: str, value: object, depth: int) -> None:
    told = redacted(body=deep_in({name: value}, depth))["body"]
    for level in reversed(range(depth)):
        told = told["part"] if level % 2 else told[0]
    assert told == {name: "[hidden]"}


@given(st.dictionaries(words.filter(lambda word: word not in logs._SECRET_KEYS), nested, max_size=3))
def test_redacting_never_fails_and_again_changes_nothing(fields: dict[str, Any]) -> None:
    once = redacted(**fields)
    assert str(redact(None, "info", dict(once))) == str(once)


@given(st.uuids(), st.integers(0, 2**53), words)
def test_ids_and_numbers_stay(id_: UUID, seq: int, code: str) -> None:
    fields = {"group_id": str(id_), "sid": id_.hex[:20] + "AA", "seq": seq, "code": code, "user_id": id_}
    told = redacted(**fields)
    assert told == {"event": "something", **fields, "user_id": str(id_)}


def test_of_an_object_only_its_kind_is_told() -> None:
    @dataclass
    class Person:
        name: str

    told = redacted(
        who=Person("Asha"), error=ValueError("asha@okaxis"), raw=b"asha@okaxis", people={Person: 1}
    )
    assert told["who"] == "<Person>"
    assert told["error"] == "<ValueError>"
    assert told["raw"] == "<bytes>"
    assert "Asha" not in str(told)


def test_of_a_librarys_message_the_first_line_is_told() -> None:
    task = "<Task finished coro=<f()> exception=ValueError('Asha pays')>"
    for text in (f"it failed\nfuture: {task}", f"it failed {task}\nAsha"):
        told = redact(None, "error", {"event": text, "_from_structlog": False, "_record": None})
        assert told["event"].startswith("it failed")
        assert "Asha" not in str(told)


# --- exceptions


def raised(make: Callable[[], Exception]) -> Exception:
    try:
        raise make()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return error


def told_of(exc_info: object) -> str:
    event = tell_exception(None, "error", {"event": "it failed", "exc_info": exc_info})
    assert "exc_info" not in event
    return str(event.get("exception", ""))


def chained() -> Exception:
    inner = raised(lambda: KeyError("asha@okaxis"))
    outer = raised(lambda: RuntimeError("Asha"))
    outer.__cause__ = inner
    outer.add_note("a long walk by the sea")
    return outer


@pytest.mark.parametrize(
    "shape",
    [lambda error: error, lambda error: (type(error), error, error.__traceback__)],
    ids=["error", "tuple"],
)
def test_of_an_exception_kinds_and_places_are_told(shape: Callable[[BaseException], object]) -> None:
    told = told_of(shape(chained()))
    assert "KeyError\nand then\n" in told
    assert told.endswith("RuntimeError")
    assert "test_logs.py" in told
    assert not {"asha", "Asha", "walk"} & set(told.replace('"', " ").split())


def test_the_exception_that_is_being_handled_is_told() -> None:
    try:
        raise ValueError("asha@okaxis")
    except ValueError:
        assert told_of(True).endswith("ValueError")  # noqa: FBT003 - what `exc_info` is called with
    assert told_of(True) == ""  # noqa: FBT003 - as above
    assert told_of(None) == ""


def test_of_a_group_each_exception_is_told() -> None:
    told = told_of(raised(lambda: ExceptionGroup("Asha", [ValueError("Ben"), chained()])))
    assert "of which one\nValueError" in told
    assert told.endswith("RuntimeError")
    assert "Ben" not in told


def test_the_systems_word_for_what_went_wrong_is_told() -> None:
    told = told_of(raised(lambda: OSError(errno.ENOSPC, "Asha", "/home/asha")))
    assert told.endswith("OSError: No space left on device")
    assert "asha" not in told.lower().replace("test_logs", "").partition("oserror: ")[2]


def test_an_endless_recursion_or_chain_is_told_in_short() -> None:
    def recurse(depth: int) -> int:
        return recurse(depth + 1) + recurse(depth + 2)

    assert len(told_of(raised(lambda: RecursionError(recurse(0)))).splitlines()) < 4 * logs.FRAMES_MAX
    first = last = raised(lambda: ValueError("1"))
    for _ in range(100):
        following = raised(lambda: ValueError("2"))
        following.__cause__ = last
        last = following
    first.__context__ = last
    assert told_of(last).count("ValueError\n") <= logs.CHAIN_MAX


# --- setting up


def test_what_is_not_http_makes_no_log_line() -> None:
    quiet = logs._NotHttp()
    for error, is_told in ((BadHttpMessage("eyJ"), False), (ValueError(), True), (None, True)):
        exc_info = None if error is None else (type(error), error, None)
        record = logging.LogRecord("aiohttp.server", logging.ERROR, "", 1, "it failed", (), exc_info)
        assert quiet.filter(record) is is_told


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_and_the_form_are_those_set(
    level: str, count: int, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (root.handlers, root.level, structlog.get_config())
    others = [
        logging.getLogger(name)
        for name in ("aiohttp.access", "aiohttp.server", "aiohttp.websocket", "pymongo")
    ]
    theirs = [(other, other.level, other.filters) for other in others]
    try:
        logs.set_up_logs(level, "json")
        for method in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger("library"), method)("for %s", "asha@okaxis")
        logging.getLogger("pymongo.command").debug("insert")
    finally:
        root.handlers, root.level = before[0], before[1]
        structlog.configure(**before[2])
        for other, other_level, filters in theirs:
            other.setLevel(other_level)
            other.filters = filters
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["for [hidden]"] * count
