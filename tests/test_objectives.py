"""Facts about the objectives and architectures, against closed forms, Monte Carlo and scipy."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import multivariate_normal

import aelib
from aelib.models.variational import kl_divergence


def linear_gaussian_vae(perturb=0.0, turn=0.0, n_features=6, sigma=0.5, **kwargs):
    """A VAE with linear parts (Tipping & Bishop, 1999), and the exact log p(x).

    The encoder gives the best Gaussian with independent numbers, its means off by `perturb`. Where the code is not
    turned (by an angle), that is the exact posterior.
    """
    rng = np.random.default_rng(0)
    w = np.linalg.qr(rng.normal(size=(n_features, 2)))[0].T * [[1.5], [0.8]]  # orthogonal rows
    w = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ w
    mu = rng.normal(size=n_features)
    precision = np.eye(2) + w @ w.T / sigma**2  # of the posterior
    to_mean = np.linalg.solve(precision, w / sigma**2).T
    kernel = np.hstack([to_mean + perturb, np.zeros_like(to_mean)])
    bias = np.concatenate([-mu @ to_mean, -np.log(np.diag(precision))])
    encoder = keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(4)])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(n_features)])
    encoder.set_weights([kernel, bias])
    decoder.set_weights([w, mu])
    cls = kwargs.pop("cls", aelib.VariationalAutoencoder)
    vae = cls(encoder=encoder, decoder=decoder, likelihood="gaussian", sigma=sigma, **kwargs)
    return vae, multivariate_normal(mu, w.T @ w + sigma**2 * np.eye(n_features)), precision


def test_the_closed_form_kl_equals_its_monte_carlo_estimate(rng):
    mean, log_var = rng.normal(size=(2, 3, 4))
    z = mean + np.exp(0.5 * log_var) * rng.normal(size=(200_000, 3, 4))
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var)
    estimate = (log_q + 0.5 * z**2).sum(axis=-1).mean(axis=0)
    np.testing.assert_allclose(ops.convert_to_numpy(kl_divergence(mean, log_var)), estimate, rtol=0.02)


def test_with_the_exact_posterior_the_elbo_is_the_exact_log_likelihood():
    vae, exact, _ = linear_gaussian_vae()
    x = exact.rvs(50, random_state=1).astype("float32")
    np.testing.assert_allclose(vae.elbo(x, n_samples=400).mean(), exact.logpdf(x).mean(), atol=0.05)
    np.testing.assert_allclose(vae.log_likelihood(x, n_samples=10), exact.logpdf(x), atol=1e-3)


def test_elbo_then_importance_weighted_bound_then_exact_log_likelihood():
    vae, exact, _ = linear_gaussian_vae(perturb=0.4)
    x = exact.rvs(200, random_state=1).astype("float32")
    elbo, few, many = vae.elbo(x, 200).mean(), vae.log_likelihood(x, 5).mean(), vae.log_likelihood(x, 500).mean()
    assert elbo + 0.05 < few < many < exact.logpdf(x).mean() + 0.02


def test_bounds_for_several_numbers_of_draws_rise_to_the_exact_log_likelihood():
    vae, exact, _ = linear_gaussian_vae(perturb=0.05)
    x = exact.rvs(200, random_state=1).astype("float32")
    curve = aelib.tightening(vae, x, (1, 10, 100, 5000))
    assert list(curve.index) == [1, 10, 100, 5000] and curve.bound.is_monotonic_increasing
    exactly = exact.logpdf(x)
    assert curve.bound[1] < exactly.mean() - 0.3 and curve.bound[5000] == pytest.approx(exactly.mean(), abs=0.02)
    assert curve.standard_error[5000] == pytest.approx(exactly.std(ddof=1) / np.sqrt(200), rel=0.05)
    assert curve.bound[1] == pytest.approx(vae.elbo(x, 1000).mean(), abs=0.02)


def test_many_draws_of_few_images_and_few_of_many_give_the_same_kind_of_bound():
    """Whatever is decoded together: 3 x 3,000 codes, or 3,000 x 3."""
    vae, exact, _ = linear_gaussian_vae()
    x = exact.rvs(3000, random_state=1).astype("float32")
    np.testing.assert_allclose(vae.log_likelihood(x[:3], 3000), exact.logpdf(x[:3]), atol=1e-3)
    several = vae.log_likelihood(x, (3, 1))
    assert several.shape == (2, 3000)
    np.testing.assert_allclose(several, [exact.logpdf(x)] * 2, atol=1e-3)


def test_the_gap_below_log_p_is_taken_apart_as_the_closed_form_says():
    """Of a turned code the best q with independent numbers loses 0.5 (sum log diag - log det) of the precision."""
    vae, exact, precision = linear_gaussian_vae(perturb=0.4, turn=0.6)
    x = exact.rvs(100, random_state=1).astype("float32")
    before = [weight.copy() for weight in vae.get_weights()]
    best = aelib.refined_posterior(vae, x, n_steps=300)
    gap = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    assert gap > 0.1
    refined = exact.logpdf(x) - vae.elbo(x, 3000, best)
    assert refined.mean() == pytest.approx(gap, abs=0.03)
    assert (exact.logpdf(x) - vae.elbo(x, 300)).mean() > gap + 0.3  # amortised badly
    np.testing.assert_allclose(best[1], np.tile(-np.log(np.diag(precision)), (100, 1)), atol=0.15)
    assert all(np.array_equal(a, b) for a, b in zip(before, vae.get_weights(), strict=True))


def test_the_posterior_of_a_conditional_vae_can_be_refined_too():
    offsets = np.array([[2.0, -1, 0], [-2, 0, 1]])
    blind, exact = linear_conditional(0 * offsets, offsets)  # its encoder does not take the offsets away
    x = {"x": exact[1].rvs(40, random_state=1).astype("float32"), "label": np.ones(40, int)}
    best = aelib.refined_posterior(blind, x, n_steps=300, learning_rate=0.1)
    assert blind.elbo(x, 50).mean() < blind.elbo(x, 50, best).mean() - 1
    assert blind.elbo(x, 500, best).mean() == pytest.approx(exact[1].logpdf(x["x"]).mean(), abs=0.1)


def test_the_importance_weighted_loss_is_minus_the_bound():
    perfect, exact, _ = linear_gaussian_vae(cls=aelib.ImportanceWeightedAutoencoder, n_draws=3)
    x = exact.rvs(4000, random_state=1).astype("float32")
    for vae, tolerance in ((perfect, 1e-3), (linear_gaussian_vae(0.1, cls=type(perfect), n_draws=3)[0], 0.1)):
        vae.compile()
        logs = vae.evaluate(x, verbose=0, return_dict=True)
        bound = vae.log_likelihood(x, (3, 300))[0].mean()
        assert logs["loss"] == pytest.approx(-bound, abs=tolerance)
        assert logs["loss"] == pytest.approx(logs["reconstruction"] + logs["kl"], rel=1e-5)
    assert -logs["loss"] > vae.elbo(x, 100).mean() + 0.2  # tighter than the ELBO where q is not exact


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vae, x: vae.log_likelihood(x, 0), "n_samples: expected an integer of at least 1, got 0"),
        (lambda vae, x: aelib.tightening(vae, x, (1, 2.5)), "n_samples: expected an integer of at least 1"),
        (lambda vae, x: vae.elbo(x, 1, vae.posterior(x[:2])), "posterior: expected a mean and a log variance for each"),
        (lambda vae, x: vae.elbo(x, 1, [x, x]), r"posterior: expected shape \(n, 2\), got \(5, 6\)"),
        (lambda vae, x: aelib.refined_posterior(vae, x, n_steps=0), "n_steps: expected an integer of at least 1"),
        (lambda vae, x: aelib.refined_posterior(vae, x, n_draws=0), "n_draws: expected an integer of at least 1"),
        (lambda vae, x: aelib.tightening(aelib.SimpleAutoencoder(2), x), "model: expected a VariationalAutoencoder"),
        (lambda vae, x: aelib.ImportanceWeightedAutoencoder(2, n_draws=0), "n_draws: expected an integer"),
        (lambda vae, x: aelib.ImportanceWeightedAutoencoder(2, beta=4), "beta: expected 1, as the importance-weighted"),
    ],
)
def test_bounds_refuse_what_they_cannot_use(call, message):
    vae, exact, _ = linear_gaussian_vae()
    with pytest.raises(ValueError, match=message):
        call(vae, exact.rvs(5, random_state=1).astype("float32"))


def test_a_vae_with_beta_0_and_no_noise_is_the_plain_autoencoder(images):
    vae = aelib.VariationalAutoencoder(4, beta=0.0, likelihood="gaussian", sigma=np.sqrt(0.5))
    kernel, bias = vae.encoder.layers[-1].get_weights()
    kernel[:, 4:], bias[4:] = 0, -60
    vae.encoder.layers[-1].set_weights([kernel, bias])
    vae.compile()
    x_hat = vae.predict(images[:64])
    constant = 784 * 0.5 * np.log(np.pi)  # of the Gaussian with variance one half
    loss = vae.evaluate(images[:64], verbose=0, return_dict=True)["loss"]
    assert loss - constant == pytest.approx(784 * aelib.mean_squared_error(images[:64], x_hat), rel=1e-3)


def linear_conditional(marks, offsets, sigma=0.5):
    """p(x|z, label) = N(z W + offset[label], sigma^2), its posterior if the marks fit, and the exact p(x|label)."""
    w = np.array([[1.5, 0, 0], [0, 0.8, 0]])
    precision = np.sum(w**2, axis=1) + sigma**2
    encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    decoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])  # two numbers of z, two classes
    log_var = np.log(sigma**2 / precision)
    encoder.set_weights([np.hstack([w.T / precision, np.zeros((3, 2))]), np.r_[0, 0, log_var]])
    decoder.set_weights([np.vstack([w, offsets]), np.zeros(3)])
    parts = {"encoder": encoder, "decoder": decoder}
    vae = aelib.ConditionalVariationalAutoencoder(n_classes=2, likelihood="gaussian", sigma=sigma, **parts)
    vae.marks.assign(marks)
    return vae, [multivariate_normal(offset, w.T @ w + sigma**2 * np.eye(3)) for offset in offsets]


def test_a_conditional_vae_bounds_the_log_likelihood_given_the_label():
    """Its marks can take the classes' offsets away; then the bound is exact, and only then."""
    offsets = np.array([[2.0, -1, 0], [-2, 0, 1]])
    vae, exact = linear_conditional(-offsets, offsets)
    for label in (0, 1):
        x = exact[label].rvs(40, random_state=label).astype("float32")
        given = {"x": x, "label": np.full(40, label)}
        np.testing.assert_allclose(vae.log_likelihood(given, n_samples=10), exact[label].logpdf(x), atol=1e-3)
        wrong = {"x": x, "label": np.full(40, 1 - label)}
        assert vae.log_likelihood(wrong, n_samples=50).mean() < exact[label].logpdf(x).mean() - 5
    blind, _ = linear_conditional(0 * offsets, offsets)
    assert blind.elbo(given, 50).mean() < vae.elbo(given, 50).mean() - 1


