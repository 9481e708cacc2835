"""Does depth pay when there is time? Autoencoders with 30 code numbers, at equal weights and equal seconds.

    python benchmarks/depth.py [seconds of training, 60] [seed, 0] [forms, all]

All training images, batches of 128; the learning rate falls to zero along a cosine over the given seconds, compilation
included. Errors are summed over the 784 pixels and averaged over the test images, as in Hinton & Salakhutdinov (2006),
who give 3.00 for 784-1000-500-250-30-250-500-1000-784 and 13.87 for PCA.
"""

import math
import sys
import time

import keras

import aelib

FORMS = {  # hidden units of the encoder and of the decoder; 834,000 to 839,000 weights each
    "1 and 1": ((512,), (512,)),
    "2 and 2": ((416, 208), (208, 416)),
    "3 and 3": ((400, 200, 100), (100, 200, 400)),
    "0 and 2": ((), (352, 704)),
}


def main(seconds=60.0, seed=0, forms=tuple(FORMS), latent_dim=30, batch_size=128, learning_rate=2e-3):
    """Train each form, print a line for it."""
    data = aelib.load_images()
    pca = aelib.PCABaseline(latent_dim).fit(data.x_train)
    print(f"{data.description}; {seconds:.0f} s of training, seed {seed}")
    print(f"PCA: test error {784 * aelib.mean_squared_error(data.x_test, pca.predict(data.x_test)):.2f}", flush=True)
    for form in forms:
        keras.utils.set_random_seed(seed)
        model = aelib.StackedAutoencoder(latent_dim, *FORMS[form])
        model.compile(keras.optimizers.Adam(learning_rate), jit_compile=True)
        started, epochs = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - started) < seconds:
            model.optimizer.learning_rate = learning_rate * 0.5 * (1 + math.cos(math.pi * elapsed / seconds))
            logs = model.fit(data.x_train, batch_size=batch_size, verbose=0).history
            epochs += 1
        error = 784 * aelib.mean_squared_error(data.x_test, model.predict(data.x_test))
        train = f"last epoch's training error {784 * logs['mse'][0]:.2f}"
        print(f"{form}: {model.count_params():,} weights, {epochs} epochs, test error {error:.2f}, {train}", flush=True)


if __name__ == "__main__":
    main(
        *(float(argument) for argument in sys.argv[1:2]),
        *(int(argument) for argument in sys.argv[2:3]),
        *([sys.argv[3:]] if sys.argv[3:] else []),
    )
