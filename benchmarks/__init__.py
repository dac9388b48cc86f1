"""Each figure of the README, side by side with tensorflow_hub: `make bench`."""
