#!/bin/sh
# Makes sure of the command $1. On Debian, root gets the package $2 installed if there is none.
set -eu
command=${1:?usage: need.sh COMMAND PACKAGE}
package=${2:?usage: need.sh COMMAND PACKAGE}
if command -v "$command" >/dev/null; then
  exit
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "No $command on PATH. On Debian: apt-get install --no-install-recommends $package" >&2
  exit 1
fi
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"
