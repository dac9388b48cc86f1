"""hub.KerasLayer: modules as layers of Keras 2 and Keras 3."""
