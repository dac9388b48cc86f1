"""Modules of old programs that have another name now, as data."""

from __future__ import annotations

_KERAS = "Keras 3 does not have it; import it from tf_keras, which is Keras 2"

# Module -> what to do. A name stands for the modules in it, too.
REPLACED = {
    # Python 2
    "ConfigParser": "Python 3 calls it configparser",
    "HTMLParser": "Python 3 calls it html.parser",
    "Queue": "Python 3 calls it queue",
    "StringIO": "Python 3 has StringIO in io",
    "__builtin__": "Python 3 calls it builtins",
    "cPickle": "Python 3 calls it pickle",
    "cStringIO": "Python 3 has StringIO and BytesIO in io",
    "httplib": "Python 3 calls it http.client",
    "itertools.ifilter": "Python 3 has filter()",
    "itertools.imap": "Python 3 has map()",
    "itertools.izip": "Python 3 has zip()",
    "string.maketrans": "Python 3 has str.maketrans",
    "urllib.urlencode": "Python 3 has it in urllib.parse",
    "urllib.urlopen": "Python 3 has it in urllib.request",
    "urllib.urlretrieve": "Python 3 has it in urllib.request",
    "urllib2": "Python 3 has it in urllib.request and urllib.error",
    "urlparse": "Python 3 calls it urllib.parse",
    # Keras 2
    "keras.backend.tensorflow_backend": _KERAS,
    "keras.engine": _KERAS,
    "keras.layers.convolutional": _KERAS,
    "keras.layers.core": _KERAS,
    "keras.layers.merge": _KERAS,
    "keras.layers.normalization": _KERAS,
    "keras.layers.recurrent": _KERAS,
    "keras.preprocessing.text": _KERAS,
    "keras.utils.generic_utils": _KERAS,
    "keras.utils.multi_gpu_model": _KERAS,
    "keras.utils.np_utils": _KERAS,
    "keras.utils.vis_utils": _KERAS,
    "keras.wrappers": _KERAS,
    # Packages that ended
    "sklearn.cross_validation": "scikit-learn calls it sklearn.model_selection",
    "sklearn.externals": "scikit-learn dropped it; import joblib or six itself",
    "scipy.misc.imread": "SciPy dropped it; use imageio.v3.imread",
    "scipy.misc.imresize": "SciPy dropped it; use PIL.Image.resize",
    "scipy.misc.imsave": "SciPy dropped it; use imageio.v3.imwrite",
    "tensorflow.examples": "TensorFlow 2 does not have it; tf.keras.datasets has MNIST and others",
    "tensorflow.models": "TensorFlow 2 does not have it; use the package tf-models-official",
    "tensorflow_addons": "it ended with TensorFlow 2.15; take what the program uses into it",
    # NumPy
    "numpy.bool": "NumPy dropped it; use bool",
    "numpy.float": "NumPy dropped it; use float",
    "numpy.int": "NumPy dropped it; use int",
    "numpy.object": "NumPy dropped it; use object",
    "numpy.str": "NumPy dropped it; use str",
    "numpy.unicode": "NumPy dropped it; use str",
}

# numpy.bool came back with NumPy 2.
SINCE_NUMPY_2 = frozenset({"numpy.bool"})

# Functions of Python 2 -> those of Python 3.
PYTHON_2_NAMES = {
    "basestring": "str",
    "long": "int",
    "raw_input": "input",
    "reduce": "functools.reduce",
    "unicode": "str",
    "xrange": "range",
}

# Methods of dictionaries in Python 2 -> what to write.
PYTHON_2_METHODS = {
    "has_key": "`key in d`",
    "iteritems": "items",
    "iterkeys": "keys",
    "itervalues": "values",
}

# Import name -> what pip installs, where they differ.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "bert": "bert-tensorflow",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "google": "protobuf",
    "nltk": "nltk",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_gan": "tensorflow-gan",
    "tensorflow_probability": "'tensorflow-probability[tf]'",
    "tensorflow_text": "tensorflow-text",
    "tensorflow_transform": "tensorflow-transform",
    "tf_slim": "tf-slim",
    "yaml": "pyyaml",
}

# Modules of Python's library that newer versions do not have -> what to do.
DROPPED_FROM_PYTHON = {
    "asynchat": "use asyncio",
    "asyncore": "use asyncio",
    "cgi": "use urllib.parse and email.message",
    "distutils": "use setuptools, or packaging.version for versions",
    "imp": "use importlib",
    "pipes": "use shlex.quote and subprocess",
}