def test_a_conditional_vae_learns_its_marks_and_draws_what_is_ordered(images):
    label = (images.mean(axis=(1, 2)) > np.median(images.mean(axis=(1, 2)))).astype(int)  # much ink or little
    vae = aelib.ConditionalVariationalAutoencoder(2, n_classes=2)
    vae.compile(keras.optimizers.Adam(0.005))
    vae.fit({"x": images, "label": label}, epochs=8, batch_size=64, verbose=0)
    assert np.abs(keras.ops.convert_to_numpy(vae.marks)).max() > 0.01
    assert vae.sample(200, label=1).mean() > 1.1 * vae.sample(200, label=0).mean()
    z = np.zeros((2, 2), "float32")
    np.testing.assert_array_equal(vae.with_label(z, np.array([0, 1])), [[0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vae, x: vae.fit(x), r"x: expected a dictionary with 'x' and 'label', got ndarray"),
        (lambda vae, x: vae.encode(x), r"x: expected a dictionary with 'x' and 'label', got ndarray"),
        (lambda vae, x: vae.fit({"x": x}), r"x: expected a dictionary with 'x' and 'label', got one with \['x'\]"),
        (lambda vae, x: vae.fit({"x": x, "label": [0] * 9}), "label: expected 8 integers, got shape"),
        (lambda vae, x: vae.fit({"x": x, "label": [0.5] * 8}), "label: expected 8 integers, got shape .* float64"),
        (lambda vae, x: vae.elbo({"x": x, "label": [10] * 8}), "label: expected 0 to 9, because n_classes is 10"),
        (lambda vae, x: vae.sample(5, label=-1), "label: expected 0 to 9"),
        (lambda vae, x: vae.sample(5, label=[1, 2]), r"label: expected 5 integers, got shape \(2,\)"),
    ],
)
def test_a_conditional_vae_refuses_input_without_proper_labels(call, message, images):
    vae = aelib.ConditionalVariationalAutoencoder(2)
    vae.compile()
    with pytest.raises(ValueError, match=message):
        call(vae, images[:8])


