#!/bin/sh
# Prints a Python that TensorFlow $1 runs on: $PYTHON, or the first that fits on PATH.
set -eu
case ${1:?usage: find_python.sh TENSORFLOW-VERSION} in
  2.15.*) newest=11 ;;
  2.16.* | 2.17.* | 2.18.* | 2.19.*) newest=12 ;;
  *) newest=13 ;;
esac
# A Python that is asked for is not replaced by another.
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
  if "$python" -c "import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $newest))" \
      2>/dev/null; then
    echo "$python"
    exit 0
  fi
done
echo "TensorFlow $1 needs Python 3.10 to 3.$newest; set PYTHON to one." >&2
exit 1
