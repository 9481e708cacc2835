"""Autoencoders as subclassed Keras models."""

from aelib.models.base import Autoencoder
from aelib.models.conditional import ConditionalVariationalAutoencoder
from aelib.models.contractive import ContractiveAutoencoder
from aelib.models.convolutional import ConvolutionalAutoencoder
from aelib.models.denoising import Corruption, DenoisingAutoencoder
from aelib.models.importance_weighted import ImportanceWeightedAutoencoder
from aelib.models.linear import LinearAutoencoder
from aelib.models.objective import Objective
from aelib.models.recurrent import RecurrentAutoencoder
from aelib.models.simple import SimpleAutoencoder
from aelib.models.sparse import SparseAutoencoder
from aelib.models.stacked import StackedAutoencoder
from aelib.models.tied import TiedDense
from aelib.models.topk import TopKAutoencoder
from aelib.models.variational import VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "ConditionalVariationalAutoencoder",
    "ContractiveAutoencoder",
    "ConvolutionalAutoencoder",
    "Corruption",
    "DenoisingAutoencoder",
    "ImportanceWeightedAutoencoder",
    "LinearAutoencoder",
    "Objective",
    "RecurrentAutoencoder",
    "SimpleAutoencoder",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "TiedDense",
    "TopKAutoencoder",
    "VariationalAutoencoder",
]
