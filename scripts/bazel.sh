#!/bin/sh
# Runs every test under Bazel, with the Python $1, which has TensorFlow; other arguments go to
# `bazel test`. On Debian, root gets Bazel installed if there is none.
set -eu
cd "$(dirname "$0")/.."
python=${1:?usage: bazel.sh PYTHON [ARGUMENT...]}
shift
# Not resolved: a venv is known by the path of its interpreter.
export PYTHON_BIN_PATH="$(cd "$(dirname "$python")" && pwd)/$(basename "$python")"

scripts/need.sh bazel bazel-bootstrap
bazel test "$@" //...
targets=$(bazel query 'tests(//...)' 2>/dev/null | wc -l)
files=$(find tests -name 'test_*.py' | wc -l)
if [ "$targets" -ne "$files" ]; then
  echo "Bazel has $targets test targets for $files test files." >&2
  exit 1
fi
echo "$targets test targets, one for each test file"
