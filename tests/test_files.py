"""files: names that stay inside, and directories that appear complete or not at all."""

from __future__ import annotations

import os
import posixpath
import signal
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st

from hubmodule import files
from hubmodule.errors import (
    ExportExistsError,
    HubModuleError,
    ModuleDefinitionError,
    ModuleFormatError,
)

gfile = tf.io.gfile
MARKER = "done"


@pytest.fixture(params=["local", "ram"])
def parent(request, tmp_path):
    """An empty directory on a local and on another file system."""
    if request.param == "local":
        yield str(tmp_path)
        return
    directory = f"ram://{uuid.uuid4().hex}"
    gfile.makedirs(directory)
    yield directory
    gfile.rmtree(directory)


def write_directory(path: str | os.PathLike[str], content: bytes = b"new", **options: Any) -> None:
    """Writes a directory with a marker, and a file two folders below."""
    with files.make_directory(path, MARKER, **options) as directory:
        gfile.makedirs(posixpath.join(directory, "a/b"))
        files.write_bytes(posixpath.join(directory, "a/b/file"), content)
        files.write_bytes(posixpath.join(directory, MARKER), b"")


def tree(directory: str) -> dict[str, bytes]:
    """All files below a directory."""
    found = {}
    for folder, _, names in gfile.walk(directory):
        for name in names:
            path = posixpath.join(folder, name)
            found[path[len(directory) :].strip("/")] = files.read_bytes(path)
    return found


class TestWholeFiles:
    def test_what_is_written_is_read(self, parent):
        path = posixpath.join(parent, "f")
        files.write_bytes(path, b"\x08\x03\0\n")
        assert files.read_bytes(path) == b"\x08\x03\0\n"

    def test_a_missing_file_is_not_found(self, parent):
        with pytest.raises(tf.errors.NotFoundError):
            files.read_bytes(posixpath.join(parent, "nothing"))


class TestJoinInside:
    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            "/",
            "../x",
            "a/../../x",
            "a/..",
            "/etc/passwd",
            "//host/share",
            "..\\x",
            "a\\..\\..\\x",
            "C:\\x",
            "C:/x",
            "gs://bucket/x",
            "file:///etc/passwd",
            "..\0/x",
        ],
    )
    def test_names_that_leave_are_refused(self, name):
        with pytest.raises(ModuleFormatError, match=r"points outside of /m/assets\."):
            files.join_inside("/m/assets", name)

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("vocab.txt", "/m/assets/vocab.txt"),
            ("sub/vocab.txt", "/m/assets/sub/vocab.txt"),
            ("sub/../vocab.txt", "/m/assets/vocab.txt"),
            ("sub\\vocab.txt", "/m/assets/sub/vocab.txt"),
            ("..vocab", "/m/assets/..vocab"),
            ("vocab:1.txt", "/m/assets/vocab:1.txt"),
            ("vocab:", "/m/assets/vocab:"),
        ],
    )
    def test_other_names_are_paths_below(self, name, path):
        assert files.join_inside("/m/assets", name) == path

    @given(st.lists(st.sampled_from(["..", ".", "", "a", "b:", "..c", "\0"])).map("/".join))
    @example("a/./../..")
    def test_whatever_is_accepted_lies_below(self, name):
        try:
            path = files.join_inside("/m/assets", name)
        except HubModuleError:
            return
        assert os.path.normpath(path) == path
        assert path.startswith("/m/assets/")
        assert "\0" not in path


