# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"more_is_better": True, "gain": -1}

# %% bet | alternative | single precision is a number too
bet = {"more_is_better": np.bool_(True), "gain": np.float32(4.5)}

# %% bet | wrong | expected a number of decibels
bet = {"gain": "5 dB", "more_is_better": True}

# %% bet | wrong | would be a factor of 10,000 and more
bet = {"gain": 500, "more_is_better": True}

# %% bet | wrong | expected True or False without quotes
bet = {"gain": 3, "more_is_better": "yes"}

# %% noise | alternative
def add_noise(x, sigma, rng):
    noisy = np.array(x, dtype=float)
    for image in noisy:
        image += rng.normal(0, sigma, image.shape)
    return noisy

# %% noise | alternative | drawn in single precision
def add_noise(x, sigma, rng):
    return np.asarray(x, "float32") + np.float32(sigma) * rng.standard_normal(x.shape, dtype="float32")

# %% noise | alternative | noise is as likely to be negative
def add_noise(x, sigma, rng):
    return x - sigma * rng.normal(size=x.shape)

# %% noise | alternative | noise is as likely to be negative
def add_noise(x, sigma, rng):
    noisy = np.array(x, dtype=float)
    for image in noisy:
        image -= rng.normal(0, sigma, image.shape)
    return noisy

# %% noise | wrong | every image got the same noise
def add_noise(x, sigma, rng):
    return x + rng.normal(0, sigma, x.shape[1:])

# %% noise | wrong | do not start a new generator
def add_noise(x, sigma, rng):
    return x + np.random.default_rng(0).normal(0, sigma, x.shape)

# %% noise | wrong | the function changes its arguments, the images themselves
def add_noise(x, sigma, rng):
    x += rng.normal(0, sigma, x.shape)
    return x

# %% noise | wrong | sigma is not the variance
def add_noise(x, sigma, rng):
    return x + rng.normal(0, np.sqrt(sigma), x.shape)

# %% noise | wrong | no clipping
def add_noise(x, sigma, rng):
    return np.clip(x + rng.normal(0, sigma, x.shape), 0, 1)

# %% noise | wrong | the noise is not Gaussian
def add_noise(x, sigma, rng):
    return x + sigma * np.sqrt(3) * rng.uniform(-1, 1, x.shape)

# %% noise | wrong | a generator in the same state must give the same noise
def add_noise(x, sigma, rng):
    return x + np.random.normal(0, sigma, x.shape)

# %% noise | wrong | the noise of different images, or pixels, is related
def add_noise(x, sigma, rng):
    return x + rng.normal(0, sigma, (*x.shape[:2], 1))

# %% noise | inputs
def inputs(rng):
    yield rng.random(rng.integers(1, 9, 3)), float(rng.uniform(0, 2)), rng

# %% pair | alternative
def training_pair(x, noisy):
    pair = [noisy(x.copy()), np.array(x)]
    return tuple(pair)

# %% pair | wrong | there is noise on the target
def training_pair(x, noisy):
    return noisy(x), noisy(x)

# %% pair | wrong | the wrong way round
def training_pair(x, noisy):
    return x, noisy(x)

# %% pair | wrong | such a network may simply copy
def training_pair(x, noisy):
    return x, x

# %% pair | wrong | there is noise on the target
def training_pair(x, noisy):
    spoiled = noisy(x)
    return spoiled, spoiled

# %% pair | wrong | the function changes its arguments
def training_pair(x, noisy):
    clean = x.copy()
    x[:] = noisy(x)
    return x, clean

# %% pair | inputs
def inputs(rng):
    yield rng.random(rng.integers(1, 9, 3)), lambda images: 2 * images + 0.1

# %% decibels | alternative
def psnr(x, x_hat):
    flat = (x - x_hat).reshape(len(x), -1)
    rms = np.linalg.norm(flat, axis=1) / np.sqrt(flat.shape[1])
    return -20 * np.log10(rms).mean()

# %% decibels | wrong | take the logarithm image by image
def psnr(x, x_hat):
    return 10 * np.log10(1 / ((x - x_hat) ** 2).mean())

# %% decibels | wrong | use log10
def psnr(x, x_hat):
    return (10 * np.log(1 / ((x - x_hat) ** 2).mean(axis=(1, 2)))).mean()

