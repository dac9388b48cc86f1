"""KerasLayer for Keras 2 under the name of the module that saved Keras models store."""

from hubmodule.keras.keras2_layer import KerasLayer as KerasLayer
