"""`train` is compile, restart and fit, and nothing else."""

import keras
import numpy as np
import pytest

import aelib


def first_kernel(model):
    return keras.ops.convert_to_numpy(model.encoder.layers[-1].kernel)


def test_training_is_what_compile_restart_and_fit_do(images):
    trained = aelib.train(aelib.SimpleAutoencoder(3), images[:128], seed=5, epochs=2, batch_size=32, learning_rate=0.01)
    by_hand = aelib.SimpleAutoencoder(3)
    by_hand.compile(keras.optimizers.Adam(0.01))
    by_hand.restart(5).fit(images[:128], epochs=2, batch_size=32, verbose=0)
    np.testing.assert_array_equal(trained.predict(images[:8]), by_hand.predict(images[:8]))
    assert trained.history.history == by_hand.history.history


def test_the_seed_decides_and_what_was_learned_before_does_not(images):
    model = aelib.SimpleAutoencoder(3)
    kernels = [first_kernel(aelib.train(model, images[:64], seed=seed, epochs=1)) for seed in (1, 2, 1)]
    np.testing.assert_array_equal(kernels[0], kernels[2])
    assert not np.array_equal(kernels[0], kernels[1])


@pytest.mark.parametrize("rate", [0.01, keras.optimizers.schedules.CosineDecay(0.01, 10)], ids=["number", "schedule"])
def test_the_graph_is_kept_for_the_same_learning_rate_and_made_again_for_another(images, rate):
    model = aelib.train(aelib.SimpleAutoencoder(3), images[:64], epochs=1, learning_rate=rate)
    optimizer = model.optimizer
    for seed in (1, 2):  # Keras once wrote into what the second comparison reads
        assert aelib.train(model, images[:64], seed=seed, epochs=1, learning_rate=rate).optimizer is optimizer
    other = aelib.train(model, images[:64], epochs=1, learning_rate=0.5).optimizer
    assert other is not optimizer and float(other.learning_rate) == pytest.approx(0.5)


def test_a_model_that_was_compiled_with_that_adam_keeps_its_metrics(images):
    model = aelib.SimpleAutoencoder(3)
    model.compile(keras.optimizers.Adam(0.002), metrics=["mae"])
    assert "mae" in aelib.train(model, images[:64], epochs=1).history.history


def test_it_says_nothing_unless_asked(images, capsys):
    model = aelib.train(aelib.SimpleAutoencoder(3), images[:64], epochs=1)
    assert capsys.readouterr().out == ""
    aelib.train(model, images[:64], epochs=1, verbose=2)
    assert "loss" in capsys.readouterr().out


def test_another_target_and_arguments_of_fit_are_handed_on(images):
    blank = np.zeros_like(images[:64])
    model = aelib.train(aelib.SimpleAutoencoder(3), images[:64], blank, epochs=60, validation_data=(images[:64], blank))
    assert model.predict(images[:64]).mean() < 0.5 * images[:64].mean()
    assert "val_loss" in model.history.history
