"""Tied weights: a decoder layer that uses its encoder layer's matrix, transposed."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="aelib")
class TiedDense(keras.layers.Layer):
    """``activation(x @ kernel.T + bias)`` with the kernel of another ``Dense`` layer.

    Tying halves the number of weights. A linear encoder with tied weights must learn (nearly) orthonormal columns.

    Args:
        partner: the built ``Dense`` layer, from ``(batch, n)`` to ``(batch, units)``, whose kernel is shared.
        activation: as for ``Dense``.
        use_bias: whether to add a bias of its own, of shape ``(n,)``.
    """

    def __init__(self, partner, activation=None, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        if not partner.built:
            raise ValueError(f"partner: expected a built Dense layer, got {partner.name!r}, which has no kernel yet")
        self.partner = partner
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias

    def build(self, input_shape):
        """Create the bias; the kernel exists already."""
        self.bias = self.add_weight(shape=(self.partner.kernel.shape[0],), name="bias") if self.use_bias else None

    def call(self, x):
        """``(batch, units) -> (batch, n)``."""
        x = ops.matmul(x, ops.transpose(self.partner.kernel))
        return self.activation(x if self.bias is None else x + self.bias)

    def get_config(self):
        """Refused: a configuration of this layer alone cannot say whose kernel it shares."""
        raise NotImplementedError(
            f"{self.name}: a tied layer cannot be saved apart from its partner {self.partner.name!r}. "
            "LinearAutoencoder and StackedAutoencoder with tied=True can: they are rebuilt from their arguments"
        )
