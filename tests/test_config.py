"""Settings: from variables and options, with every fault named."""

import inspect
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from persplit.cli import serve
from persplit.config import SECRET_BYTES_MIN, WORKERS_MAX, ConfigError, Settings, load_settings

ROOT = Path(__file__).parent.parent
SECRET = "a secret of more than thirty-two bytes, for tests"
MONGODB = "mongodb://asha:opensesame@db.example.org/persplit"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the variables of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PERSPLIT_{name.upper()}", raising=False)


def set_variables(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"PERSPLIT_{name.upper()}", value)


def faults(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """What is wrong with the variables, a line each; every fault, in none of them a secret."""
    set_variables(monkeypatch, **variables)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    said = str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__, "the library's error shows what was given"
    for secret in ("opensesame", SECRET, "too short"):
        assert secret not in said
    return said.splitlines()


def test_without_anything_said_it_is_one_process_on_this_machine() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert (settings.mongodb_uri, settings.redis_url, settings.jwt_secret) == (None, None, None)
    assert settings.rate_limits is True
    assert settings.own_url == "http://127.0.0.1:8000"


def test_each_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "host": "::1",
        "port": "9000",
        "data_dir": "/var/lib/persplit",
        "attachments_dir": "/srv/attachments",
        "receipt_workers": "0",
        "mongodb_uri": MONGODB,
        "redis_url": "redis://:opensesame@cache.example.org/0",
        "workers": "2",
        "shutdown_delay_seconds": "7",
        "jwt_secret": SECRET,
        "jwt_secret_previous": SECRET.upper(),
        "public_url": "https://split.example.org",
        "allowed_origins": "https://a.example.org, http://localhost:3000 ,",
        "trusted_proxies": "10.0.0.0/8,127.0.0.1",
        "metrics_from": "10.1.2.3",
        "smtp_url": "smtp://user:opensesame@mail.example.org",
        "mail_from": "split@example.org",
        "private_webhooks": "on",
        "rate_limits": "off",
        "fast_path": "off",
        "log_level": "debug",
        "log_format": "json",
    }
    assert given.keys() == Settings.model_fields.keys()
    set_variables(monkeypatch, **given)
    settings = load_settings()
    for name in ("mongodb_uri", "redis_url", "smtp_url", "jwt_secret", "jwt_secret_previous"):
        assert getattr(settings, name).get_secret_value() == given[name]
        assert given[name] not in repr(settings), "a secret never shows"
    assert settings.data_dir == Path("/var/lib/persplit")
    assert settings.allowed_origins == ("https://a.example.org", "http://localhost:3000")
    assert settings.trusted_proxies == ("10.0.0.0/8", "127.0.0.1")
    assert (settings.rate_limits, settings.log_level, settings.log_format) == (False, "debug", "json")
    assert settings.shutdown_delay_seconds == 7
    assert settings.own_url == "https://split.example.org"


def test_options_beat_variables_and_what_is_not_given_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, port="9000", host="0.0.0.0")  # noqa: S104 - not bound
    settings = load_settings(port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")  # noqa: S104 - as above


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "is_on"),
    [
        ("on", True),
        ("ON", True),
        ("true", True),
        ("1", True),
        ("off", False),
        ("Off", False),
        ("false", False),
        ("0", False),
    ],
)
def test_a_switch_is_on_or_off(monkeypatch: pytest.MonkeyPatch, text: str, *, is_on: bool) -> None:
    set_variables(monkeypatch, rate_limits=text)
    assert load_settings().rate_limits is is_on


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_empty_list_is_empty(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    set_variables(monkeypatch, allowed_origins=text, trusted_proxies=text)
    settings = load_settings()
    assert (settings.allowed_origins, settings.trusted_proxies) == ((), ())


def test_every_fault_is_said_at_once_each_under_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "host": "",
        "port": "65536",
        "workers": str(WORKERS_MAX + 1),
        "jwt_secret": "too short",
        "jwt_secret_previous": "too short too",
        "public_url": "split.example.org",
        "allowed_origins": "https://a.example.org/path",
        "rate_limits": "perhaps",
        "log_level": "loud",
        "log_format": "xml",
    }
    said = faults(monkeypatch, **wrong)
    assert [line.partition(":")[0] for line in said] == [f"PERSPLIT_{name.upper()}" for name in wrong]
    assert all(line.partition(": ")[2] for line in said), "and what is wrong with it"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "-1"),
        ("port", ""),
        ("port", "80.5"),
        ("workers", "0"),
        ("workers", "many"),
        ("public_url", "ftp://split.example.org"),
        ("public_url", "https://split.example.org/"),
        ("public_url", "https://split.example.org/app"),
        ("public_url", "https://split example.org"),
        ("public_url", "javascript:alert(1)"),
        ("allowed_origins", "*"),
        ("allowed_origins", "null"),
        ("allowed_origins", "a.example.org"),
        ("allowed_origins", "https://a.example.org/"),
        ("rate_limits", ""),
        ("log_level", "DEBUG "),
        ("jwt_secret", ""),
        ("jwt_secret", "x" * (SECRET_BYTES_MIN - 1)),
        ("jwt_secret_previous", "x" * (SECRET_BYTES_MIN - 1)),
    ],
)
def test_a_value_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    (said,) = faults(monkeypatch, **{name: value})
    assert said.startswith(f"PERSPLIT_{name.upper()}: ")


