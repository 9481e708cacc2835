"""Randomness that a saved file remembers, so that training continues with the numbers that would have come next."""

import keras


class SeededRandomness:
    """Mixin for layers and models: a seeded generator whose state is saved and loaded with the weights.

    Keras saves a layer's weights, but not the state of its ``SeedGenerator``.
    """

    def seed_with(self, seed):
        """Create ``self.seed_generator``; call it in ``__init__``."""
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def save_own_variables(self, store):
        """Called by Keras when it saves."""
        super().save_own_variables(store)
        store["seed_state"] = keras.ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        """Called by Keras when it loads."""
        self.seed_generator.state.assign(store["seed_state"])
        super().load_own_variables({key: store[key] for key in store.keys() if key != "seed_state"})  # noqa: SIM118
