"""Batches of arrays for TensorFlow, gathered by one thread, so that the others are left to the arithmetic.

Keras's own pipeline gathers each batch in parallel threads. On a laptop's few cores these compete with the matrix
products: a convolutional model trained on two cores waits for them half of its time.
"""

import keras
import numpy as np


def batches(arrays, batch_size, shuffle):
    """A ``tf.data.Dataset`` of batches. With ``shuffle`` each pass has an order of its own, the last batch is partial.

    The orders follow ``keras.utils.set_random_seed``, as those of Keras's own pipeline do.

    Args:
        arrays: a tuple ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)`` of arrays, or dictionaries of them, that all
            have the same length.
        batch_size: examples per batch.
        shuffle: whether to draw a new order for each pass.
    """
    import tensorflow as tf  # noqa: TID251 - on other backends it may not be there

    n = len(keras.tree.flatten(arrays)[0])
    seed = np.random.randint(2**31) if shuffle else 0  # noqa: NPY002 - the generator that set_random_seed sets
    with tf.device("CPU:0"):  # from where a GPU would get batch after batch
        arrays = keras.tree.map_structure(tf.convert_to_tensor, arrays)

    order = tf.data.Dataset.range(n)
    if shuffle:
        order = order.shuffle(n, seed=seed, reshuffle_each_iteration=True)
    dataset = order.batch(batch_size).map(lambda i: keras.tree.map_structure(lambda a: tf.gather(a, i), arrays))
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-n // batch_size)))
    if tf.config.list_physical_devices("GPU"):
        dataset = dataset.prefetch(2)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.with_options(options)
