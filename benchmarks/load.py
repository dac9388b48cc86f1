"""How long hub.load takes for a large module, side by side with tensorflow_hub.

    python benchmarks/load.py [--layers 75] [--rounds 5]

The module has six variables a layer (dense, batch norm) and a variant for training. The
two take turns, each in a new process; what counts is the median of the CPU seconds, of
loading alone and with the first call of a signature. Needs tensorflow_hub.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

import tensorflow as tf

import hubmodule as hub

v1 = tf.compat.v1
ROOT = pathlib.Path(__file__).parents[1]
UNITS = 16
PROGRAM = f"""
import sys, time
import tensorflow as tf
import {{library}} as hub
hub.load  # a lazy name is looked up once
tf.function(lambda: tf.constant(0.0))()
x = tf.zeros([1, {UNITS}])
start = time.process_time()
module = hub.load(sys.argv[1])
loaded = time.process_time()
module.signatures["default"](x)
print(loaded - start, time.process_time() - start)
"""


def main() -> None:
    """Prints the times of both, and how many times as fast ours is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", type=int, default=75, help="of six variables each")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder, "module"))
        _publish(path, parsed.layers)
        _compare(path, parsed.rounds)


def _publish(path: str, layers: int) -> None:
    def module_fn(training: bool) -> None:
        x = v1.placeholder(tf.float32, [None, UNITS])
        y = x
        for layer in range(layers):
            with v1.variable_scope(f"layer_{layer}"):
                y = _layer(y, training)
        hub.add_signature(inputs=x, outputs=y)

    variants = [(set(), {"training": False}), ({"train"}, {"training": True})]
    spec = hub.create_module_spec(module_fn, variants)
    with tf.Graph().as_default(), v1.Session() as session:
        module = hub.Module(spec)
        session.run(v1.global_variables_initializer())
        module.export(path, session)


def _layer(x: tf.Tensor, training: bool) -> tf.Tensor:
    kernel = v1.get_variable("kernel", [UNITS, UNITS])
    bias = v1.get_variable("bias", [UNITS], initializer=v1.zeros_initializer())
    beta = v1.get_variable("beta", [UNITS], initializer=v1.zeros_initializer())
    gamma = v1.get_variable("gamma", [UNITS], initializer=v1.ones_initializer())
    y = tf.matmul(x, kernel) + bias
    moments = []
    for name, new in zip(("mean", "variance"), tf.nn.moments(y, [0]), strict=True):
        moving = v1.get_variable(name, initializer=tf.ones([UNITS]), trainable=False)
        if training:
            update = v1.assign_sub(moving, (moving - new) * 0.01)
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
        moments.append(new if training else moving)
    return tf.nn.relu(tf.nn.batch_normalization(y, *moments, beta, gamma, 1e-3))


def _compare(path: str, rounds: int) -> None:
    times: dict[str, list[list[float]]] = {"tensorflow_hub": [], "hubmodule": []}
    for _ in range(rounds):
        for library, measured in times.items():
            measured.append(_seconds(library, path))
    for index, what in enumerate(("hub.load", "hub.load and a first call")):
        medians = {
            library: statistics.median(seconds[index] for seconds in measured)
            for library, measured in times.items()
        }
        ratio = medians["tensorflow_hub"] / medians["hubmodule"]
        figures = ", ".join(f"{library} {median:.2f} s" for library, median in medians.items())
        print(f"{what}: {figures}; {ratio:.1f} times as fast")


def _seconds(library: str, path: str) -> list[float]:
    program = PROGRAM.format(library=library)
    command = [sys.executable, "-c", program, path]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [float(number) for number in run.stdout.split()]


if __name__ == "__main__":
    main()
