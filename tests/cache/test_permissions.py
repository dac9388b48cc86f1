"""Whose directories are trusted, and how new ones are made."""

from __future__ import annotations

import os
import pathlib
import stat
import sys
from collections.abc import Callable

import pytest

from hubmodule._plain_errors import CacheError
from hubmodule.cache import permissions

SOMEBODY_ELSE = 4_000_000_000 - 1


@pytest.fixture
def everybodys(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory like /tmp."""
    path = tmp_path / "tmp"
    path.mkdir()
    path.chmod(0o1777)
    return path


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_made_for_nobody_else_where_everybody_may_write(everybodys: pathlib.Path) -> None:
    permissions.make_directory(str(everybodys / "a" / "b"))
    assert mode(everybodys / "a") == mode(everybodys / "a" / "b") == 0o700


def test_made_as_usual_elsewhere(tmp_path: pathlib.Path) -> None:
    mask = os.umask(0o027)
    try:
        permissions.make_directory(str(tmp_path / "a" / "b"))
    finally:
        os.umask(mask)
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o750


def test_what_is_there_stays_as_it_is(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o711)
    permissions.make_directory(str(tmp_path / "a"))
    assert mode(tmp_path / "a") == 0o711


def test_parts_of_a_cache_are_for_all_whom_the_cache_is_for(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o2770)
    mask = os.umask(0o077)
    try:
        permissions.make_shared_directory(str(tmp_path / "a"), str(tmp_path))
    finally:
        os.umask(mask)
    assert mode(tmp_path / "a") == 0o2770


@pytest.mark.parametrize("function", [permissions.make_directory, permissions.check_directory])
def test_a_file_is_in_the_way(tmp_path: pathlib.Path, function: Callable[[str], None]) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(CacheError) as caught:
        function(str(tmp_path / "a"))
    assert str(caught.value) == (
        f"The cache directory {tmp_path}/a is not a directory. Choose a directory of your own:\n"
        "    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_a_file_is_in_the_way_of_a_parent(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(CacheError) as caught:
        permissions.make_directory(str(tmp_path / "a" / "b"))
    assert str(caught.value) == (
        f"The cache directory {tmp_path}/a/b cannot be made: Not a directory. Choose a directory "
        "of your own:\n    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_ones_own_is_safe_everywhere(everybodys: pathlib.Path) -> None:
    (everybodys / "mine").mkdir()
    permissions.check_directory(str(everybodys / "mine"))
    permissions.check_directory(str(everybodys / "missing"))
    permissions.check_directory(str(everybodys))


def test_another_users_is_safe_where_not_everybody_may_write(tmp_path: pathlib.Path) -> None:
    (tmp_path / "theirs").mkdir()
    permissions.check_directory(str(tmp_path / "theirs"), user=SOMEBODY_ELSE)


def test_another_users_where_everybody_may_write(everybodys: pathlib.Path) -> None:
    theirs = everybodys / "theirs"
    theirs.mkdir()
    with pytest.raises(CacheError) as caught:
        permissions.check_directory(str(theirs), user=SOMEBODY_ELSE)
    assert str(caught.value) == (
        f"The cache directory {theirs} belongs to user {theirs.owner()}, in a place where "
        "all users may write, so the modules in it cannot be trusted. "
        "Choose a directory of your own:\n    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_another_users_that_everybody_may_write_to(everybodys: pathlib.Path) -> None:
    with pytest.raises(CacheError, match="in a place where all users may write"):
        permissions.check_directory(str(everybodys), user=SOMEBODY_ELSE)


def test_a_link_of_another_user(everybodys: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").mkdir()
    (everybodys / "link").symlink_to(tmp_path / "target")
    with pytest.raises(CacheError, match="in a place where all users may write"):
        permissions.check_directory(str(everybodys / "link"), user=SOMEBODY_ELSE)


def test_an_owner_without_a_name(everybodys: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(CacheError, match=f"belongs to user number {os.geteuid()}, in a place"):
        permissions.check_directory(str(everybodys), user=SOMEBODY_ELSE)


def test_a_link_to_nothing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    permissions.check_directory(str(tmp_path / "link"))
    with pytest.raises(CacheError, match="is not a directory"):
        permissions.make_directory(str(tmp_path / "link"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