class TestNewDirectory:
    def test_appears_whole(self, parent):
        path = posixpath.join(parent, "m")
        write_directory(path)
        assert tree(path) == {"a/b/file": b"new", MARKER: b""}
        assert tree(parent).keys() == {f"m/{name}" for name in tree(path)}

    def test_is_not_there_before_the_end(self, parent):
        path = posixpath.join(parent, "m")
        with files.make_directory(path, MARKER) as directory:
            files.write_bytes(posixpath.join(directory, MARKER), b"")
            assert not gfile.exists(path)
        assert gfile.exists(path)

    def test_missing_parents_are_made(self, parent):
        path = posixpath.join(parent, "x/y/m")
        write_directory(path)
        assert gfile.exists(posixpath.join(path, MARKER))

    def test_a_final_slash_changes_nothing(self, parent):
        write_directory(posixpath.join(parent, "m") + "/")
        assert "m/done" in tree(parent)

    @pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
    def test_a_failure_leaves_nothing(self, parent, failure):
        with (
            pytest.raises(failure),
            files.make_directory(posixpath.join(parent, "m"), MARKER) as directory,
        ):
            files.write_bytes(posixpath.join(directory, MARKER), b"")
            raise failure
        assert gfile.listdir(parent) == []

    def test_an_empty_directory_is_filled(self, parent):
        path = posixpath.join(parent, "m")
        gfile.makedirs(path)
        write_directory(path)
        assert tree(parent) == {"m/a/b/file": b"new", "m/done": b""}

    def test_a_file_in_the_way_is_kept(self, parent):
        path = posixpath.join(parent, "m")
        files.write_bytes(path, b"mine")
        with pytest.raises(ExportExistsError, match="is a file, not a directory"):
            write_directory(path, overwrite=True)
        assert tree(parent) == {"m": b"mine"}

    def test_what_is_there_is_kept(self, parent):
        path = posixpath.join(parent, "m")
        write_directory(path, b"old")
        with pytest.raises(ExportExistsError, match="pass overwrite=True"):
            write_directory(path)
        assert tree(path)["a/b/file"] == b"old"

    def test_overwriting_leaves_nothing_of_the_old_one(self, parent):
        path = posixpath.join(parent, "m")
        write_directory(path, b"old")
        files.write_bytes(posixpath.join(path, "more"), b"old")
        write_directory(path, overwrite=True)
        assert tree(parent) == {"m/a/b/file": b"new", "m/done": b""}

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_other_files_of_a_directory_stay(self, parent, overwrite):
        path = posixpath.join(parent, "m")
        gfile.makedirs(posixpath.join(path, "a"))
        files.write_bytes(posixpath.join(path, "thesis"), b"mine")
        files.write_bytes(posixpath.join(path, "a/note"), b"mine")
        write_directory(path, overwrite=overwrite)
        assert tree(parent) == {
            "m/a/b/file": b"new",
            "m/done": b"",
            "m/thesis": b"mine",
            "m/a/note": b"mine",
        }

    def test_other_files_beside_an_old_directory_stay(self, parent):
        path = posixpath.join(parent, "m")
        write_directory(path, b"old")
        files.write_bytes(posixpath.join(path, "a/gone"), b"old")
        files.write_bytes(posixpath.join(path, "thesis"), b"mine")
        gfile.makedirs(posixpath.join(path, "notes"))
        files.write_bytes(posixpath.join(path, "notes/1"), b"mine")
        write_directory(path, overwrite=True, entries={"a", MARKER, "absent"})
        assert tree(parent) == {
            "m/a/b/file": b"new",
            "m/done": b"",
            "m/thesis": b"mine",
            "m/notes/1": b"mine",
        }

    def test_a_failure_beside_other_files_keeps_the_old_directory(self, parent, monkeypatch):
        path = posixpath.join(parent, "m")
        write_directory(path, b"old")
        files.write_bytes(posixpath.join(path, "thesis"), b"mine")
        before = tree(parent)

        def fail(*arguments):
            raise OSError("disk")

        monkeypatch.setattr(files, "move_files", fail)
        with pytest.raises(OSError, match="disk"):
            write_directory(path, overwrite=True, entries={"a", MARKER})
        assert tree(parent) == before

    def test_a_file_with_the_name_of_a_new_one_is_replaced_if_asked_for(self, parent):
        path = posixpath.join(parent, "m")
        gfile.makedirs(posixpath.join(path, "a/b"))
        files.write_bytes(posixpath.join(path, "a/b/file"), b"mine")
        files.write_bytes(posixpath.join(path, "thesis"), b"mine")
        with pytest.raises(ExportExistsError) as caught:
            write_directory(path)
        assert str(caught.value) == (
            f"{path} exists already and holds a/b/file; choose another path, or pass "
            "overwrite=True to replace that file."
        )
        assert tree(parent) == {"m/a/b/file": b"mine", "m/thesis": b"mine"}
        write_directory(path, overwrite=True)
        assert tree(parent) == {"m/a/b/file": b"new", "m/done": b"", "m/thesis": b"mine"}

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("a", "a is a file, not a directory; choose another path."),
            ("a/b/file/note", "a/b/file is a directory, not a file; choose another path."),
        ],
    )
    def test_what_no_file_can_replace_is_kept(self, parent, name, message):
        path = posixpath.join(parent, "m")
        gfile.makedirs(posixpath.dirname(posixpath.join(path, name)))
        files.write_bytes(posixpath.join(path, name), b"mine")
        with pytest.raises(ExportExistsError) as caught:
            write_directory(path, overwrite=True)
        assert str(caught.value) == f"{path}/{message}"
        assert tree(parent) == {f"m/{name}": b"mine"}

    @pytest.mark.parametrize("moment", range(4))
    def test_among_other_files_a_failure_leaves_nothing_of_ours(self, parent, monkeypatch, moment):
        path = posixpath.join(parent, "m")
        mine = {"a/b/file": b"mine", "a/note": b"mine", "thesis": b"mine"}
        gfile.makedirs(posixpath.join(path, "a/b"))
        for name, content in mine.items():
            files.write_bytes(posixpath.join(path, name), content)
        rename, moves = gfile.rename, []

        def failing(source, target, **options):
            moves.append(target)
            if len(moves) == moment + 1:
                raise tf.errors.ResourceExhaustedError(None, None, "disk full")
            rename(source, target, **options)

        monkeypatch.setattr(gfile, "rename", failing)
        if moment < 3:
            with pytest.raises(tf.errors.ResourceExhaustedError):
                write_directory(path, overwrite=True)
        else:  # there are three moves: away, in, and the marker
            write_directory(path, overwrite=True)
            mine.update({"a/b/file": b"new", MARKER: b""})
        assert tree(path) == mine
        assert gfile.listdir(parent) in (["m"], ["m/"])

    def test_who_comes_between_check_and_move_keeps_its_files(self, tmp_path, monkeypatch):
        path = tmp_path / "m"
        path.mkdir()
        (path / "thesis").write_bytes(b"mine")
        rename = gfile.rename

        def late(source, target, **options):
            if posixpath.basename(target) == MARKER:
                (path / MARKER).write_bytes(b"first")
            rename(source, target, **options)

        monkeypatch.setattr(gfile, "rename", late)
        with pytest.raises(ExportExistsError, match="exists already and holds done"):
            write_directory(str(path))
        assert tree(str(path)) == {"thesis": b"mine", MARKER: b"first"}

    def test_a_failed_overwrite_keeps_the_old_one(self, parent):
        path = posixpath.join(parent, "m")
        write_directory(path, b"old")
        with (
            pytest.raises(ValueError, match="disk full"),
            files.make_directory(path, MARKER, overwrite=True),
        ):
            raise ValueError("disk full")
        assert tree(parent) == {"m/a/b/file": b"old", "m/done": b""}

    def test_who_comes_second_is_told_and_overwrites_nothing(self, parent):
        path = posixpath.join(parent, "m")
        with (
            pytest.raises(ExportExistsError),
            files.make_directory(path, MARKER) as directory,
        ):
            files.write_bytes(posixpath.join(directory, MARKER), b"second")
            write_directory(path, b"first")
        assert tree(parent) == {"m/a/b/file": b"first", "m/done": b""}

    def test_who_comes_between_check_and_rename_is_not_replaced(self, tmp_path, monkeypatch):
        path = tmp_path / "m"
        path.mkdir()
        rename = gfile.rename

        def late(source, target, **options):
            (path / MARKER).write_bytes(b"first")
            rename(source, target, **options)

        monkeypatch.setattr(gfile, "rename", late)
        with pytest.raises(ExportExistsError, match="exists already"):
            write_directory(str(path))
        assert tree(str(tmp_path)) == {"m/done": b"first"}

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_link_stays_and_what_it_leads_to_is_filled(self, tmp_path, overwrite):
        (tmp_path / "far").mkdir()
        (tmp_path / "near").mkdir()
        (tmp_path / "near" / "m").symlink_to(tmp_path / "far")
        if overwrite:
            (tmp_path / "far" / MARKER).write_bytes(b"old")
        write_directory(str(tmp_path / "near" / "m"), overwrite=overwrite)
        assert os.readlink(tmp_path / "near" / "m") == str(tmp_path / "far")
        assert tree(str(tmp_path / "far")) == {"a/b/file": b"new", "done": b""}
        assert sorted(os.listdir(tmp_path)) == ["far", "near"]

    def test_a_path_object_will_do(self, tmp_path):
        write_directory(tmp_path / "m")
        assert tree(str(tmp_path)) == {"m/a/b/file": b"new", "m/done": b""}

    def test_a_name_as_long_as_can_be(self, tmp_path):
        name = "é" * 127
        write_directory(str(tmp_path / name))
        assert os.listdir(tmp_path) == [name]

    def test_an_empty_path_is_refused(self):
        with pytest.raises(ModuleDefinitionError, match="path to export to is empty"):
            write_directory("")

    def test_a_rename_that_fails_puts_the_old_one_back(self, tmp_path, monkeypatch):
        path = str(tmp_path / "m")
        write_directory(path, b"old")
        rename = gfile.rename

        def failing(source, target, **options):
            if posixpath.basename(source).startswith(".tmp-") and not gfile.exists(target):
                raise tf.errors.PermissionDeniedError(None, None, "no")
            rename(source, target, **options)

        monkeypatch.setattr(gfile, "rename", failing)
        with pytest.raises(tf.errors.PermissionDeniedError):
            write_directory(path, overwrite=True)
        assert tree(str(tmp_path)) == {"m/a/b/file": b"old", "m/done": b""}

    def test_the_marker_comes_last_where_directories_cannot_be_renamed(self, monkeypatch):
        parent = f"ram://{uuid.uuid4().hex}"
        rename, order = gfile.rename, []

        def recording(source, target):
            order.append(posixpath.basename(target))
            rename(source, target)

        monkeypatch.setattr(gfile, "rename", recording)
        write_directory(f"{parent}/m")
        assert order == ["file", MARKER]
        gfile.rmtree(parent)

    def test_a_move_that_stops_halfway_leaves_nothing(self, monkeypatch):
        parent = f"ram://{uuid.uuid4().hex}"
        rename = gfile.rename

        def failing(source, target):
            if posixpath.basename(target) == MARKER:
                raise tf.errors.UnavailableError(None, None, "try again")
            rename(source, target)

        monkeypatch.setattr(gfile, "rename", failing)
        with pytest.raises(tf.errors.UnavailableError):
            write_directory(f"{parent}/m")
        assert tree(parent) == {}
        gfile.rmtree(parent)

    def test_a_killed_process_leaves_nothing_under_the_final_name(self, tmp_path):
        path = tmp_path / "m"
        program = f"""
            import os, signal
            from hubmodule import files
            with files.make_directory({str(path)!r}, {MARKER!r}) as directory:
                files.write_bytes(directory + "/file", b"half")
                os.kill(os.getpid(), signal.SIGKILL)
        """
        killed = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            cwd=Path(__file__).parents[1],
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        assert not path.exists()
        write_directory(str(path))
        assert tree(str(path)) == {"a/b/file": b"new", MARKER: b""}


def test_a_file_named_like_a_directory_is_listed_once(parent):
    """ram:// lists the file "m.json" in the directory "m" too, as ".json"."""
    for name in ("m.json", "m/file", "m/.hidden"):
        path = posixpath.join(parent, name)
        gfile.makedirs(posixpath.dirname(path))
        files.write_bytes(path, b"")
    assert sorted(files.list_files(parent)) == ["m.json", "m/.hidden", "m/file"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
