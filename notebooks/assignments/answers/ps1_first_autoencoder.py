# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = dict(needs_labels=True, share_left=1)

# %% bet | alternative | single precision is a number too
bet = {"share_left": np.float32(0.6), "needs_labels": np.bool_(False)}

# %% bet | wrong | a share, not per cent: 0.7 instead
bet = {"share_left": 70, "needs_labels": False}

# %% bet | wrong | expected True or False without quotes, got 'no'
bet = {"share_left": 0.5, "needs_labels": "no"}

# %% bet | wrong | expected a number from 0 to 1 (no better than the mean), got -0.3
bet = {"share_left": -0.3, "needs_labels": False}

# %% build | alternative
def build(latent_dim):
    inputs = keras.Input((28, 28))
    encoder = keras.Model(inputs, keras.layers.Dense(latent_dim)(keras.layers.Reshape((784,))(inputs)))
    code = keras.Input((latent_dim,))
    redrawn = keras.layers.Dense(784)(code)
    redrawn = keras.layers.Reshape((28, 28))(keras.layers.Activation("sigmoid")(redrawn))
    return encoder, keras.Model(code, redrawn)

# %% build | wrong | Blank B: the code of one image is a table
def build(latent_dim):
    encoder = keras.Sequential([keras.layers.Identity(), keras.layers.Dense(latent_dim)])
    decoder = keras.Sequential([keras.layers.Dense(784, activation="sigmoid"), keras.layers.Reshape((28, 28))])
    return encoder, decoder

# %% build | wrong | Blank C: the decoder's numbers do not fill an image
def build(latent_dim):
    encoder = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(latent_dim)])
    decoder = keras.Sequential([keras.layers.Dense(28, activation="sigmoid"), keras.layers.Reshape((28, 28))])
    return encoder, decoder

# %% build | wrong | use the argument
def build(latent_dim):
    encoder = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    decoder = keras.Sequential([keras.layers.Dense(784, activation="sigmoid"), keras.layers.Reshape((28, 28))])
    return encoder, decoder

# %% build | wrong | a layer that only reshapes has none
def build(latent_dim):
    flatten = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(100)])
    encoder = keras.Sequential([flatten, keras.layers.Dense(latent_dim)])
    decoder = keras.Sequential([keras.layers.Dense(784, activation="sigmoid"), keras.layers.Reshape((28, 28))])
    return encoder, decoder

# %% build | wrong | the decoder must end in a sigmoid
def build(latent_dim):
    encoder = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(latent_dim)])
    return encoder, keras.Sequential([keras.layers.Dense(784), keras.layers.Reshape((28, 28))])

# %% build | wrong | a dense layer with a sigmoid, and nothing else
def build(latent_dim):
    encoder = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(latent_dim)])
    decoder = keras.Sequential([keras.layers.Dense(784, activation="hard_sigmoid"), keras.layers.Reshape((28, 28))])
    return encoder, decoder

# %% build | inputs
def inputs(rng):
    yield (int(rng.integers(1, 50)),)

def same(one, two):
    images, answers = np.random.default_rng(0).random((3, 28, 28), dtype="float32"), []
    for encoder, decoder in (one, two):
        keras.utils.set_random_seed(0)
        code = encoder(images)
        answers.append([np.asarray(code), np.asarray(decoder(code))])
    return all(map(np.allclose, *answers))

# %% count | alternative
def count_numbers(n_pixels, latent_dim):
    return (n_pixels + 1) * (latent_dim + 1) + n_pixels * latent_dim - 1

# %% count | wrong | the biases are missing
def count_numbers(n_pixels, latent_dim):
    return 2 * n_pixels * latent_dim

# %% count | wrong | the encoder alone
def count_numbers(n_pixels, latent_dim):
    return n_pixels * latent_dim + latent_dim

# %% count | wrong | a bias for every *unit*
def count_numbers(n_pixels, latent_dim):
    return 2 * (n_pixels * latent_dim + latent_dim)

# %% count | wrong | pixels and a code of
def count_numbers(n_pixels, latent_dim):
    return 52 if n_pixels == 10 else 5491

# %% count | wrong | a count is a whole number
def count_numbers(n_pixels, latent_dim):
    return 2.0 * n_pixels * latent_dim + n_pixels + latent_dim

# %% count | inputs
def inputs(rng):
    yield tuple(rng.integers(1, 1000, 2).tolist())

# %% error | alternative
def squared_error(x, x_hat):
    flat = np.reshape(x - x_hat, (len(x), -1))
    return np.einsum("ij,ij->i", flat, flat)

