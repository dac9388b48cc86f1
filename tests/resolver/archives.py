"""Small archives for tests."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping

MODULE = {
    "saved_model.pb": b"a graph" * 100,
    "tfhub_module.pb": b"\x08\x03",
    "variables/variables.index": b"an index",
    "variables/variables.data-00000-of-00001": bytes(range(256)) * 40,
    "assets/vocabulary.txt": b"a\nb\nc\n",
}


def tar(files: Mapping[str, bytes] = MODULE, folders: Iterable[str] = ()) -> bytes:
    """A tar of files, and of entries for some folders."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in folders:
            add(archive, name, kind=tarfile.DIRTYPE)
        for name, content in files.items():
            add(archive, name, content)
    return out.getvalue()


def tar_gz(files: Mapping[str, bytes] = MODULE) -> bytes:
    """A tar.gz of files, the same each time."""
    return gzip.compress(tar(files), mtime=0)


def tar_of(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """A tar of one entry of any type."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        add(archive, name, content, kind, link)
    return out.getvalue()


def add(
    archive: tarfile.TarFile,
    name: str,
    content: bytes = b"",
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
) -> None:
    """Adds an entry, as the library would not do by itself."""
    header = tarfile.TarInfo(name)
    header.type = kind
    header.size = len(content)
    header.linkname = link
    archive.addfile(header, io.BytesIO(content))