# %% decibels | wrong | better images have more decibels
def psnr(x, x_hat):
    return (10 * np.log10(((x - x_hat) ** 2).mean(axis=(1, 2)))).mean()

# %% decibels | wrong | 10, not 20
def psnr(x, x_hat):
    return (20 * np.log10(1 / ((x - x_hat) ** 2).mean(axis=(1, 2)))).mean()

# %% decibels | wrong | the function changes its arguments
def psnr(x, x_hat):
    x_hat -= x
    return np.mean(10 * np.log10(1 / (x_hat**2).mean(axis=(1, 2))))

# %% decibels | inputs
def inputs(rng):
    yield tuple(rng.random((2, *rng.integers(1, 9, 3))))

# %% median | alternative
def median_filtered(x, size):
    return np.stack([ndimage.median_filter(image, size) for image in x])

# %% median | wrong | filter each image by itself
def median_filtered(x, size):
    return ndimage.median_filter(x, size)

# %% median | wrong | that is the mean of the square
def median_filtered(x, size):
    return ndimage.uniform_filter(x, (1, size, size))

# %% median | wrong | use the argument `size`
def median_filtered(x, size):
    return ndimage.median_filter(x, (1, 3, 3))

# %% median | wrong | the function changes its arguments
def median_filtered(x, size):
    for image in x:
        image[:] = ndimage.median_filter(image, size)
    return x

# %% median | inputs
def inputs(rng):
    yield rng.random(rng.integers(5, 12, 3)), int(rng.choice([1, 3, 5]))

# %% through | alternative
def noise_let_through(f, x, noise):
    moved = np.asarray(f(x + noise)) - np.asarray(f(x))
    return np.linalg.norm(moved) ** 2 / np.linalg.norm(noise) ** 2

# %% through | wrong | so it blames the model for its blur too
def noise_let_through(f, x, noise):
    return np.sum((f(x + noise) - x) ** 2) / np.sum(noise**2)

# %% through | wrong | energies are squared
def noise_let_through(f, x, noise):
    return np.linalg.norm(f(x + noise) - f(x)) / np.linalg.norm(noise)

# %% through | wrong | upside down
def noise_let_through(f, x, noise):
    return np.sum(noise**2) / np.sum((f(x + noise) - f(x)) ** 2)

# %% through | wrong | sum before you divide
def noise_let_through(f, x, noise):
    moved = ((f(x + noise) - f(x)) ** 2).reshape(len(x), -1).sum(axis=1)
    return (moved / (noise**2).reshape(len(x), -1).sum(axis=1)).mean()

# %% through | wrong | the function changes its arguments
def noise_let_through(f, x, noise):
    clean = f(x)
    x += noise
    return np.sum((f(x) - clean) ** 2) / np.sum(noise**2)

# %% through | inputs
def inputs(rng):
    images, noise = rng.normal(size=(2, *rng.integers(1, 9, 3)))
    yield lambda images: np.tanh(images) + 1, images, noise

# %% choose | alternative
def chosen_dimension(dims, validation_error, test_error, tolerance):
    pairs = sorted(zip(dims, validation_error, strict=True))
    limit = min(error for _, error in pairs) * (1 + tolerance)
    for dim, error in pairs:
        if error <= limit:
            return dim

# %% choose | wrong | chosen on the test error
def chosen_dimension(dims, validation_error, test_error, tolerance):
    best = min(test_error)
    return min(d for d, e in zip(dims, test_error) if e <= (1 + tolerance) * best)

# %% choose | wrong | the smallest size within the tolerance is asked for
def chosen_dimension(dims, validation_error, test_error, tolerance):
    return dims[int(np.argmin(validation_error))]

# %% choose | wrong | 5 per cent of the best error
def chosen_dimension(dims, validation_error, test_error, tolerance):
    best = min(validation_error)
    return min(d for d, e in zip(dims, validation_error) if e <= best + tolerance)

# %% choose | inputs
def inputs(rng):
    n = int(rng.integers(1, 9))
    errors = rng.uniform(0.01, 0.02, (2, n)).tolist()
    yield rng.permutation(100)[:n].tolist(), *errors, float(rng.uniform(0, 0.5))
