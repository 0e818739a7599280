"""Keras' late modules: out of the way while stockcast trains, and whole for whoever uses them."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.tensorflow

PROGRAM = """
import sys
from stockcast.process import own_process
from stockcast.model.quiet import tensorflow_silenced
with own_process(), tensorflow_silenced():
    import stockcast.model.fit
print({"sklearn", "matplotlib.pyplot"} & set(sys.modules))
import keras
print(hasattr(keras.wrappers, "__wrapped__"), hasattr(keras.wrappers, "nothing"))
print(keras.wrappers.SKLearnClassifier.__name__, keras.visualization.plot_image_gallery.__name__)
"""


def test_keras_wrappers_are_loaded_when_they_are_used_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["set()", "False False", "SKLearnClassifier plot_image_gallery"]
