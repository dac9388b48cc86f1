"""The page about retraining runs when its blocks are pasted, and shows what they print."""

from __future__ import annotations

import re
import sys

import pytest

from tests.pages import make_program, read_page, run_in_checkout

PAGE = read_page("image_retraining.md")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def output(directory):
    return run_in_checkout(directory, make_program(PAGE))


def without_numbers(text):
    return [re.sub(r"[\d.,%]+", "0", line).split() for line in text.splitlines() if line.strip()]


def test_fine_tuning_pays(output):
    frozen, tuned = map(float, re.findall(r"accuracy on 185 test images: ([\d.]+)%", output))
    assert frozen > 55
    assert tuned > frozen


def test_the_module_and_the_servable_know_a_spark(output):
    answers = re.findall(r"^\[b?'spark'.*\]$", output, re.MULTILINE)
    assert len(answers) == 2
    assert all(answer.count("spark") >= 4 for answer in answers)


def test_it_prints_what_the_page_shows(output):
    printed = without_numbers(output)
    blocks = re.findall(r"\n\n((?:    .*\n)+)", PAGE)
    shown = [line for block in blocks for line in without_numbers(block)]
    assert len(shown) > 20
    assert [line for line in shown if line not in printed] == []


def test_the_files_that_the_page_lists(output, directory):
    rows = re.findall(r"^\| (`[^|]*`) \|", PAGE.partition("## What comes out")[2], re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`(.*?)`", row)]
    assert len(names) == 7
    assert [name for name in names if not (directory / "tuned" / name).exists()] == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
