"""Autoencoders as subclassed Keras models: the library of the course."""

from aelib import anomaly, datasets, experiments, losses, manifold, models, plots, restoration, training
from aelib.anomaly import AnomalyDetector
from aelib.claims import claim
from aelib.datasets import fetch_mnist, load_images
from aelib.digits import make_digits
from aelib.experiments import sweep
from aelib.manifold import (
    PCABaseline,
    active_share,
    continuity,
    dead_units,
    excess_error,
    factor_recovery,
    intrinsic_dimension,
    knn_accuracy,
    mean_squared_error,
    principal_angles,
    probe_accuracy,
    psnr,
    trustworthiness,
    two_sample_accuracy,
)
from aelib.models import *  # noqa: F403, each model is exported in one place: aelib/models/__init__.py
from aelib.training import train

__all__ = [
    *models.__all__,
    "AnomalyDetector",
    "PCABaseline",
    "active_share",
    "anomaly",
    "claim",
    "continuity",
    "datasets",
    "dead_units",
    "excess_error",
    "experiments",
    "factor_recovery",
    "fetch_mnist",
    "intrinsic_dimension",
    "knn_accuracy",
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
    "restoration",
    "sweep",
    "train",
    "training",
    "trustworthiness",
    "two_sample_accuracy",
]
