"""Keras's own test harness, as a peer's suite: its checks of saving and serialization, on our models and layers."""

import pytest
from keras.src import testing
from test_contract import MODELS

import aelib


@pytest.fixture
def harness():
    case = testing.TestCase()
    case.setUp()
    yield case
    case.doCleanups()


@pytest.mark.parametrize("name", MODELS)
def test_models_pass_kerass_checks_of_serialization(harness, name):
    """The configuration survives `from_config` and JSON, and the revived object has the same attributes."""
    cls, arguments, *_ = MODELS[name]
    revived = harness.run_class_serialization_test(cls(**arguments()))
    assert type(revived) is cls


@pytest.mark.parametrize(
    ("kind", "noise"), [("gaussian", 0.3), ("masking", 0.5), ("salt_and_pepper", 0.1), ("masking", 0.0)]
)
def test_corruption_passes_kerass_checks_of_a_layer(harness, kind, noise):
    """Shapes, dtypes, mixed precision, a training step, a saved and a loaded model, symbolic and eager."""
    harness.run_layer_test(
        aelib.Corruption,
        init_kwargs={"kind": kind, "noise": noise},
        input_shape=(4, 5, 3),
        call_kwargs={"training": True},
        expected_output_shape=(4, 5, 3),
        expected_num_trainable_weights=0,
        expected_num_seed_generators=1,
        expected_num_losses=0,
        run_training_check=False,  # it has nothing to train
    )
