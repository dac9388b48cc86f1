"""Tests of hubmodule.hosting.checking."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule._plain_errors import PublishError
from hubmodule.errors import NotAModuleError, UnregisteredOpsError
from hubmodule.hosting.checking import check_module
from tests.inspection.modules import meta_graph, write_module
from tests.processes import output_of

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "made_by_tf215"


@pytest.mark.parametrize("name", ["sentences", "batch_norm", "image"])
def test_modules(name: str) -> None:
    path = str(GOLDEN / name)
    module = check_module(path, allow_findings=False)
    described = module.describe("team/encoder/3")
    facts = hub.inspect(path).to_dict()
    for changed in ("handle", "path", "usage"):
        del facts[changed]
    assert facts.items() <= described["facts"].items()
    assert (described["facts"]["handle"], described["facts"]["path"]) == ("team/encoder/3", "")
    assert [way["way"] for way in described["facts"]["usage"]] == [
        way.way for way in hub.inspect(path).usage
    ]
    assert '"team/encoder/3"' in described["facts"]["usage"][0]["code"]
    json.dumps(described)


def test_saved_models(tmp_path: pathlib.Path) -> None:
    root = tf.Module()
    root.v = tf.Variable(2.0)
    call = tf.function(lambda x: root.v * x, input_signature=[tf.TensorSpec([None])])
    tf.saved_model.save(root, str(tmp_path / "tf2"), signatures={"serving_default": call})
    described = check_module(str(tmp_path / "tf2"), False).describe("team/encoder/1")
    assert described["facts"]["format"] == "TF2 SavedModel"


def test_in_a_program_of_tensorflow_1() -> None:
    assert output_of(
        f"""
        import tensorflow as tf
        from hubmodule.hosting.checking import check_module
        tf.compat.v1.disable_eager_execution()
        with tf.Graph().as_default() as graph:
            check_module({str(GOLDEN / "sentences")!r}, False)
        print(len(graph.get_operations()))
        """
    ) == ["0"]


def test_the_graph_of_the_caller_stays_empty() -> None:
    with tf.Graph().as_default() as graph:
        check_module(str(GOLDEN / "sentences"), False)
    assert graph.get_operations() == []


def test_what_is_not_a_module(tmp_path: pathlib.Path) -> None:
    with pytest.raises(NotAModuleError, match="The directory is empty"):
        check_module(str(tmp_path), False)


def test_a_damaged_module(tmp_path: pathlib.Path) -> None:
    for file in (GOLDEN / "dense_regularized").rglob("*"):
        if file.is_file() and not file.name.endswith(".index"):
            target = tmp_path / file.relative_to(GOLDEN / "dense_regularized")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    with pytest.raises(PublishError, match=f"{tmp_path} is damaged: .*Export the module again"):
        check_module(str(tmp_path), False)


def test_a_module_that_does_not_load(tmp_path: pathlib.Path) -> None:
    graph = meta_graph()  # has a variable, and no checkpoint
    path = write_module(tmp_path, graph, is_module=False)
    with pytest.raises((PublishError, NotAModuleError)) as caught:
        check_module(path, False)
    assert str(tmp_path) in str(caught.value)


def read_file_graph():
    graph = meta_graph()
    node = graph.graph_def.node.add(name="read", op="ReadFile", input=["path"])
    node.attr["_output_shapes"].list.SetInParent()
    path = graph.graph_def.node.add(name="path", op="Const")
    path.attr["dtype"].type = tf.string.as_datatype_enum
    path.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/etc/passwd"))
    graph.signature_def["default"].outputs["content"].name = "read:0"
    graph.signature_def["default"].outputs["content"].dtype = tf.string.as_datatype_enum
    return graph


def test_a_module_that_reads_foreign_files(tmp_path: pathlib.Path) -> None:
    path = write_module(tmp_path, read_file_graph())
    with pytest.raises(PublishError) as caught:
        check_module(path, False)
    assert str(caught.value) == (
        f"{path} can do more than compute: ReadFile at read. See what with `hubmodule audit`. If "
        "its users should get it nevertheless, pass allow_findings=True."
    )


def test_findings_that_are_allowed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_module(tmp_path, read_file_graph())
    loaded = []
    monkeypatch.setattr(
        "hubmodule.hosting.checking._load", lambda directory, tags: loaded.append(tags)
    )
    monkeypatch.setattr("hubmodule.inspection.inspect.inspect", inspect_without_damage)
    module = check_module(path, allow_findings=True)
    assert loaded == [()]
    levels = [finding["level"] for finding in module.describe("a/b/1")["audit"]["findings"]]
    assert levels == ["high"]


def inspect_without_damage(path: str):
    import dataclasses

    from hubmodule.inspection.inspect import collect_facts

    return dataclasses.replace(collect_facts(path, path), damage=())


def test_paths_of_this_machine_are_replaced(tmp_path: pathlib.Path) -> None:
    graph = read_file_graph()
    inside = f"{tmp_path}/assets/words.txt"
    node = next(node for node in graph.graph_def.node if node.name == "path")
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(inside))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hubmodule.hosting.checking._load", lambda directory, tags: None)
        patch.setattr("hubmodule.inspection.inspect.inspect", inspect_without_damage)
        module = check_module(write_module(tmp_path, graph), False)
    text = json.dumps(module.describe("a/b/1"))
    assert str(tmp_path) not in text
    assert "MODULE_DIR/assets/words.txt" in text


def test_ops_that_are_not_registered(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(directory: str, tags: object) -> None:
        raise UnregisteredOpsError("needs ops")

    monkeypatch.setattr("hubmodule.hosting.checking._load", fail)
    with pytest.raises(UnregisteredOpsError, match="needs ops"):
        check_module(str(GOLDEN / "sentences"), False)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
