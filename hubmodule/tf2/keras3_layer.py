"""KerasLayer for Keras 3 under the name of the module that saved Keras models store."""

from hubmodule.keras.keras3_layer import KerasLayer as KerasLayer
