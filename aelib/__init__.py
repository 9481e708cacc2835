"""Autoencoders as subclassed Keras models: the library of the course."""

from aelib import datasets, losses, manifold, models, plots
from aelib.datasets import fetch_mnist, load_images
from aelib.digits import make_digits
from aelib.manifold import (
    PCABaseline,
    excess_error,
    mean_squared_error,
    principal_angles,
    probe_accuracy,
    psnr,
    two_sample_accuracy,
)
from aelib.models import *  # noqa: F403, each model is exported in one place: aelib/models/__init__.py

__all__ = [
    *models.__all__,
    "PCABaseline",
    "datasets",
    "excess_error",
    "fetch_mnist",
    "load_images",
    "losses",
    "make_digits",
    "manifold",
    "mean_squared_error",
    "models",
    "plots",
    "principal_angles",
    "probe_accuracy",
    "psnr",
    "two_sample_accuracy",
]