def test_the_length_of_a_secret_counts_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, jwt_secret="\u00e9" * (SECRET_BYTES_MIN // 2))
    assert load_settings().jwt_secret is not None


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"mongodb_uri": MONGODB}, ["PERSPLIT_JWT_SECRET"]),
        ({"workers": "2"}, ["PERSPLIT_MONGODB_URI"]),
        ({"workers": "2", "port": "0"}, ["PERSPLIT_MONGODB_URI", "PERSPLIT_PORT"]),
        ({"workers": "2", "port": "0", "mongodb_uri": MONGODB}, ["PERSPLIT_JWT_SECRET", "PERSPLIT_PORT"]),
    ],
)
def test_what_goes_together_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: list[str]
) -> None:
    said = " ".join(faults(monkeypatch, **variables))
    assert all(name in said for name in named)


def test_an_option_that_does_not_exist_is_refused() -> None:
    wrong: dict[str, Any] = {"prot": 1}
    with pytest.raises(ConfigError, match="PERSPLIT_PROT"):
        load_settings(**wrong)


# --- the README says the same

_ROW = re.compile(r"^\| `(PERSPLIT_\w+)` \| (?:`(--[\w-]+)`)? ?\| (.*?) ?\| (.+) \|$", re.MULTILINE)


def rows() -> dict[str, tuple[str, str, str]]:
    """Of the README's table: option, default, meaning, by variable."""
    text = (ROOT / "README.md").read_text()
    return {name: (option, default.strip(), meaning) for name, option, default, meaning in _ROW.findall(text)}


def test_the_readme_has_every_setting_and_no_other() -> None:
    assert list(rows()) == [f"PERSPLIT_{name.upper()}" for name in Settings.model_fields]
    mentioned = set(re.findall(r"PERSPLIT_[A-Z_]+", (ROOT / "README.md").read_text()))
    assert mentioned <= {
        *rows(),
        "PERSPLIT_TOKEN",
        "PERSPLIT_SERVER",
        "PERSPLIT_SKIP_WEB",
        "PERSPLIT_TEST_MONGODB_URI",
        "PERSPLIT_TEST_REDIS_URL",
    }


def test_the_readme_has_the_options_of_serve() -> None:
    options = {f"--{name.replace('_', '-')}" for name in inspect.signature(serve).parameters}
    assert {option for option, _, _ in rows().values() if option} == options
    for variable, (option, _, _) in rows().items():
        assert option in ("", f"--{variable.removeprefix('PERSPLIT_').lower().replace('_', '-')}")


def test_the_readme_has_the_defaults() -> None:
    for name, field in Settings.model_fields.items():
        _, default, _ = rows()[f"PERSPLIT_{name.upper()}"]
        if field.default in (None, ()):
            assert default in ("", "made and kept", "`http://host:port`"), name
        elif name == "metrics_from":
            assert default == "this machine and private networks"
            assert all(ip_network(network).is_private for network in field.default)
        else:
            shown = (
                {True: "on", False: "off"}.get(field.default, field.default)
                if isinstance(field.default, bool)
                else field.default
            )
            assert default == f"`{shown}`", name


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        _, _, meaning = rows()[f"PERSPLIT_{name.upper()}"]
        assert meaning.strip(), name


def test_faults_of_single_settings_and_between_settings_are_said_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERSPLIT_PORT", "http")
    monkeypatch.setenv("PERSPLIT_WORKERS", "2")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "PERSPLIT_PORT: " in str(caught.value)
    assert "PERSPLIT_WORKERS above 1 needs PERSPLIT_MONGODB_URI" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERSPLIT_MONGODB_URI", "postgres://nowhere"),
        ("PERSPLIT_REDIS_URL", "localhost:6379"),
        ("PERSPLIT_TRUSTED_PROXIES", "10.0.0.0/8, nonsense"),
        ("PERSPLIT_ALLOWED_ORIGINS", "https://user:hidden@example.org"),
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name}: ") as caught:
        load_settings()
    assert "nonsense" not in str(caught.value)
    assert "hidden" not in str(caught.value)