def test_encoding_and_predicting_are_deterministic_and_sampling_is_not(images):
    vae = aelib.VariationalAutoencoder(4)
    np.testing.assert_array_equal(vae.encode(images[:5]), vae.encode(images[:5]))
    np.testing.assert_array_equal(vae.predict(images[:5]), vae.predict(images[:5]))
    first, second = vae.sample(5), vae.sample(5)
    assert first.shape == (5, 28, 28) and not np.array_equal(first, second)


def test_the_learned_sigma_approaches_the_root_mean_squared_error(images):
    vae = aelib.VariationalAutoencoder(4, likelihood="gaussian", sigma=None)
    vae.compile(keras.optimizers.Adam(0.01))
    vae.fit(images, epochs=15, batch_size=64, verbose=0)
    logged = vae.evaluate(images, verbose=0, return_dict=True)
    assert float(np.exp(ops.convert_to_numpy(vae.log_sigma))) == pytest.approx(np.sqrt(logged["mse"]), rel=0.1)


def test_the_contractive_penalty_of_a_linear_encoder_is_its_squared_frobenius_norm(rng):
    encoder = keras.Sequential([keras.Input((12,)), keras.layers.Dense(5)])
    decoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(12)])
    model = aelib.ContractiveAutoencoder(encoder=encoder, decoder=decoder, n_directions=4)
    x = ops.convert_to_tensor(rng.random((2000, 12), dtype="float32"))
    estimate = ops.convert_to_numpy(model.squared_jacobian(x, model.encode(x))).mean()
    assert estimate == pytest.approx(np.sum(encoder.get_weights()[0] ** 2), rel=0.05)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.7, 1.0])
