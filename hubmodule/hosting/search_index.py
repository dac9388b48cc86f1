"""Makes search.json: the texts by which the script of the front page finds modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hubmodule._plain_errors import HubModuleError
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.records import read_modules, read_record

SCHEMA = 1
# Of each module; so the texts of 1,000 modules are at most 4 MB.
_MOST_CHARACTERS = 4000


def make_search_index(hub: HubDirectory, index: Mapping[str, Any]) -> dict[str, Any]:
    """Makes the content of search.json.

    Args:
        hub: The hub.
        index: The content of its index.json.

    Returns:
        `schema`, and `texts`: publisher/name -> the README and the names and types of the
        inputs and outputs of the newest version, in lower case.
    """
    texts = {}
    for module in read_modules(index):
        name = ModuleName(module.publisher, module.name)
        text = " ".join(" ".join(_list_texts(hub, name, module.newest.version)).split())
        texts[str(name)] = text.lower()[:_MOST_CHARACTERS]
    return {"schema": SCHEMA, "texts": texts}


def _list_texts(hub: HubDirectory, name: ModuleName, version: int) -> Iterator[str]:
    """Yields the texts of a version; fewer if its files are damaged or gone."""
    try:
        record = read_record(hub.read_facts(name, version), str(name))
        words: dict[str, None] = {}
        for variant in record.facts.variants:
            for signature in variant.signatures:
                for tensor in (*signature.inputs, *signature.outputs):
                    words.update({tensor.name: None, tensor.dtype: None})
        yield from words
        yield hub.read_readme(name, version) or ""
    except (HubModuleError, OSError):
        return
