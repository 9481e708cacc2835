"""Autoencoders as subclassed Keras models: the library of the course."""

from aelib import datasets, losses, manifold, models, plots
from aelib.datasets import fetch_mnist, load_images
from aelib.digits import make_digits
from aelib.manifold import PCABaseline, excess_error, mean_squared_error, principal_angles
from aelib.models import Autoencoder, LinearAutoencoder, SimpleAutoencoder, StackedAutoencoder, TiedDense

__all__ = [
    "Autoencoder",
    "LinearAutoencoder",
    "PCABaseline",
    "SimpleAutoencoder",
    "StackedAutoencoder",
    "TiedDense",
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
]
