"""The programs of tests/legacy/programs: how to run them, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAMS_DIRECTORY = Path(__file__).resolve().parent / "programs"
MAKER = PROGRAMS_DIRECTORY / "make_modules.py"


@dataclass(frozen=True)
class Program:
    """A program of TensorFlow 1.

    Attributes:
        name: Its name in tables.
        path: Its path below tests/legacy/programs.
        flags: Its arguments; {modules} is what make_modules.py wrote, {out} a directory for
            checkpoints and summaries, {steps} the number of steps to train, those of a checkpoint
            in {out} included.
        losses: Tags of the summaries that it writes in each step.
    """

    name: str
    path: str
    flags: tuple[str, ...]
    losses: tuple[str, ...]


PROGRAMS = (
    Program(
        "image retraining",
        "retrain.py",
        (
            "--image_dir={modules}/images",
            "--tfhub_module={modules}/image",
            "--output_graph={out}/graph.pb",
            "--output_labels={out}/labels.txt",
            "--summaries_dir={out}/logs",
            "--bottleneck_dir={out}/bottlenecks",
            "--checkpoint_dir={out}",
            "--saved_model_dir={out}/saved_models",
            "--how_many_training_steps={steps}",
        ),
        ("cross_entropy_1",),
    ),
    Program(
        "BERT classification",
        "bert/run_classifier.py",
        (
            "--data_dir={modules}/sentences",
            "--bert_hub_module_handle={modules}/bert",
            "--output_dir={out}",
            "--num_train_steps=20",
            "--stop_at_step={steps}",
        ),
        ("loss_1",),  # the program has a variable scope "loss"
    ),
    Program(
        "GAN evaluation",
        "gan_evaluation.py",
        (
            "--hub_module={modules}/image",
            "--train_dir={out}",
            "--max_number_of_steps={steps}",
        ),
        ("discriminator_loss", "generator_loss", "frechet_distance"),
    ),
    Program(
        "ELMo sentiment",
        "elmo_sentiment.py",
        (
            "--elmo={modules}/elmo",
            "--data_dir={modules}/sentences",
            "--model_dir={out}",
            "--steps={steps}",
            "--hparams=batch_size=6,l2=0.002",
        ),
        ("loss",),
    ),
    Program(
        "nearest neighbours",
        "nearest_neighbours.py",
        (
            "--module={modules}/text",
            "--corpus={modules}/sentences/train.tsv",
            "--logdir={out}",
            "--steps={steps}",
        ),
        ("ranking_loss",),
    ),
)


def run_file(python: Sequence[str], path: Path, flags: Sequence[str], log: Path) -> bool:
    """Runs a Python file; returns whether it succeeded.

    Args:
        python: The command line before the path, e.g. ("python", "-m", "hubmodule", "run").
        path: Path of the file.
        flags: Its arguments.
        log: File to write its output to.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = str(PROGRAMS_DIRECTORY.parents[2])
    # TensorFlow sets both for the processes that this one starts.
    environment.pop("TF_USE_LEGACY_KERAS", None)
    environment.pop("TF2_BEHAVIOR", None)
    with log.open("w") as output:
        done = subprocess.run(
            [*python, str(path), *flags],
            cwd=log.parent,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
    return done.returncode == 0


def make_modules(python: Sequence[str], directory: Path) -> bool:
    """Makes the modules and the data of the programs; returns whether that succeeded."""
    log = directory.with_suffix(".log")
    return run_file(python, MAKER, [f"--output_dir={directory}"], log)


def run_program(
    python: Sequence[str], program: Program, modules: Path, out: Path, steps: int
) -> bool:
    """Runs a program, up to a number of steps; returns whether it succeeded."""
    flags = [flag.format(modules=modules, out=out, steps=steps) for flag in program.flags]
    out.mkdir(parents=True, exist_ok=True)
    return run_file(python, PROGRAMS_DIRECTORY / program.path, flags, out / "output.log")


def read_losses(program: Program, out: Path) -> dict[str, list[float]]:
    """Returns tag -> values, in the order of their steps, from the summaries in a directory."""
    import tensorflow as tf

    losses: dict[str, dict[int, float]] = {tag: {} for tag in program.losses}
    for path in sorted(out.rglob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.tag in losses:
                    losses[value.tag][event.step] = value.simple_value
    return {tag: [values[step] for step in sorted(values)] for tag, values in losses.items()}


def read_variables(out: Path) -> dict[str, list[int]]:
    """Returns name -> shape of the variables in the latest checkpoint in a directory."""
    import tensorflow as tf

    path = tf.train.latest_checkpoint(str(out))
    if path is None:
        return {}
    return {name: list(shape) for name, shape in tf.train.list_variables(path)}


def find_differences(
    expected: Mapping[str, Sequence[float]], actual: Mapping[str, Sequence[float]]
) -> list[str]:
    """Describes the losses that differ by more than 1e-5, relative to those above 1.

    Args:
        expected: Tag -> values, as of `read_losses`.
        actual: The same, of the run to compare.

    Returns:
        A line for each difference.
    """
    lines = []
    for tag, values in expected.items():
        if len(values) != len(actual[tag]) or not values:
            lines.append(f"{tag}: {len(actual[tag])} steps, not {len(values)}")
            continue
        for step, (wanted, found) in enumerate(zip(values, actual[tag], strict=True), start=1):
            if not abs(wanted - found) <= 1e-5 * max(1.0, abs(wanted)):
                lines.append(f"{tag} of step {step}: {found}, not {wanted}")
    return lines
