"""What the doctor says of whole programs, and of the same programs with one line broken."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from hubmodule.__main__ import main
from tests.legacy.program_list import PROGRAMS, PROGRAMS_DIRECTORY, Program

HUB_NAMES = "hubmodule has the public names of tensorflow_hub only; use one of those"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the programs, which is the current directory."""
    pytest.importorskip("tf_slim")
    shutil.copytree(PROGRAMS_DIRECTORY, tmp_path / "programs")
    monkeypatch.chdir(tmp_path / "programs")
    return tmp_path / "programs"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_programs_that_run(
    program: Program, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", program.path]) == 0
    nothing, needed, *commands = capsys.readouterr().out.splitlines()
    files = "3 files" if program.path.startswith("bert/") else "1 file"
    assert nothing == f"Nothing found in {files} that does not work."
    assert needed.startswith("--tf1 is needed for the API of TensorFlow 1: tf.")
    assert commands == ["Run it with:", f"    hubmodule run --tf1 {program.path}"]


def test_all_programs_in_a_directory(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "."]) == 0
    assert capsys.readouterr().out.startswith("Nothing found in 8 files that does not work.\n")


@pytest.mark.parametrize(
    ("path", "changed", "old", "new", "name", "reason"),
    [
        pytest.param(
            "elmo_sentiment.py",
            "elmo_sentiment.py",
            'print("Signatures: %s" % ", ".join(sorted(elmo.get_signature_names())))',
            'print "Signatures: %s" % ", ".join(sorted(elmo.get_signature_names()))',
            "syntax",
            "it is not Python 3 (Missing parentheses in call to 'print'. Did you mean print(...)?);"
            " convert it, for example with futurize",
            id="a line of Python 2",
        ),
        pytest.param(
            "elmo_sentiment.py",
            "elmo_sentiment.py",
            "tf.reduce_mean(xent) +",
            "tf.contrib.crf.crf_log_likelihood(words, self.labels, self.lengths)[0] +",
            "tf.contrib.crf.crf_log_likelihood",
            "TensorFlow 2 has no tf.contrib; it went to tensorflow_addons, which ended with "
            "TensorFlow 2.15; its functions of this name are short enough to take into the program",
            id="tf.contrib.crf",
        ),
        pytest.param(
            "retrain.py",
            "retrain.py",
            "hub.Module(module_spec)",
            "hub.no_such(module_spec)",
            "tensorflow_hub.no_such",
            HUB_NAMES,
            id="hub.no_such",
        ),
        pytest.param(
            "nearest_neighbours.py",
            "nearest_neighbours.py",
            "import time",
            "import horovod.tensorflow as time",
            "horovod.tensorflow",
            "the package is not installed; pip install horovod",
            id="a missing package",
        ),
        pytest.param(
            "retrain.py",
            "retrain.py",
            "from tensorflow.python.platform import gfile",
            "from tensorflow.examples.tutorials.mnist import input_data; gfile = tf.gfile",
            "tf.examples.tutorials.mnist.input_data",
            "TensorFlow 2 does not have it; tf.keras.datasets has MNIST and others",
            id="tf.examples",
        ),
        pytest.param(
            "bert/run_classifier.py",
            "bert/run_classifier.py",
            "estimator = tf.contrib.tpu.TPUEstimator(",
            "estimator = tf.estimator.BoostedTreesEstimator(",
            "tf.estimator.BoostedTreesEstimator",
            "TensorFlow dropped its kernels; use the package tensorflow-decision-forests",
            id="BoostedTrees",
        ),
        pytest.param(
            "gan_evaluation.py",
            "gan_evaluation.py",
            "tf.summary.FileWriterCache.get(",
            "tf.summary.create_file_writer(",
            "tf.summary.create_file_writer",
            "TensorFlow 1 does not have it, and other lines need the API of TensorFlow 1; "
            "write tf.compat.v2.summary.create_file_writer",
            id="a name of TensorFlow 2",
        ),
        pytest.param(
            "retrain.py",
            "retrain.py",
            "[float(x) for x in",
            "[np.float(x) for x in",
            "numpy.float",
            "NumPy dropped it; use float",
            id="numpy.float",
        ),
        pytest.param(
            "bert/run_classifier.py",
            "bert/tokenization.py",
            "six.iteritems(self.vocab)",
            "self.vocab.iteritems()",
            ".iteritems()",
            "dictionaries of Python 3 do not have it; use items",
            id="iteritems in an imported file",
        ),
        pytest.param(
            "nearest_neighbours.py",
            "nearest_neighbours.py",
            "from tensorflow import gfile",
            "from keras.engine import Layer; gfile = tf.gfile",
            "keras.engine.Layer",
            "Keras 3 does not have it; import it from tf_keras, which is Keras 2",
            id="keras.engine",
        ),
        pytest.param(
            "retrain.py",
            "retrain.py",
            "graph_util.convert_variables_to_constants(",
            "graph_util.convert_constants_to_variables(",
            "tf.python.framework.graph_util.convert_constants_to_variables",
            "this TensorFlow does not have it; it was never public, use the public API",
            id="a private name",
        ),
    ],
)
def test_a_broken_line(
    path: str,
    changed: str,
    old: str,
    new: str,
    name: str,
    reason: str,
    programs: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = Path(changed).read_text()
    assert text.count(old) == 1
    Path(changed).write_text(text.replace(old, new))
    line = text[: text.index(old)].count("\n") + 1
    assert main(["doctor", path]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [changed, f"  {line}: {name}: {reason}"]
    assert lines[2].startswith("1 finding in ")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
