"""A hub with golden modules, whose pages have all that pages can have."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import hubmodule as hub
from hubmodule.hosting.hub_directory import HubDirectory
from tests.hosting.hubs import add_version

GOLDEN = Path(__file__).parents[1] / "golden" / "made_by_tf215"
MARKUP = "<img src=https://example.com/x onerror=alert(1)>"
README = """\
---
license: apache-2.0
---
# Sentences

<!-- metadata: hidden -->
Embeds sentences of *reviews* as vectors for **classifiers**. It is small.

![Accuracy by size](accuracy.png) ![Elsewhere](https://example.com/p.png)

| sentences | accuracy |
|---|---|
| 600 | 81.2 % |

```python
vectors = module(["a sentence"])  # <!-- stays -->
```

See [the paper](https://example.com/paper) and [a file](LICENSE).
"""
HOSTILE_README = """\
<script>alert(1)</script> <img src=x onerror=alert(1)>

[a](javascript:alert(1)) [b](data:text/html,<script>alert(1)</script>) [c](//evil.example/x)
![d](data:image/png;base64,AAAA) ![e](../../../secret.png) ![f](https://evil.example/f.png)
[![g](https://evil.example/g.png)](https://evil.example/g)

<style>body { display: none }</style> <a href="javascript:alert(1)" onclick=alert(1)>h</a>
"""
# The smallest PNG.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763"
    "b0b1b10100034401a1d3a5f4a60000000049454e44ae426082"
)


@functools.cache
def read_facts(name: str) -> str:
    """Inspects and audits a golden module; the parts of its facts.json as JSON."""
    path = str(GOLDEN / name)
    parts = {"facts": hub.inspect(path).to_dict(), "audit": hub.audit(path).to_dict()}
    return json.dumps(parts)


def add_golden(
    root: HubDirectory, handle: str, name: str, readme: str = "", size: int = 7, **more: Any
) -> str:
    """Adds a golden module as a version, of a size in bytes; returns the path of its directory."""
    directory = add_version(
        root, handle, handle.encode(), readme, **{**json.loads(read_facts(name)), **more}
    )
    file = Path(directory) / "facts.json"
    facts = json.loads(file.read_bytes())
    facts["archive"]["bytes"] = size
    file.write_text(json.dumps(facts))
    return directory


def make_sample_hub(path: Path) -> HubDirectory:
    """Makes a hub of five modules, of which one is hostile, and writes its index."""
    root = HubDirectory(path)
    add_golden(root, "acme/sentences/1", "vocabulary", published="2026-01-05T08:00:00+00:00")
    directory = add_golden(
        root,
        "acme/sentences/2",
        "sentences",
        README,
        23_000_000,
        published="2026-02-05T08:00:00+00:00",
    )
    (Path(directory) / "accuracy.png").write_bytes(PICTURE)
    add_golden(
        root, "acme/photos/1", "image", "Features of photographs, for retrieval.", 240_000_000
    )
    add_golden(root, "lab/lookup/3", "sparse_lookup")
    add_golden(root, "lab/normalised/1", "batch_norm", published="2026-03-05T08:00:00+00:00")
    add_hostile(root)
    root.rebuild_index()
    return root


def add_hostile(root: HubDirectory) -> None:
    """Adds a version with markup wherever a module may have text."""
    parts = json.loads(read_facts("signatures"))
    (variant,) = parts["facts"]["variants"]
    for signature in variant["signatures"]:
        signature["name"] += MARKUP + "x" * 300
        for tensor in signature["inputs"]:
            tensor["name"] = MARKUP
            tensor["dtype"] = MARKUP
    variant["tensorflow_version"] = MARKUP
    parts["facts"]["damage"] = [MARKUP]
    for variable in parts["facts"]["variables"]:
        variable["name"] = MARKUP + variable["name"]
    finding = {"op": MARKUP, "node": MARKUP, "reason": MARKUP, "reached_from": [MARKUP]}
    parts["audit"]["findings"] = [{"level": "high", **finding}, {"level": "low", **finding}]
    name = "n" * 100
    add_version(root, f"{name}/{name}/999999999", readme=HOSTILE_README, **parts)
