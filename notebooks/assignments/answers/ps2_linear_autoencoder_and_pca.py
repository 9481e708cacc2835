# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"same_axes": True, "excess": 0}

# %% bet | alternative | single precision is a number too
bet = {"same_axes": np.bool_(False), "excess": np.float32(0.02)}

# %% bet | wrong | a share, not per cent: 0.1 instead
bet = {"excess": 10, "same_axes": False}

# %% bet | wrong | would mean no error at all
bet = {"excess": -1.5, "same_axes": False}

# %% bet | wrong | expected True or False without quotes
bet = {"excess": 0.1, "same_axes": "False"}

# %% pca | alternative
def pca_redrawn(x_train, x_new, k):
    centre = np.mean(x_train, axis=0)
    values, vectors = np.linalg.eigh(np.cov(x_train, rowvar=False))
    best = vectors[:, np.argsort(values)[::-1][:k]]
    code = (x_new - centre) @ best
    return code @ best.T + centre

# %% pca | alternative | the library's own
def pca_redrawn(x_train, x_new, k):
    return aelib.PCABaseline(k).fit(x_train).predict(x_new)

# %% pca | alternative | the library's own, in single precision
def pca_redrawn(x_train, x_new, k):
    return aelib.PCABaseline(k).fit(x_train.astype("float32")).predict(x_new.astype("float32"))

# %% pca | wrong | mean and axes must come from x_train
def pca_redrawn(x_train, x_new, k):
    mean = x_new.mean(axis=0)
    axes = np.linalg.svd(x_new - mean, full_matrices=False)[2][:k]
    return mean + (x_new - mean) @ axes.T @ axes

# %% pca | wrong | is the mean taken away and added back
def pca_redrawn(x_train, x_new, k):
    mean = x_train.mean(axis=0)
    axes = np.linalg.svd(x_train - mean, full_matrices=False)[2][:k]
    return (x_new - mean) @ axes.T @ axes

# %% pca | wrong | the mean of x_train was not taken away first
def pca_redrawn(x_train, x_new, k):
    axes = np.linalg.svd(x_train, full_matrices=False)[2][:k]
    return x_new @ axes.T @ axes

# %% pca | wrong | yours fill 3 dimensions
def pca_redrawn(x_train, x_new, k):
    mean = x_train.mean(axis=0)
    axes = np.linalg.svd(x_train - mean, full_matrices=False)[2][: k + 1]
    return mean + (x_new - mean) @ axes.T @ axes

# %% pca | wrong | expected shape (9, 6), that of x_new
def pca_redrawn(x_train, x_new, k):
    mean = x_train.mean(axis=0)
    axes = np.linalg.svd(x_train - mean, full_matrices=False)[2][:k]
    return mean + (x_train - mean) @ axes.T @ axes

# %% pca | wrong | the function changes its arguments
def pca_redrawn(x_train, x_new, k):
    mean = x_train.mean(axis=0)
    x_train -= mean
    axes = np.linalg.svd(x_train, full_matrices=False)[2][:k]
    return mean + (x_new - mean) @ axes.T @ axes

# %% pca | wrong | the function changes its arguments
def pca_redrawn(x_train, x_new, k):
    mean = x_train.mean(axis=0)
    axes = np.linalg.svd(x_train - mean, full_matrices=False)[2][:k]
    x_new -= mean
    return mean + x_new @ axes.T @ axes

# %% pca | inputs
def inputs(rng):
    n, p = int(rng.integers(20, 40)), int(rng.integers(3, 8))
    turn = np.linalg.qr(rng.normal(size=(p, p)))[0]
    train, new = (rng.normal(size=(m, p)) * 2.0 ** np.arange(p) @ turn + 3 for m in (n, int(rng.integers(1, 5))))
    yield train, new, int(rng.integers(1, p + 1))

# %% excess | alternative
def relative_excess(error, pca_error):
    return error / pca_error - 1

# %% excess | wrong | divide by PCA's error
def relative_excess(error, pca_error):
    return error - pca_error

# %% excess | wrong | not of the network's
def relative_excess(error, pca_error):
    return (error - pca_error) / error

# %% excess | wrong | equal errors must give 0
def relative_excess(error, pca_error):
    return error / pca_error

# %% excess | wrong | positive means worse than PCA
def relative_excess(error, pca_error):
    return (pca_error - error) / pca_error

# %% excess | inputs
def inputs(rng):
    yield tuple(rng.uniform(0.01, 50, 2).tolist())

# %% angle | alternative
def largest_angle(a, b):
    from scipy.linalg import subspace_angles

    return np.rad2deg(subspace_angles(a, b).max())

# %% angle | wrong | in radians
def largest_angle(a, b):
    cosines = np.linalg.svd(np.linalg.qr(a)[0].T @ np.linalg.qr(b)[0])[1]
    return np.arccos(np.clip(cosines.min(), 0, 1))

# %% angle | wrong | the largest belongs to the smallest cosine
def largest_angle(a, b):
    cosines = np.linalg.svd(np.linalg.qr(a)[0].T @ np.linalg.qr(b)[0])[1]
    return np.degrees(np.arccos(np.clip(cosines.max(), 0, 1)))

