"""Tests of the Estimator, in processes where tf.keras is Keras 2.

It becomes that here, before any test of the process can use it as Keras 3, and before the
test files are read, which name parts of the Estimator.
"""

import hubmodule as hub

hub.enable_estimator()
