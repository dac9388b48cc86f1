#!/bin/sh
# Publishes the modules of the example to a hub, and serves it: hub_demo.sh PYTHON DIRECTORY [ARGUMENTS of serve]
set -eu
python=${1:?usage: hub_demo.sh PYTHON DIRECTORY [ARGUMENTS of serve]}
directory=${2:?usage: hub_demo.sh PYTHON DIRECTORY [ARGUMENTS of serve]}
shift 2
example=$(dirname "$0")/../examples/text_embeddings
modules=$directory/modules
hub=$directory/hub

# The training is done once; publishing the same module again changes nothing.
if ! [ -d "$modules" ]; then
  mkdir -p "$directory"
  training=$(mktemp -d "$directory/training.XXXXXX")
  trap 'rm -rf "$training"' EXIT
  "$python" "$example/demo.py" --output_dir="$training"
  mv "$training" "$modules"
fi

publish() {
  "$python" -m hubmodule publish "$1" "$hub" --as "$2" --readme "$example/hub/$3"
}

publish "$modules/glove" demo/glove/1 glove.md
publish "$modules"/frozen/export/*/*/sentences demo/sentences/1 sentences.md
publish "$modules"/fine-tuned/export/*/*/sentences demo/sentences/2 sentences.md
echo "Open the address in a browser; Ctrl-C ends the server."
exec "$python" -m hubmodule serve "$hub" "$@"
