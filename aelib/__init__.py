"""Autoencoders as subclassed Keras models: the library of the course."""

from aelib import (
    anomaly,
    datasets,
    experiments,
    latent,
    likelihood,
    losses,
    manifold,
    models,
    plots,
    restoration,
    samples,
    training,
)
from aelib.alarm import Alarm
from aelib.anomaly import AnomalyDetector
from aelib.claims import bet, claim
from aelib.datasets import fetch_ecg5000, fetch_mnist, load_heartbeats, load_images
from aelib.digits import make_digits
from aelib.experiments import sweep
from aelib.heartbeats import make_heartbeats
from aelib.latent import interpolate, traverse
from aelib.likelihood import refined_posterior, tightening
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
    mutual_information_gap,
    principal_angles,
    probe_accuracy,
    psnr,
    trustworthiness,
)
from aelib.models import *  # noqa: F403, each model is exported in one place: aelib/models/__init__.py
from aelib.mountains import make_mountains
from aelib.samples import nearest_distance, precision_recall, two_sample_accuracy
from aelib.training import train

__all__ = [
    *models.__all__,
    "Alarm",
    "AnomalyDetector",
    "PCABaseline",
    "active_share",
    "anomaly",
    "bet",
    "claim",
    "continuity",
    "datasets",
    "dead_units",
    "excess_error",
    "experiments",
    "factor_recovery",
    "fetch_ecg5000",
    "fetch_mnist",
    "interpolate",
    "intrinsic_dimension",
    "knn_accuracy",
    "latent",
    "likelihood",
    "load_heartbeats",
    "load_images",
    "losses",
    "make_digits",
    "make_heartbeats",
    "make_mountains",
    "manifold",
    "mean_squared_error",
    "models",
    "mutual_information_gap",
    "nearest_distance",
    "plots",
    "precision_recall",
    "principal_angles",
    "probe_accuracy",
    "psnr",
    "refined_posterior",
    "restoration",
    "samples",
    "sweep",
    "tightening",
    "train",
    "training",
    "traverse",
    "trustworthiness",
    "two_sample_accuracy",
]