def test_masking_noise_at_rate_r_zeroes_a_share_r_of_the_pixels(rate):
    noisy = ops.convert_to_numpy(aelib.Corruption("masking", rate)(np.full((200, 784), 0.5, "float32"), training=True))
    assert np.mean(noisy == 0) == pytest.approx(rate, abs=0.01)
    assert set(np.unique(noisy)) <= {np.float32(0), np.float32(0.5)}  # what is kept is not rescaled


def test_salt_and_pepper_comes_in_equal_parts_and_gaussian_noise_with_its_standard_deviation():
    grey = np.full((200, 784), 0.5, "float32")
    noisy = ops.convert_to_numpy(aelib.Corruption("salt_and_pepper", 0.4)(grey, training=True))
    assert np.mean(noisy == 0) == pytest.approx(0.2, abs=0.01) == np.mean(noisy == 1).round(2)
    noisy = ops.convert_to_numpy(aelib.Corruption("gaussian", 0.3)(grey, training=True))
    assert noisy.std() == pytest.approx(0.3, rel=0.01) and noisy.mean() == pytest.approx(0.5, abs=0.01)


def test_noise_is_fresh_every_step_and_absent_after_training(images):
    model = aelib.DenoisingAutoencoder(4, noise=0.5)
    x = ops.convert_to_tensor(images[:4])
    first, second = (ops.convert_to_numpy(model.corrupt(x, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(ops.convert_to_numpy(model.corrupt(x)), images[:4])
    np.testing.assert_array_equal(model.predict(images[:4]), model.predict(images[:4]))


def test_the_target_is_the_clean_input(rng):
    """With all pixels masked the best answer is the clean image, here always the same one; it is not black."""
    x = np.repeat(rng.random((1, 28, 28), dtype="float32") * 0.8 + 0.1, 64, axis=0)
    model = aelib.DenoisingAutoencoder(2, corruption="masking", noise=1.0)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(x, epochs=60, verbose=0)
    error_of_black = aelib.mean_squared_error(x, 0 * x)
    assert aelib.mean_squared_error(x, model.decode(model.encode(0 * x))) < 0.1 * error_of_black


def test_sparsity_is_zero_at_the_target_and_the_mean_l1_norm_without_one():
    kl, l1 = aelib.SparseAutoencoder(4, target=0.1), aelib.SparseAutoencoder(4)
    z = np.tile(np.array([[0.05], [0.15]], "float32"), (1, 4))
    assert float(kl.sparsity(z)) == pytest.approx(0, abs=1e-5) and float(kl.sparsity(z * 3)) > 0.1
    assert float(l1.sparsity(-z)) == pytest.approx(0.4)


def test_a_heavier_sparsity_penalty_gives_a_sparser_code(images):
    norms = []
    for weight in (0.0, 5.0):
        keras.utils.set_random_seed(0)
        model = aelib.SparseAutoencoder(16, weight=weight)
        model.compile()
        model.fit(images, epochs=5, batch_size=64, verbose=0)
        norms.append(np.abs(model.encode(images)).sum(axis=1).mean())
    assert norms[1] < 0.5 * norms[0]


def wide_parts(latent_dim=12, n_features=8):
    encoder = keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(latent_dim)])
    decoder = keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(n_features)])
    return {"encoder": encoder, "decoder": decoder}


