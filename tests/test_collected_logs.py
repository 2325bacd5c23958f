"""The search through the logs of the whole run finds what it is there to find."""

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from tests.collected_logs import Collected, check_for_leaks

ROOT = Path(__file__).parent.parent
LEAKING = """
import logging
from tests.collected_logs import COLLECTED

pytest_plugins = ["tests.collected_logs"]


def test_somebody_pays():
    COLLECTED.keep_secrets_of({"ok": True, "expense": {"description": "Kachoris for Ashalata"}})
    logging.getLogger("persplit").%s("paid for %%s", %r)
"""


@pytest.mark.parametrize(
    ("level", "text", "is_leak"),
    [
        ("debug", "KACHORIS for Ashalata!", True),
        ("error", "asha@okaxis", False),
    ],
)
def test_a_run_that_logs_a_secret_fails_and_says_where(
    tmp_path: Path, level: str, text: str, *, is_leak: bool
) -> None:
    (tmp_path / "test_leaking.py").write_text(LEAKING % (level, text))
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)]
    ran = subprocess.run(  # noqa: S603 - our own words
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert (ran.returncode != 0) == is_leak, ran.stdout
    assert ("1 secrets are in the logs" in ran.stdout) == is_leak
    assert ("paid for" in ran.stdout) == is_leak


def test_each_kind_of_secret_is_kept_and_harmless_words_are_not() -> None:
    collected = Collected()
    collected.keep_secrets_of(
        {
            "user": {"name": "Ashalata", "email": "a.rao@example.org", "vpa": "arao@okaxis", "id": "0189-id"},
            "accessToken": "eyJ.a.b",
            "code": "abcdefghijKLMNOP123-_x",
            "settleUp": [{"upiLink": "upi://pay?pa=x", "qrUrl": "/api/v1/qr/to_ken-1.png"}],
            "errors": [{"path": "name", "message": "is too long to be one"}],
            "description": "expense:create",
            "notes": "tea",
        }
    )
    collected.keep_secrets_of({"ok": False, "error": {"code": "not_found"}})
    assert collected.secrets == {
        *("ashalata", "a.rao@example.org", "arao@okaxis", "eyj.a.b", "abcdefghijklmnop123-_x"),
        *("upi://pay?pa=x", "to_ken-1"),
    }


@pytest.mark.parametrize("is_file", [True, False])
def test_what_other_processes_printed_is_searched_too(tmp_path: Path, *, is_file: bool) -> None:
    collected = Collected()
    collected.keep_secret("Kachoris for Ben")
    printed = "started\nlisten: kachoris FOR ben, 3 of them\nstopped"
    collected.note_file(tmp_path / "absent")
    if is_file:
        (tmp_path / "log").write_text(printed)
        collected.note_file(tmp_path / "log")
    else:
        collected.note_output(printed)
    assert list(collected.leaks("a quiet log")) == [
        ("kachoris for ben", "listen: kachoris for ben, 3 of them")
    ]
    with pytest.raises(pytest.fail.Exception, match="kachoris"):
        check_for_leaks(collected)


def test_the_logs_of_this_very_run_go_through_the_real_pipeline_into_the_file(collected_logs: Path) -> None:
    structlog.get_logger("persplit.somewhere").info("it_happened", vpa="asha@okaxis", seq=42)
    logging.getLogger("a.library").warning("call %s", "asha@okaxis")
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler.stream, io.StringIO):
            handler.flush()
    lines = collected_logs.read_text().splitlines()
    assert [line for line in lines if "it_happened" in line and '"seq": 42' in line and "[hidden]" in line]
    assert [line for line in lines if "a.library" in line and "call [hidden]" in line]
    assert "asha@okaxis" not in "\n".join(lines[-2:])
