"""Publishing embeddings: what the module computes, and what an error leaves behind."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from absl import flags
from tensorflow.core.protobuf import saved_model_pb2

import hubmodule as hub
from examples.text_embeddings import export
from examples.text_embeddings.embedding_file import EmbeddingFileError, Embeddings

v1 = tf.compat.v1

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/text_embeddings/export.py"
TABLE = {
    "cat": [1, 2, 3],
    "dog": [4, -5, 6],
    "dont": [0.5, 0.25, 0.125],
    "New York": [7, 8, 9],
    "a\u2028b": [10, 11, 12],
    ",": [13, 14, 15],
    "$": [16, 17, 18],
}
EMBEDDINGS = Embeddings(list(TABLE), np.array(list(TABLE.values()), np.float32))

# What such a module may consist of: all of it is in TensorFlow 1.15.
OPS = {
    *["AddV2", "AssignVariableOp", "Cast", "Const", "Fill", "HashTableV2"],
    *["InitializeTableFromTextFileV2", "L2Loss", "LookupTableFindV2", "LookupTableSizeV2", "Mul"],
    *["NotEqual", "Placeholder", "ReadVariableOp", "RealDiv", "ResourceGather", "SegmentSum"],
    *["SelectV2", "Shape", "SparseFillEmptyRows", "Sqrt", "StaticRegexReplace", "StridedSlice"],
    *["StringSplit", "StringToHashBucketFast", "VarHandleOp", "VarIsInitializedOp"],
}


def publish(path: Path, **options: object) -> str:
    export.export_module(EMBEDDINGS, str(path), **options)  # type: ignore[arg-type]
    return str(path)


@pytest.fixture(scope="module")
def sentence_module(tmp_path_factory):
    path = tmp_path_factory.mktemp("sentences") / "module"
    return publish(path, num_oov_buckets=3, l2_regularization=0.5)


@pytest.fixture(scope="module")
def token_module(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "module"
    return publish(path, num_oov_buckets=3, preprocess_text=False)


def embed(module: str, texts: Sequence[str]) -> np.ndarray:
    with hub.eval_function_for_module(module) as function:
        return function(np.array(texts, dtype=object))


def expected_embedding(sentence: str) -> np.ndarray:
    """The embedding of a sentence, from its definition and without TensorFlow."""
    kept = "".join(c for c in sentence if not unicodedata.category(c).startswith("P"))
    words = [word for word in kept.split(" ") if word] or [""]
    vectors = [np.float64(TABLE.get(word, [0, 0, 0])) for word in words]
    return np.sum(vectors, axis=0) / np.sqrt(len(words))


def graph_of(module: str) -> saved_model_pb2.SavedModel:
    content = Path(module, "saved_model.pb").read_bytes()
    (meta_graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    return meta_graph


class TestSentences:
    @pytest.mark.parametrize(
        "sentence",
        [
            "cat",
            "cat dog",
            "cat cat dog",
            "the cat, the dog!",
            "  cat   dog  ",
            "don't",
            "«cat» — “dog”…",
            "c.a.t",
            "cat,dog",
            "zebra",
            "Cat",
            "",
            "   ",
            "?!,",
            "$ cat",
            "cat\tdog",
            "New York",
            "a\u2028b",
            "猫。 cat",
        ],
    )
    def test_embedding(self, sentence_module, sentence):
        np.testing.assert_allclose(
            embed(sentence_module, [sentence]), [expected_embedding(sentence)], rtol=1e-6
        )

    def test_combines_by_the_root_of_the_number_of_words(self, sentence_module):
        np.testing.assert_allclose(
            embed(sentence_module, ["cat dog zebra"]),
            [np.array([1 + 4, 2 - 5, 3 + 6]) / np.sqrt(3)],
            rtol=1e-6,
        )

    def test_each_sentence_of_a_batch_by_itself(self, sentence_module):
        sentences = ["", "cat dog", "zebra", "!", "dog", ""]
        np.testing.assert_allclose(
            embed(sentence_module, sentences), list(map(expected_embedding, sentences)), rtol=1e-6
        )

    def test_an_empty_batch(self, sentence_module):
        assert embed(sentence_module, []).shape == (0, 3)

    def test_signature(self, sentence_module):
        spec = hub.load_module_spec(sentence_module)
        assert spec.get_signature_names() == ["default"]
        ((name, source),) = spec.get_input_info_dict().items()
        assert (name, source.dtype, source.get_shape().as_list()) == (
            "sentences",
            tf.string,
            [None],
        )
        ((name, target),) = spec.get_output_info_dict().items()
        assert (name, target.dtype) == ("default", tf.float32)
        assert target.get_shape().as_list() == [None, 3]

    def test_shape_of_an_application_is_known(self, sentence_module):
        with tf.Graph().as_default():
            output = hub.Module(sentence_module)(v1.placeholder(tf.string, [None]))
        assert output.shape.as_list() == [None, 3]

    def test_placeholder(self, sentence_module):
        signature = graph_of(sentence_module).signature_def["default"]
        assert signature.inputs["sentences"].name == "sentences:0"


class TestTokens:
    @pytest.mark.parametrize("token", list(TABLE))
    def test_has_the_vector_of_the_file(self, token_module, token):
        assert embed(token_module, [token]).tolist() == [TABLE[token]]

    @pytest.mark.parametrize("token", ["", "zebra", "Cat", "cat ", "cat dog", "don't"])
    def test_that_is_missing_has_zeros(self, token_module, token):
        assert embed(token_module, [token]).tolist() == [[0, 0, 0]]

    def test_signature(self, token_module):
        spec = hub.load_module_spec(token_module)
        ((name, source),) = spec.get_input_info_dict().items()
        assert (name, source.dtype, source.get_shape().as_list()) == ("tokens", tf.string, [None])
        assert spec.get_output_info_dict()["default"].get_shape().as_list() == [None, 3]

    def test_placeholder(self, token_module):
        assert graph_of(token_module).signature_def["default"].inputs["tokens"].name == "tokens:0"


class TestCommonSignature:
    @pytest.mark.parametrize("module", ["sentence_module", "token_module"])
    def test_modules_are_text_feature_vectors(self, module, request):
        (common,) = hub.inspect(request.getfixturevalue(module)).common_signatures
        assert (common.name, common.fulfilled) == ("text feature vector", True)

    def test_modules_are_published_without_a_warning(self, tmp_path, caplog):
        publish(tmp_path / "module")
        assert "not a text feature vector" not in caplog.text

    @pytest.mark.parametrize(
        ("shape", "output"), [([7], "default"), ([None], "features")], ids=["batch", "name"]
    )
    def test_warns_of_other_signatures(self, tmp_path, caplog, monkeypatch, shape, output):
        def module_fn() -> None:
            v1.get_variable("embeddings", [len(TABLE) + 1, 3])
            text = v1.placeholder(tf.string, shape)
            features = {output: tf.zeros([tf.size(text), 3])}
            hub.add_signature(inputs={"tokens": text}, outputs=features)

        monkeypatch.setattr(export, "make_module_fn", lambda *arguments: module_fn)
        publish(tmp_path / "module")
        assert "not a text feature vector" in caplog.text


class TestVariable:
    def test_has_a_row_of_zeros_per_bucket(self, token_module):
        with tf.Graph().as_default(), v1.Session() as session:
            module = hub.Module(token_module)
            session.run(v1.global_variables_initializer())
            embeddings = session.run(module.variable_map["embeddings"])
        np.testing.assert_array_equal(embeddings, [*TABLE.values(), *[[0, 0, 0]] * 3])

    @pytest.mark.parametrize("word", ["zebra", "yak", "", "emu"])
    def test_missing_words_have_buckets_by_their_hash(self, token_module, word):
        with tf.Graph().as_default(), v1.Session() as session:
            module = hub.Module(token_module, trainable=True)
            (gradient,) = tf.gradients(module([word]), module.variables)
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            rows = session.run(tf.convert_to_tensor(gradient))[:, 0].nonzero()[0]
            bucket = session.run(tf.strings.to_hash_bucket_fast(word, 3))
        assert rows.tolist() == [len(TABLE) + bucket]

    def test_is_trained_and_published_again(self, sentence_module, tmp_path):
        with tf.Graph().as_default(), v1.Session() as session:
            module = hub.Module(sentence_module, trainable=True)
            loss = tf.reduce_sum(module(["cat dog"]))
            step = v1.train.GradientDescentOptimizer(np.sqrt(2)).minimize(loss)
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            session.run(step)
            module.export(str(tmp_path / "trained"), session)
        np.testing.assert_allclose(
            embed(str(tmp_path / "trained"), ["cat", "dog", "dont"]),
            [[0, 1, 2], [3, -6, 5], [0.5, 0.25, 0.125]],
            atol=1e-6,
        )


class TestRegularization:
    def test_of_a_trainable_module(self, sentence_module):
        with tf.Graph().as_default(), v1.Session() as session:
            hub.Module(sentence_module, trainable=True)
            (loss,) = v1.losses.get_regularization_losses()
            session.run(v1.global_variables_initializer())
            value = session.run(loss)
        assert value == pytest.approx(0.5 * np.sum(np.square(EMBEDDINGS.vectors)) / 2)

    def test_of_a_frozen_module_there_is_none(self, sentence_module):
        with tf.Graph().as_default():
            hub.Module(sentence_module)
            assert v1.losses.get_regularization_losses() == []

    def test_not_asked_for_there_is_none(self, token_module):
        with tf.Graph().as_default():
            hub.Module(token_module, trainable=True)
            assert v1.losses.get_regularization_losses() == []


class TestHalfPrecision:
    @pytest.fixture(scope="class")
    def module(self, tmp_path_factory):
        path = tmp_path_factory.mktemp("half") / "module"
        return publish(path, dtype="float16", l2_regularization=0.5)

    def test_the_variable_takes_half_the_bytes(self, module):
        with tf.Graph().as_default():
            variable = hub.Module(module).variable_map["embeddings"]
        assert variable.dtype.base_dtype == tf.float16

    def test_the_output_is_float32(self, module):
        output = hub.load_module_spec(module).get_output_info_dict()["default"]
        assert output.dtype == tf.float32

    def test_embedding(self, module):
        np.testing.assert_allclose(
            embed(module, ["cat dog"]), [expected_embedding("cat dog")], rtol=1e-6
        )

    def test_the_loss_is_summed_in_float32(self, tmp_path):
        large = Embeddings(["a"], np.full([1, 4], 300, np.float32))
        export.export_module(large, str(tmp_path / "m"), dtype="float16", l2_regularization=1.0)
        with tf.Graph().as_default(), v1.Session() as session:
            hub.Module(str(tmp_path / "m"), trainable=True)
            session.run(v1.global_variables_initializer())
            assert session.run(v1.losses.get_regularization_losses()) == [4 * 300**2 / 2]

    def test_trains(self, module):
        with tf.Graph().as_default(), v1.Session() as session:
            trained = hub.Module(module, trainable=True)
            loss = tf.reduce_sum(trained(["cat"]))
            step = v1.train.GradientDescentOptimizer(1.0).minimize(loss)
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            session.run(step)
            assert session.run(trained(["cat"])).tolist() == [[0, 1, 2]]

    def test_of_a_number_that_is_too_large(self, tmp_path):
        large = Embeddings(["a", "b"], np.float32([[0, 0], [1, 1e5]]))
        with pytest.raises(
            EmbeddingFileError, match=r"Token 'b': number 2 .* 100000\.0, .* float16"
        ):
            export.export_module(large, str(tmp_path / "module"), dtype="float16")
        assert os.listdir(tmp_path) == []


class TestFiles:
    def test_the_vocabulary_is_an_asset(self, sentence_module):
        assert os.listdir(Path(sentence_module, "assets")) == ["tokens.txt"]
        vocabulary = Path(sentence_module, "assets", "tokens.txt").read_bytes()
        assert vocabulary.decode().split("\n") == [*TABLE, ""]

    def test_the_vectors_are_not_in_the_graph(self, sentence_module):
        large = Embeddings([f"word{i}" for i in range(2000)], np.ones([2000, 50], np.float32))
        path = Path(sentence_module).with_name("large")
        export.export_module(large, str(path))
        assert path.joinpath("saved_model.pb").stat().st_size < 20_000

    def test_no_path_of_this_machine_is_in_the_graph(self, sentence_module, tmp_path_factory):
        content = Path(sentence_module, "saved_model.pb").read_bytes()
        assert str(tmp_path_factory.getbasetemp()).encode() not in content
        assert b"/tokens.txt" not in content

    @pytest.mark.parametrize("module", ["sentence_module", "token_module"])
    def test_older_tensorflows_know_the_ops(self, request, module):
        nodes = graph_of(request.getfixturevalue(module)).graph_def.node
        assert {node.op for node in nodes} - OPS == set()

    def test_older_tensorflows_have_kernels_for_the_segments(self, sentence_module):
        nodes = graph_of(sentence_module).graph_def.node
        types = {node.attr["Tindices"].type for node in nodes if node.op == "SegmentSum"}
        assert types == {tf.int32.as_datatype_enum}


class TestErrors:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "embeddings.txt"
        path.write_bytes(b"cat 1 2\ndog 3 4\n")
        return path

    def test_of_a_file_leave_nothing_behind(self, file):
        file.write_bytes(b"cat 1 2\ndog 3\n")
        with pytest.raises(EmbeddingFileError, match="line 2, token 'dog'"):
            export.export_module_from_file(str(file), str(file.with_name("module")))
        assert os.listdir(file.parent) == ["embeddings.txt"]

    def test_of_an_export_leave_nothing_behind(self, file, monkeypatch):
        def fail(*arguments: object, **options: object) -> None:
            raise OSError("no space left on device")

        monkeypatch.setattr("hubmodule.module.spec.write_module", fail)
        with pytest.raises(OSError, match="no space left"):
            export.export_module_from_file(str(file), str(file.with_name("module")))
        assert os.listdir(file.parent) == ["embeddings.txt"]

    def test_what_is_there_already_stays(self, file):
        path = file.with_name("module")
        path.mkdir()
        path.joinpath("note").write_text("keep me")
        with pytest.raises(FileExistsError, match="exists already"):
            export.export_module_from_file(str(file), str(path))
        assert os.listdir(path) == ["note"]

    def test_a_module_that_is_there_stays(self, file):
        path = file.with_name("module")
        export.export_module_from_file(str(file), str(path))
        with pytest.raises(FileExistsError, match="--overwrite"):
            export.export_module_from_file(str(file), str(path))
        assert embed(str(path), ["dog"]).tolist() == [[3, 4]]

    def test_a_file_in_the_way(self, file):
        with pytest.raises(FileExistsError, match="is a file; give the path of a directory"):
            export.export_module_from_file(str(file), str(file), overwrite=True)
        assert file.read_bytes() == b"cat 1 2\ndog 3 4\n"

    def test_an_empty_directory_is_no_hindrance(self, file):
        path = file.with_name("module")
        path.mkdir()
        export.export_module_from_file(str(file), str(path))
        assert embed(str(path), ["dog"]).tolist() == [[3, 4]]

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="does not exist"):
            export.export_module_from_file(str(tmp_path / "none"), str(tmp_path / "module"))

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"num_oov_buckets": 0}, "num_oov_buckets is 0"),
            ({"l2_regularization": -1.0}, r"l2_regularization is -1\.0"),
            ({"num_oov_buckets": 2**31}, "num_oov_buckets is 2147483648; .* 2147483647"),
            ({"l2_regularization": float("nan")}, "l2_regularization is nan"),
            ({"l2_regularization": float("inf")}, "l2_regularization is inf"),
            ({"max_rows": 0}, "max_rows is 0"),
            ({"dtype": "float64"}, "dtype is 'float64'; give one of float32, float16"),
        ],
    )
    def test_of_options(self, file, options, problem):
        with pytest.raises(ValueError, match=problem):
            export.export_module_from_file(str(file), str(file.with_name("module")), **options)


class TestOverwrite:
    @pytest.fixture
    def module(self, tmp_path):
        return publish(tmp_path / "module")

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "embeddings.txt"
        path.write_bytes(b"cat 1 2\n")
        return str(path)

    def test_replaces_the_module(self, module, file):
        export.export_module_from_file(file, module, overwrite=True)
        assert embed(module, ["cat", "dog"]).tolist() == [[1, 2], [0, 0]]

    def test_from_memory(self, module):
        rows = Embeddings(["cat"], np.float32([[1, 2]]))
        export.export_module(rows, module, overwrite=True)
        assert embed(module, ["cat"]).tolist() == [[1, 2]]

    def test_a_failure_keeps_the_module(self, module, file):
        Path(file).write_bytes(b"cat 1 2\ndog 3\n")
        with pytest.raises(EmbeddingFileError, match="line 2"):
            export.export_module_from_file(file, module, overwrite=True)
        assert embed(module, ["dog"]).tolist() == [TABLE["dog"]]

    def test_where_nothing_is_yet(self, file, tmp_path):
        export.export_module_from_file(file, str(tmp_path / "new"), overwrite=True)
        assert embed(str(tmp_path / "new"), ["cat"]).tolist() == [[1, 2]]


class TestPublishedModule:
    def test_counts(self, tmp_path):
        file, path = tmp_path / "embeddings.txt", tmp_path / "module"
        file.write_bytes(b"cat 1 2\ndog 3 4\ncat 5 6\n")
        published = export.export_module_from_file(str(file), str(path), num_oov_buckets=3)
        size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        assert published == export.PublishedModule(
            str(path), vocabulary_size=2, rows=5, dimension=2, size=size
        )

    def test_from_memory(self, tmp_path):
        published = export.export_module(EMBEDDINGS, str(tmp_path / "module"))
        assert (published.rows, published.dimension) == (len(TABLE) + 1, 3)

    def test_as_text(self):
        published = export.PublishedModule("/m", 400_000, 400_001, 300, 484_123_456)
        assert str(published) == (
            "400,001 rows of dimension 300, of which 400,000 are the vocabulary; 484,123,456 bytes"
        )


class TestFlags:
    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            ("--preprocess_text", True),
            ("--preprocess_text=true", True),
            ("--preprocess_text=False", False),
            ("--preprocess_text=0", False),
            ("--nopreprocess_text", False),
            ("--preprocess_text True", True),
            ("--preprocess_text true", True),
            ("--preprocess_text False", False),
            ("--preprocess_text 0", False),
            ("-preprocess_text False", False),
        ],
    )
    def test_booleans(self, argument, value):
        values = flags.FlagValues()
        export.define_flags(values)
        # What follows shows that the flags after it are read as well.
        arguments = ["export.py", *argument.split(), "--embedding_file=f", "--export_path", "p"]
        assert values(export.join_boolean_values(arguments, values)) == ["export.py"]
        assert values.preprocess_text is value
        assert (values.embedding_file, values.export_path) == ("f", "p")

    def test_a_boolean_that_is_neither_true_nor_false(self):
        values = flags.FlagValues()
        export.define_flags(values)
        with pytest.raises(flags.IllegalFlagValueError, match="maybe"):
            values(export.join_boolean_values(["export.py", "--overwrite", "maybe"], values))

    def test_other_arguments_stay_as_they_are(self):
        values = flags.FlagValues()
        export.define_flags(values)
        arguments = [
            "export.py",
            "--embedding_file",
            "f",
            "--nopreprocess_text",
            "x",
            "--none",
            "y",
        ]
        assert export.join_boolean_values(arguments, values) == arguments

    def test_defaults(self):
        values = flags.FlagValues()
        export.define_flags(values)
        values(["export.py", "--embedding_file=f", "--export_path=p"])
        assert values.flag_values_dict() == {
            "embedding_file": "f",
            "export_path": "p",
            "preprocess_text": True,
            "num_oov_buckets": 1,
            "l2_regularization": 0.0,
            "vocabulary_file": None,
            "max_rows": None,
            "dtype": "float32",
            "projector": None,
            "overwrite": False,
            "progress": None,
        }

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--embedding_file=f"],
            ["--export_path=p"],
            ["--embedding_file=f", "--export_path=p", "--num_oov_buckets=0"],
            ["--embedding_file=f", "--export_path=p", "--max_rows=0"],
            ["--embedding_file=f", "--export_path=p", "--dtype=float64"],
        ],
    )
    def test_that_are_wrong(self, arguments):
        values = flags.FlagValues()
        export.define_flags(values)
        with pytest.raises(flags.IllegalFlagValueError):
            values(["export.py", *arguments])


class TestFormsOfFiles:
    def test_of_numpy(self, tmp_path):
        np.save(tmp_path / "v.npy", EMBEDDINGS.vectors)
        tmp_path.joinpath("v.txt").write_text("\n".join(TABLE), encoding="utf-8")
        export.export_module_from_file(
            str(tmp_path / "v.npy"),
            str(tmp_path / "module"),
            vocabulary_file=str(tmp_path / "v.txt"),
        )
        assert embed(str(tmp_path / "module"), ["dog"]).tolist() == [TABLE["dog"]]

    def test_the_first_rows_only(self, tmp_path):
        tmp_path.joinpath("v.txt").write_bytes(b"cat 1 2\ndog 3 4\nemu 5 6\n")
        export.export_module_from_file(
            str(tmp_path / "v.txt"), str(tmp_path / "module"), max_rows=2
        )
        assert embed(str(tmp_path / "module"), ["dog", "emu"]).tolist() == [[3, 4], [0, 0]]


class TestProgram:
    @staticmethod
    def run(*flags: str) -> subprocess.CompletedProcess[str]:
        # From another directory: the program finds what it needs by itself.
        return subprocess.run(
            [sys.executable, str(PROGRAM), *flags], capture_output=True, text=True, cwd="/"
        )

    def test_publishes(self, tmp_path):
        file, module = tmp_path / "embeddings.txt", tmp_path / "module"
        file.write_bytes(b"cat 1 2\ndog 3 4\n")
        result = self.run(
            f"--embedding_file={file}",
            f"--export_path={module}",
            "--preprocess_text",
            "False",
            "--num_oov_buckets=2",
        )
        first, second = result.stdout.splitlines()
        assert (result.returncode, first) == (0, f"The module is in {module}")
        assert second.startswith("4 rows of dimension 2, of which 2 are the vocabulary; ")
        # Some versions of TensorFlow log what they do.
        tensorflow_logs = ("WARNING: All log messages before", "I0000 ")
        lines = result.stderr.splitlines()
        assert [line for line in lines if not line.startswith(tensorflow_logs)] == []
        assert list(hub.load_module_spec(str(module)).get_input_info_dict()) == ["tokens"]
        assert embed(str(module), ["dog", "dog."]).tolist() == [[3, 4], [0, 0]]

    def test_shows_progress_on_request(self, tmp_path):
        file, module = tmp_path / "embeddings.txt", tmp_path / "module"
        file.write_bytes(b"cat 1 2\n")
        result = self.run(f"--embedding_file={file}", f"--export_path={module}", "--progress")
        assert "Reading embeddings.txt: 100%" in result.stderr
        assert f"Writing 16.0B to {module}" in result.stderr

    def test_says_what_is_wrong(self, tmp_path):
        file = tmp_path / "embeddings.txt"
        file.write_bytes(b"cat 1 2\ndog 3 x\n")
        result = self.run(
            f"--embedding_file={file}", f"--export_path={tmp_path / 'm'}", "--nopreprocess_text"
        )
        assert result.returncode == 1
        assert f"Nothing was published: {file}, line 2, token 'dog': 'x' is not" in result.stderr
        assert "Traceback" not in result.stderr
        assert os.listdir(tmp_path) == ["embeddings.txt"]


class TestMain:
    @pytest.fixture
    def main(self, tmp_path, monkeypatch):
        """Runs the program in this process, and gives what it exits with."""
        monkeypatch.chdir(tmp_path)
        tmp_path.joinpath("v.txt").write_bytes(b"cat 1 2\n")

        def run(*arguments: str) -> object:
            values = flags.FlagValues()
            export.define_flags(values)
            values(["export.py", "--embedding_file=v.txt", "--export_path=m", *arguments])
            monkeypatch.setattr(flags, "FLAGS", values)
            with pytest.raises(SystemExit) as exit_:
                export.main(["export.py"])
            return exit_.value.code

        handler = signal.getsignal(signal.SIGTERM)
        yield run
        signal.signal(signal.SIGTERM, handler)

    @pytest.mark.parametrize(
        ("flag", "problem"),
        [
            ("--l2_regularization=nan", "l2_regularization is nan; give 0 or more."),
            ("--num_oov_buckets=99999999999999999999", "num_oov_buckets is 99999999999999999999; "),
            ("--projector=m/p", "The projector's directory is 'm/p', "),
            ("--vocabulary_file=words", "v.txt: an array of NumPy (.npy), and nothing else, "),
        ],
    )
    def test_says_which_flag_is_wrong(self, main, flag, problem):
        assert main(flag).startswith(f"Nothing was published: {problem}")
        assert os.listdir() == ["v.txt"]

    def test_says_only_which_file_an_op_cannot_write(self, main, monkeypatch):
        def fail(*arguments: object) -> None:
            message = (
                "Graph execution error:\nNode: 'SaveV2'\n/m/x; No space left on device\n\t [[]]"
            )
            raise tf.errors.ResourceExhaustedError(None, None, message)

        monkeypatch.setattr(export, "export_module_from_file", fail)
        assert main() == "Nothing was published: /m/x; No space left on device"

    def test_says_which_package_is_missing(self, main, monkeypatch):
        monkeypatch.delitem(sys.modules, "examples.text_embeddings.text_file", raising=False)
        monkeypatch.setitem(sys.modules, "polars", None)
        assert main() == (
            "Nothing was published: Text files of embeddings are parsed by polars, which is not "
            "installed; install it with: pip install polars"
        )

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_removes_everything_when_it_is_stopped(
        self, main, monkeypatch, capsys, interruptible, number
    ):
        def stop(*arguments: object, **options: object) -> None:
            assert glob.glob("temporary/*/vectors")
            signal.raise_signal(number)

        os.mkdir("temporary")
        monkeypatch.setattr(tempfile, "tempdir", "temporary")
        monkeypatch.setattr("hubmodule.module.spec.write_module", stop)
        assert main() == 130
        assert capsys.readouterr().err == "Stopped\n"
        assert sorted(glob.glob("**", recursive=True)) == ["temporary", "v.txt"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