@pytest.mark.parametrize("k", [1, 3, 12])
def test_a_top_k_code_is_numpys_with_all_but_the_k_largest_set_to_zero(k, rng):
    model = aelib.TopKAutoencoder(k=k, **wide_parts())
    x = rng.normal(size=(50, 8)).astype("float32")
    dense = ops.convert_to_numpy(model.encoder(x))
    expected = np.where(np.argsort(np.argsort(-dense)) < k, dense, 0)
    np.testing.assert_allclose(model.encode(x), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict(x), ops.convert_to_numpy(model.decoder(expected)), atol=1e-5)


def test_of_equal_numbers_a_top_k_code_keeps_no_more_than_k():
    z = ops.convert_to_numpy(aelib.TopKAutoencoder(6, k=2).largest(np.ones((3, 6), "float32")))
    assert ((z == 1).sum(axis=1) == 2).all() and ((z == 0).sum(axis=1) == 4).all()


def test_only_the_kept_units_of_a_top_k_code_are_trained(rng):
    model = aelib.TopKAutoencoder(k=2, **wide_parts())
    x = rng.normal(size=(1, 8)).astype("float32")
    kept, before = model.encode(x)[0] != 0, model.encoder.get_weights()[0]
    model.compile(keras.optimizers.SGD(0.1))
    model.fit(x, verbose=0)
    moved = (model.encoder.get_weights()[0] != before).any(axis=0)
    np.testing.assert_array_equal(moved, kept)


def test_a_unit_norm_decoder_has_a_vector_of_length_one_for_each_code_unit_before_and_after_training(images, tmp_path):
    parts = aelib.ConvolutionalAutoencoder(4, filters=(4,))
    convolutional = {"encoder": parts.encoder, "decoder": parts.decoder}
    for arguments in ({"latent_dim": 12}, convolutional):
        model = aelib.SparseAutoencoder(unit_norm=True, **arguments)
        model.compile(keras.optimizers.Adam(0.01))
        for _ in range(2):
            kernel = next(layer for layer in model.decoder.layers if layer.weights).get_weights()[0]
            np.testing.assert_allclose(np.linalg.norm(kernel, axis=1), 1, atol=1e-5)
            model.fit(images[:64], verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.fit(images[:64], verbose=0)  # what was loaded is still constrained
    kernel = again.decoder.layers[0].get_weights()[0]
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=1), 1, atol=1e-5)


def test_a_penalty_on_the_code_can_be_dodged_by_a_large_decoder_unless_its_vectors_have_length_one(rng):
    """Code times a tenth, decoder times ten: the same reconstruction, a tenth of the penalty."""
    x = rng.normal(size=(20, 8)).astype("float32")
    free, kept = (aelib.SparseAutoencoder(unit_norm=unit_norm, **wide_parts()) for unit_norm in (False, True))
    for model in (free, kept):
        model.compile(keras.optimizers.SGD(0.0))
        before, penalty = model.predict(x), float(model.sparsity(model.encode(x)))
        (down, shift), (up, bias) = model.encoder.get_weights(), model.decoder.get_weights()
        model.encoder.set_weights([down / 10, shift / 10])
        model.decoder.set_weights([up * 10, bias])
        np.testing.assert_allclose(model.predict(x), before, atol=1e-4)
        assert float(model.sparsity(model.encode(x))) == pytest.approx(penalty / 10, rel=1e-4)
        model.fit(x, verbose=0)  # a step of no length, after which the constraint holds
        same = np.allclose(model.predict(x), before, atol=1e-4)
        assert same == (model is free)


