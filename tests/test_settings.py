"""What the environment and the flags say."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator

import pytest
from absl import flags

from hubmodule import settings
from hubmodule._plain_errors import SettingError
from hubmodule.settings import AuditPolicy, LoadFormat, Settings, TokenSettings


@pytest.fixture(autouse=True)
def nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("TFHUB_", "HUBMODULE_")):
            monkeypatch.delenv(name)


@pytest.fixture
def flag() -> Iterator[object]:
    """Sets flags, and unsets them afterwards."""
    said: list[str] = []

    def say(name: str, value: str) -> None:
        said.append(name)
        flags.FLAGS[name].value = value
        flags.FLAGS[name].using_default_value = False

    yield say
    for name in said:
        flags.FLAGS[name].unparse()


def test_what_holds_if_nothing_is_said() -> None:
    assert settings.read() == Settings(
        cache_dir=os.path.join(tempfile.gettempdir(), "tfhub_modules"),
        load_format=LoadFormat.AUTO,
        offline=False,
        show_progress=None,
        verify_tls=True,
        connect_timeout=10.0,
        read_timeout=60.0,
        lock_timeout=600.0,
        retries=5,
        max_archive_entries=100_000,
        max_archive_bytes=100 << 30,
        audit=AuditPolicy.OFF,
    )


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("TFHUB_CACHE_DIR", "gs://b/c", "cache_dir", "gs://b/c"),
        ("TFHUB_MODEL_LOAD_FORMAT", "COMPRESSED", "load_format", LoadFormat.COMPRESSED),
        ("TFHUB_MODEL_LOAD_FORMAT", "uncompressed", "load_format", LoadFormat.UNCOMPRESSED),
        ("HUBMODULE_OFFLINE", "1", "offline", True),
        ("HUBMODULE_OFFLINE", "true", "offline", True),
        ("HUBMODULE_OFFLINE", "0", "offline", False),
        ("HUBMODULE_OFFLINE", "", "offline", False),
        ("TFHUB_DOWNLOAD_PROGRESS", "1", "show_progress", True),
        ("TFHUB_DOWNLOAD_PROGRESS", "please", "show_progress", True),
        ("TFHUB_DOWNLOAD_PROGRESS", "0", "show_progress", False),
        ("TFHUB_DOWNLOAD_PROGRESS", "", "show_progress", None),
        ("TFHUB_DISABLE_CERT_VALIDATION", "true", "verify_tls", False),
        ("TFHUB_DISABLE_CERT_VALIDATION", "False", "verify_tls", True),
        ("HUBMODULE_CONNECT_TIMEOUT", "0.5", "connect_timeout", 0.5),
        ("HUBMODULE_READ_TIMEOUT", "7", "read_timeout", 7.0),
        ("HUBMODULE_READ_TIMEOUT", "inf", "read_timeout", 1e9),
        ("HUBMODULE_CONNECT_TIMEOUT", "1e300", "connect_timeout", 1e9),
        ("HUBMODULE_LOCK_TIMEOUT", "0", "lock_timeout", 0.0),
        ("HUBMODULE_RETRIES", "2", "retries", 2),
        ("HUBMODULE_MAX_ARCHIVE_ENTRIES", "3", "max_archive_entries", 3),
        ("HUBMODULE_MAX_ARCHIVE_BYTES", "4", "max_archive_bytes", 4),
        ("HUBMODULE_AUDIT", "warn", "audit", AuditPolicy.WARN),
        ("HUBMODULE_AUDIT", "REFUSE", "audit", AuditPolicy.REFUSE),
        ("HUBMODULE_AUDIT", "", "audit", AuditPolicy.OFF),
        ("HUBMODULE_LOCK", "modules.lock", "lock", "modules.lock"),
        ("HUBMODULE_MIRRORS", "https://h/=/m", "mirrors", "https://h/=/m"),
        ("TFHUB_CACHE_DIR", " /a b/c \r", "cache_dir", "/a b/c"),
        ("HUBMODULE_LOCK", "\tmodules.lock\n", "lock", "modules.lock"),
        ("HUBMODULE_OFFLINE", " 1 ", "offline", True),
        ("HUBMODULE_OFFLINE", "  ", "offline", False),
        ("HUBMODULE_RETRIES", " 2\r", "retries", 2),
        ("HUBMODULE_RETRIES", " ", "retries", 5),
    ],
)
def test_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, name: str, value: object
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(settings.read(), name) == value


NO_NUMBER = "which is not a number of zero or more. Unset it to get"


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "TFHUB_MODEL_LOAD_FORMAT",
            "ZIP",
            "TFHUB_MODEL_LOAD_FORMAT is 'ZIP', which is not one of AUTO, COMPRESSED, UNCOMPRESSED. "
            "Unset it to get AUTO.",
        ),
        (
            "HUBMODULE_OFFLINE",
            "perhaps",
            "HUBMODULE_OFFLINE is 'perhaps', which is neither true nor false; use 1 or 0.",
        ),
        (
            "HUBMODULE_AUDIT",
            "maybe",
            "HUBMODULE_AUDIT is 'maybe', which is not one of off, warn, refuse. Unset it to get "
            "off.",
        ),
        (
            "HUBMODULE_RETRIES",
            "1.5",
            "HUBMODULE_RETRIES is '1.5', which is not a whole number in digits. Unset it to get 5.",
        ),
        (
            "HUBMODULE_MAX_ARCHIVE_ENTRIES",
            "1e9",
            "HUBMODULE_MAX_ARCHIVE_ENTRIES is '1e9', which is not a whole number in digits. Unset "
            "it to get 100000.",
        ),
        (
            "HUBMODULE_READ_TIMEOUT",
            "-1",
            f"HUBMODULE_READ_TIMEOUT is '-1', {NO_NUMBER} 60.0.",
        ),
        (
            "HUBMODULE_READ_TIMEOUT",
            "0",
            "HUBMODULE_READ_TIMEOUT is 0, so that each request would fail. Unset it to get 60.0.",
        ),
        (
            "HUBMODULE_CONNECT_TIMEOUT",
            "nan",
            f"HUBMODULE_CONNECT_TIMEOUT is 'nan', {NO_NUMBER} 10.0.",
        ),
        (
            "HUBMODULE_MAX_ARCHIVE_BYTES",
            "10GB",
            "HUBMODULE_MAX_ARCHIVE_BYTES is '10GB', which is not a whole number in digits. Unset "
            f"it to get {100 << 30}.",
        ),
        (
            "HUBMODULE_RETRIES",
            "1001",
            "HUBMODULE_RETRIES is 1001, which is more than 1000. Unset it to get 5.",
        ),
        (
            "HUBMODULE_RETRIES",
            "9" * 60,
            f"HUBMODULE_RETRIES is {'9' * 40}, which is more than 1000. Unset it to get 5.",
        ),
        (
            "HUBMODULE_MAX_ARCHIVE_ENTRIES",
            "1000000001",
            "HUBMODULE_MAX_ARCHIVE_ENTRIES is 1000000001, which is more than 1000000000. "
            "Unset it to get 100000.",
        ),
        (
            "HUBMODULE_MAX_ARCHIVE_BYTES",
            str(2**63),
            f"HUBMODULE_MAX_ARCHIVE_BYTES is {2**63}, which is more than {2**63 - 1}. "
            f"Unset it to get {100 << 30}.",
        ),
    ],
)
def test_what_means_nothing(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, message: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingError) as caught:
        settings.read()
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("tfhub_cache_dir", "/c", "cache_dir", "/c"),
        ("tfhub_model_load_format", "UNCOMPRESSED", "load_format", LoadFormat.UNCOMPRESSED),
        ("hubmodule_offline", "true", "offline", True),
        ("hubmodule_lock", "modules.lock", "lock", "modules.lock"),
        ("hubmodule_mirrors", "https://h/=/m", "mirrors", "https://h/=/m"),
    ],
)
def test_what_the_flags_say(flag, name: str, text: str, attribute: str, value: object) -> None:
    flag(name, text)
    assert getattr(settings.read(), attribute) == value


def test_no_flag_holds_a_token() -> None:
    assert "hubmodule_tokens" not in flags.FLAGS


def test_tokens(flag, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.read_tokens() == TokenSettings("", "")
    monkeypatch.setenv("HUBMODULE_TOKENS", "h=t")
    flag("hubmodule_tokens_file", "/flag")
    assert settings.read_tokens() == TokenSettings("h=t", "/flag")
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", "/environment")
    assert settings.read_tokens().path == "/environment"


def test_the_settings_of_a_process_show_no_secret() -> None:
    found = (Settings("/c", mirrors="https://h/=https://me:secret@h/"), TokenSettings("h=secret"))
    assert "secret" not in repr(found)


def test_the_environment_comes_before_the_flags(flag, monkeypatch: pytest.MonkeyPatch) -> None:
    flag("tfhub_cache_dir", "/flag")
    monkeypatch.setenv("TFHUB_CACHE_DIR", "/environment")
    assert settings.read().cache_dir == "/environment"


# Another library that declares the same flags, as tensorflow_hub does when it is imported.
OTHER_LIBRARY = """
from absl import flags
flags.DEFINE_string("tfhub_cache_dir", None, "Where it keeps modules.")
flags.DEFINE_string("tfhub_model_load_format", "AUTO", "How it fetches modules.")
"""
PARSE = """
from absl import flags
flags.FLAGS(["program", "--tfhub_cache_dir=/said", "--tfhub_model_load_format=UNCOMPRESSED"])
"""
PRINT = """
from hubmodule import settings
print(settings.read().cache_dir, settings.read().load_format.name)
"""


def output_of(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or result.stderr


@pytest.mark.parametrize(
    "program",
    [
        f"import hubmodule\n{PARSE}{PRINT}",
        f"import hubmodule\n{OTHER_LIBRARY}{PARSE}{PRINT}",
        f"{OTHER_LIBRARY}import hubmodule\n{PARSE}{PRINT}",
        f"import hubmodule\n{PARSE}{OTHER_LIBRARY}{PRINT}",
        f"{OTHER_LIBRARY}{PARSE}import hubmodule\n{PRINT}",
    ],
    ids=["alone", "before", "after", "parsed before the other", "parsed by the other"],
)
def test_the_flags_of_two_libraries(program: str) -> None:
    assert output_of(program) == "/said UNCOMPRESSED"


def test_what_the_other_library_takes_for_granted() -> None:
    program = f"import hubmodule\n{OTHER_LIBRARY}from absl import flags\nflags.FLAGS(['p']){PRINT}"
    assert output_of(program).endswith("tfhub_modules AUTO")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
