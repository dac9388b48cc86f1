#!/bin/sh
# Makes the environments that `make interop`, `make bench` and `make growth` need, or the one that
# is named: tensorflow_hub with the TensorFlow of its day.
#   peer221   tensorflow_hub 0.16.1 on TensorFlow 2.21.0; it has no Module
#   peer215   tensorflow_hub 0.15.0 on TensorFlow 2.15.1, Python 3.10 or 3.11
#   peer115   tensorflow_hub 0.12.0 on TensorFlow 1.15.5, Python 3.7
# They are put into $HUBMODULE_PEERS, by default .cache/peers; one that is complete is kept.
# PYTHON and PYTHON37 may name the interpreters to use; TF_PACKAGE may be tensorflow-cpu.
set -eu
cd "$(dirname "$0")/.."
peers=${HUBMODULE_PEERS:-.cache/peers}
wanted=${*:-peer221 peer215 peer115}

# Runs its arguments as a Python; whether that is Python 3.7. A pyenv shim may not run at all.
is_python37() {
  "$@" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 7))' 2>/dev/null
}

find_python37() {
  versions=${PYENV_ROOT:-$HOME/.pyenv}/versions
  for python in "${PYTHON37:-python3.7}" python3.7 "$versions"/3.7.*/bin/python; do
    if is_python37 "$python"; then
      echo "$python"
      return
    fi
  done
  echo "tensorflow_hub on TensorFlow 1.15 needs Python 3.7, and there is none: not PYTHON37," >&2
  echo "not python3.7 on PATH, not in $versions. Install one, e.g. pyenv install 3.7." >&2
  return 1
}

# Whether a peer is wanted, and not there yet.
is_missing() {
  case " $wanted " in *" $1 "*) test ! -e "$peers/$1/.done" ;; *) false ;; esac
}

# make_peer NAME PYTHON REQUIREMENT...
make_peer() {
  name=$1 python=$2
  shift 2
  echo "Making $peers/$name with $("$python" --version)" >&2
  "$python" -m venv --clear "$peers/$name"
  install "$name" "$@"
}

# install NAME ARGUMENT...
install() {
  name=$1
  shift
  "$peers/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# setuptools has pkg_resources, which tensorflow_hub 0.15 imports, up to version 80.
if is_missing peer215; then
  python=$(scripts/find_python.sh 2.15.1)
  make_peer peer215 "$python" "${TF_PACKAGE:-tensorflow}==2.15.1" tensorflow-hub==0.15.0 'setuptools<81'
  touch "$peers/peer215/.done"
fi
# tf-keras, which tensorflow_hub 0.16 imports, asks for tensorflow, even beside tensorflow-cpu.
if is_missing peer221; then
  python=$(scripts/find_python.sh 2.21.0)
  make_peer peer221 "$python" "${TF_PACKAGE:-tensorflow}==2.21.0" 'setuptools<81'
  install peer221 --no-deps tensorflow-hub==0.16.1 tf-keras==2.21.0
  touch "$peers/peer221/.done"
fi
# TensorFlow 1.15 pins neither; it does not import with newer ones.
if is_missing peer115; then
  python=$(find_python37)
  make_peer peer115 "$python" \
    tensorflow==1.15.5 tensorflow-hub==0.12.0 'protobuf<3.21' 'numpy<1.19'
  touch "$peers/peer115/.done"
fi