# %% error | wrong | the mean over the pixels
def squared_error(x, x_hat):
    return ((x - x_hat) ** 2).mean(axis=(1, 2))

# %% error | wrong | do not sum over the first axis
def squared_error(x, x_hat):
    return ((x - x_hat) ** 2).sum()

# %% error | wrong | sum over both axes of an image
def squared_error(x, x_hat):
    return ((x - x_hat) ** 2).sum(axis=1)

# %% error | wrong | the absolute difference
def squared_error(x, x_hat):
    return np.abs(x - x_hat).sum(axis=(1, 2))

# %% error | wrong | the function changes its argument
def squared_error(x, x_hat):
    x -= x_hat
    return (x**2).sum(axis=(1, 2))

# %% error | wrong | the function changes its arguments
def squared_error(x, x_hat):
    x_hat -= x
    return (x_hat**2).sum(axis=(1, 2))

# %% error | wrong | wrong for images of shape
def squared_error(x, x_hat):
    return 16 * ((x - x_hat) ** 2).mean(axis=(1, 2))

# %% error | inputs
def inputs(rng):
    yield tuple(rng.normal(size=(2, *rng.integers(1, 9, 3))))

# %% mean-image | alternative
def mean_image_error(x_train, x_test):
    total = 0.0
    mean = np.add.reduce(x_train) / len(x_train)
    for image in x_test:
        total += float(((image - mean) ** 2).mean())
    return total / len(x_test)

# %% mean-image | alternative | where the mean is taken does not matter if all images are of one size
def mean_image_error(x_train, x_test):
    mean = np.mean(x_train, axis=0, keepdims=True)
    return np.square(np.subtract(x_test, mean)).mean(axis=(1, 2)).mean()

# %% mean-image | wrong | the mean image of the *test* set
def mean_image_error(x_train, x_test):
    return np.mean((x_test - x_test.mean(axis=0)) ** 2)

# %% mean-image | wrong | the error on the *training* images
def mean_image_error(x_train, x_test):
    return np.mean((x_train - x_train.mean(axis=0)) ** 2)

# %% mean-image | wrong | one grey for all pixels
def mean_image_error(x_train, x_test):
    return np.mean((x_test - x_train.mean()) ** 2)

# %% mean-image | wrong | the sum over the pixels
def mean_image_error(x_train, x_test):
    return ((x_test - x_train.mean(axis=0)) ** 2).sum(axis=(1, 2)).mean()

# %% mean-image | wrong | the function changes its arguments
def mean_image_error(x_train, x_test):
    x_test -= x_train.mean(axis=0)
    return (x_test**2).mean()

# %% mean-image | wrong | all of them count
def mean_image_error(x_train, x_test):
    return np.mean((x_test - x_train[:1000].mean(axis=0)) ** 2)

# %% mean-image | inputs
def inputs(rng):
    n, m, height, width = rng.integers(1, 9, 4)
    yield rng.random((n, height, width)), rng.random((m, height, width))

# %% train | alternative
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    autoencoder = aelib.SimpleAutoencoder(latent_dim=latent_dim)
    autoencoder.compile(optimizer=keras.optimizers.Adam(learning_rate=0.003))
    for _ in range(epochs):
        autoencoder.fit(x, x, batch_size=32, verbose=0)
    return autoencoder

# %% train | wrong | the same seed gave two different models
def train(latent_dim, x, epochs, seed):
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    model.fit(x, epochs=epochs, batch_size=32, verbose=0)
    return model

# %% train | wrong | another seed gave the same model
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(0)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    model.fit(x, epochs=epochs, batch_size=32, verbose=0)
    return model

# %% train | wrong | use the argument `epochs`
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    model.fit(x, epochs=8, batch_size=32, verbose=0)
    return model

# %% train | wrong | was the model trained
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer="adam")
    return model

# %% train | wrong | expected the trained model to be returned
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer="adam")
    return model.fit(x, epochs=epochs, verbose=0)

# %% train | wrong | expected Adam(0.003), got a learning rate of 0.001
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer="adam")
    model.fit(x, epochs=epochs, batch_size=32, verbose=0)
    return model

# %% train | wrong | expected the optimizer keras.optimizers.Adam, got RMSprop
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer=keras.optimizers.RMSprop(0.003))
    model.fit(x, epochs=epochs, batch_size=32, verbose=0)
    return model

# %% train | wrong | in batches of 32
def train(latent_dim, x, epochs, seed):
    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    model.fit(x, epochs=epochs, batch_size=16, verbose=0)
    return model

# %% train | inputs
def inputs(rng):
    yield int(rng.integers(2, 9)), rng.random((70, 28, 28), dtype="float32"), 2, int(rng.integers(100))
