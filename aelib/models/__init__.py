"""Autoencoders as subclassed Keras models."""

from aelib.models.base import Autoencoder
from aelib.models.linear import LinearAutoencoder
from aelib.models.simple import SimpleAutoencoder
from aelib.models.stacked import StackedAutoencoder
from aelib.models.tied import TiedDense

__all__ = ["Autoencoder", "LinearAutoencoder", "SimpleAutoencoder", "StackedAutoencoder", "TiedDense"]