SHAPES = {"image": (28, 28), "colour": (32, 32, 3), "odd": (7, 5), "odd, colour": (10, 13, 3), "one pixel": (1, 1)}
SHAPES |= {"signal": (140,), "odd signal": (33,), "signal of two channels": (50, 2)}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
def test_a_convolutional_autoencoder_takes_images_and_signals_of_any_size(name, upsampling, rng):
    shape, rank = SHAPES[name], 1 if "signal" in name else 2
    arguments = {"filters": (4, 8, 4), "input_shape": shape, "upsampling": upsampling}
    model = aelib.ConvolutionalAutoencoder(5, rank=rank if shape[1:] else None, **arguments)
    x = rng.random((3, *shape), dtype="float32")
    assert model.encode(x).shape == (3, 5) and model.predict(x).shape == x.shape
    kernels = [layer.kernel.shape for layer in model.encoder.layers[1:4]]
    assert all(len(kernel) == rank + 2 for kernel in kernels) and model.rank == rank
    again = type(model).from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_what_a_convolutional_decoder_cuts_off_is_what_is_too_much_at_the_end():
    model = aelib.ConvolutionalAutoencoder(3, filters=(4, 4), input_shape=(6,))
    cropping = [layer for layer in model.decoder.layers if layer.__class__.__name__.startswith("Cropping")]
    assert [tuple(layer.cropping) for layer in cropping] == [(0, 2)]  # 6 -> 3 -> 2 -> 4 -> 8
    assert not [
        layer
        for layer in aelib.ConvolutionalAutoencoder(3, filters=(4, 4), input_shape=(8,)).decoder.layers
        if layer.__class__.__name__.startswith("Cropping")
    ]


def test_a_recurrent_autoencoder_takes_sequences_of_several_lengths(rng):
    for shape in ((140, 1), (28, 28), (10, 3)):
        x = rng.random((3, *shape), dtype="float32")
        model = aelib.RecurrentAutoencoder(5, input_shape=shape, units=8)
        assert model.encode(x).shape == (3, 5) and model.predict(x).shape == x.shape


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_padding_changes_neither_code_nor_error_nor_gradient(cell, rng):
    """The oracle: a model of the same weights for sequences that are that short."""
    x = rng.normal(size=(4, 6, 2)).astype("float32")
    padded = np.concatenate([x, np.full((4, 3, 2), -9, "float32")], axis=1)
    short = aelib.RecurrentAutoencoder(3, (6, 2), cell, units=5)
    long = aelib.RecurrentAutoencoder(3, (9, 2), cell, units=5, mask_value=-9.0)
    long.set_weights(short.get_weights())
    for model, data in ((short, x), (long, padded)):
        model.compile("sgd")
        model.fit(data, batch_size=4, epochs=3, verbose=0)
    np.testing.assert_allclose(long.encode(padded), short.encode(x), atol=1e-5)
    np.testing.assert_allclose(long.predict(padded)[:, :6], short.predict(x), atol=1e-5)
    assert (long.predict(padded)[:, 6:] == -9).all()
    losses = [model.evaluate(data, verbose=0, return_dict=True) for model, data in ((short, x), (long, padded))]
    assert losses[0]["loss"] == pytest.approx(losses[1]["loss"], rel=1e-4)
    assert losses[0]["mse"] == pytest.approx(losses[1]["mse"] * 9 / 6, rel=1e-4)


