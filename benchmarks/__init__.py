"""Each figure of docs/performance.md, side by side with tensorflow_hub: `make bench`."""