# %% angle | wrong | make the bases orthonormal first
def largest_angle(a, b):
    a, b = a / np.linalg.norm(a, axis=0), b / np.linalg.norm(b, axis=0)
    return np.degrees(np.arccos(np.clip(np.linalg.svd(a.T @ b)[1].min(), 0, 1)))

# %% angle | wrong | expected one angle
def largest_angle(a, b):
    cosines = np.linalg.svd(np.linalg.qr(a)[0].T @ np.linalg.qr(b)[0])[1]
    return np.degrees(np.arccos(np.clip(cosines, 0, 1)))

# %% angle | wrong | clip the cosines
def largest_angle(a, b):
    cosines = np.linalg.svd(np.linalg.qr(a)[0].T @ np.linalg.qr(b)[0])[1]
    return np.degrees(np.arccos(cosines.min()))

# %% angle | wrong | make the bases orthonormal first, both of them
def largest_angle(a, b):
    cosines = np.linalg.svd(a.T @ np.linalg.qr(b)[0])[1]
    return np.degrees(np.arccos(np.clip(cosines.min(), 0, 1)))

# %% angle | wrong | make the bases orthonormal first, both of them
def largest_angle(a, b):
    cosines = np.linalg.svd(np.linalg.qr(a)[0].T @ b)[1]
    return np.degrees(np.arccos(np.clip(cosines.min(), 0, 1)))

# %% angle | wrong | the function changes its arguments
def largest_angle(a, b):
    a[:], b[:] = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
    return np.degrees(np.arccos(np.clip(np.linalg.svd(a.T @ b)[1].min(), 0, 1)))

# %% angle | inputs
def inputs(rng):
    p, k = int(rng.integers(4, 9)), int(rng.integers(1, 4))
    yield tuple(rng.normal(size=(2, p, k)))

# %% mixed | alternative
def mixed(down, up, mix):
    return np.einsum("pk,kl->pl", down, mix), np.linalg.solve(mix, up)

# %% mixed | wrong | not do it again
def mixed(down, up, mix):
    return down @ mix, mix @ up

# %% mixed | wrong | the transpose undoes a rotation only
def mixed(down, up, mix):
    return down @ mix, mix.T @ up

# %% mixed | wrong | the code must change
def mixed(down, up, mix):
    return down, up

# %% mixed | wrong | the new code must be the old one times mix
def mixed(down, up, mix):
    return down @ np.linalg.inv(mix), mix @ up

# %% mixed | wrong | the function changes its arguments
def mixed(down, up, mix):
    up[:] = np.linalg.inv(mix) @ up
    return down @ mix, up

# %% mixed | inputs
def inputs(rng):
    p, k = int(rng.integers(4, 9)), int(rng.integers(1, 4))
    yield rng.normal(size=(p, k)), rng.normal(size=(k, p)), rng.normal(size=(k, k)) + 4 * np.eye(k)

# %% dressed | alternative
def pca_as_autoencoder(mean, axes):
    k, p = axes.shape
    model = aelib.LinearAutoencoder(k, input_shape=(p,))
    model.encoder.set_weights([axes.T, -(axes @ mean)])
    model.decoder.set_weights([axes, mean])
    return model

# %% dressed | wrong | the encoder's bias is missing
def pca_as_autoencoder(mean, axes):
    model = aelib.LinearAutoencoder(len(axes), input_shape=mean.shape)
    model.set_weights([axes.T, np.zeros(len(axes)), axes, mean])
    return model

# %% dressed | wrong | the decoder's bias is missing
def pca_as_autoencoder(mean, axes):
    model = aelib.LinearAutoencoder(len(axes), input_shape=mean.shape)
    model.set_weights([axes.T, -mean @ axes.T, axes, np.zeros(len(mean))])
    return model

# %% dressed | wrong | but the code is not
def pca_as_autoencoder(mean, axes):
    model = aelib.LinearAutoencoder(len(axes), input_shape=mean.shape)
    model.set_weights([axes.T, np.zeros(len(axes)), axes, mean - mean @ axes.T @ axes])
    return model

# %% dressed | wrong | the model does not redraw as PCA does
def pca_as_autoencoder(mean, axes):
    model = aelib.LinearAutoencoder(len(axes), input_shape=mean.shape)
    model.set_weights([axes.T, mean @ axes.T, axes, mean])
    return model

# %% dressed | wrong | expected an aelib.LinearAutoencoder
def pca_as_autoencoder(mean, axes):
    model = aelib.LinearAutoencoder(len(axes), input_shape=mean.shape)
    return model.set_weights([axes.T, -mean @ axes.T, axes, mean])

# %% dressed | wrong | the function changes its arguments
def pca_as_autoencoder(mean, axes):
    model = aelib.LinearAutoencoder(len(axes), input_shape=mean.shape)
    decoder_bias = mean.copy()
    mean *= -1
    model.set_weights([axes.T, mean @ axes.T, axes, decoder_bias])
    return model

# %% dressed | inputs
def inputs(rng):
    p, k = int(rng.integers(4, 9)), int(rng.integers(1, 4))
    yield rng.normal(size=p), np.linalg.qr(rng.normal(size=(p, k)))[0].T