def test_a_padded_model_is_saved_and_goes_on_with_the_same_bits(rng, tmp_path):
    x = rng.normal(size=(8, 6, 2)).astype("float32")
    x[:4, 4:] = 0
    model = aelib.RecurrentAutoencoder(3, (6, 2), "gru", units=4, mask_value=0.0)
    model.compile("adam")
    model.fit(x, batch_size=4, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    for copy in (model, again):
        copy.fit(x, batch_size=4, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_array_equal(again.encode(x), model.encode(x))


def test_a_mask_in_the_middle_or_over_some_features_alone(rng):
    x = rng.normal(size=(2, 5, 2)).astype("float32")
    model = aelib.RecurrentAutoencoder(3, (5, 2), units=4, mask_value=0.0)
    hole, half = x.copy(), x.copy()
    hole[:, 2], half[:, 2, 0] = 0, 0
    assert (model.predict(hole)[:, 2] == 0).all() and (model.predict(hole)[:, 3] != 0).all()
    assert (model.predict(half)[:, 2] != 0).all()  # one feature of the step is real


def tied_objective():
    parts = aelib.LinearAutoencoder(4, tied=True)
    return aelib.SparseAutoencoder(encoder=parts.encoder, decoder=parts.decoder, unit_norm=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: aelib.ConvolutionalAutoencoder(4, input_shape=(0, 30)),
            "input_shape: expected an integer of at least",
        ),
        (lambda: aelib.ConvolutionalAutoencoder(4, input_shape=(3, 3, 3, 3)), r"\(height, width\) .* rank=2"),
        (lambda: aelib.ConvolutionalAutoencoder(4, input_shape=(3, 3, 3), rank=1), r"\(time,\) .* rank=1"),
        (lambda: aelib.ConvolutionalAutoencoder(4, rank=3), "input_shape: expected .* with rank=3"),
        (lambda: aelib.ConvolutionalAutoencoder(4, upsampling="bilinear"), "upsampling: expected 'transposed' or"),
        (lambda: aelib.RecurrentAutoencoder(4, cell="rnn"), r"cell: expected one of \['gru', 'lstm'\], got 'rnn'"),
        (lambda: aelib.RecurrentAutoencoder(4, input_shape=(5,)), r"input_shape: expected \(time, features\)"),
        (
            lambda: aelib.RecurrentAutoencoder(4, input_shape=(0, 1)),
            "input_shape: expected an integer of at least 1, got 0",
        ),
        (
            lambda: aelib.RecurrentAutoencoder(4, mask_value=float("nan")),
            "mask_value: expected None or a finite number",
        ),
        (
            lambda: aelib.RecurrentAutoencoder(4, (3, 1), units=2, mask_value=0.0).encode([[[1]] * 3, [[0]] * 3]),
            "x: expected at least one step other than mask_value=0.0 in every .*, got none in 1 of 2, .* number 1",
        ),
        (
            lambda: aelib.RecurrentAutoencoder(4, (3, 1), units=2, mask_value=0.0).predict(np.full((2, 3, 1), np.nan)),
            "x: expected finite numbers, got 6 NaN",
        ),
        (
            lambda: aelib.RecurrentAutoencoder(4, (3, 1), units=2).predict(np.zeros((2, 0, 1))),
            r"x: expected shape \(n, 3, 1\), got \(2, 0, 1\)",
        ),
        (lambda: aelib.DenoisingAutoencoder(4, noise=-1), "noise: expected a number >= 0, got -1"),
        (lambda: aelib.DenoisingAutoencoder(4, "masking", 1.5), r"noise: expected a number in \[0, 1\], got 1.5"),
        (lambda: aelib.DenoisingAutoencoder(4, "blur"), "corruption: expected one of .* got 'blur'"),
        (lambda: aelib.SparseAutoencoder(4, target=1.0), r"target: expected None or a number in \(0, 1\), got 1.0"),
        (lambda: aelib.TopKAutoencoder(4, k=0), "k: expected an integer of at least 1, got 0"),
        (lambda: aelib.TopKAutoencoder(4, k=2.0), "k: expected an integer of at least 1, got 2.0"),
        (lambda: aelib.TopKAutoencoder(4, k=True), "k: expected an integer of at least 1, got True"),
        (lambda: aelib.TopKAutoencoder(4, k=5), "k: expected at most 4, the numbers of the code, got 5"),
        (lambda: aelib.TopKAutoencoder(k=13, **wide_parts()), "k: expected at most 12, the numbers of the code"),
        (lambda: tied_objective(), "unit_norm: expected a decoder whose first layer with weights is a built Dense"),
        (lambda: aelib.ContractiveAutoencoder(4, n_directions=0), "n_directions: expected an integer of at least 1"),
        (lambda: aelib.VariationalAutoencoder(4, likelihood="poisson"), "likelihood: expected 'bernoulli' or"),
        (lambda: aelib.VariationalAutoencoder(4, sigma=0), "sigma: expected None or a number above 0, got 0"),
        (lambda: aelib.VariationalAutoencoder(4, beta=-1), "beta: expected a number of at least 0, got -1"),
        (lambda: aelib.DenoisingAutoencoder(), "latent_dim: expected either latent_dim alone or both encoder and"),
        (lambda: aelib.VariationalAutoencoder(0), "latent_dim: expected an integer of at least 1, got 0"),
    ],
)
def test_a_bad_argument_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
