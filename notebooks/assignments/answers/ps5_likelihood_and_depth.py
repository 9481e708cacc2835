# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"sigma": 0.3, "deeper_wins": True}

# %% bet | alternative | single precision is a number too
bet = {"deeper_wins": np.bool_(True), "sigma": np.float32(0.2)}

# %% bet | wrong | residuals do not scatter by 30
bet = {"deeper_wins": True, "sigma": 30}

# %% bet | wrong | a standard deviation is above 0
bet = {"deeper_wins": True, "sigma": -0.1}

# %% bet | wrong | expected True or False without quotes
bet = {"deeper_wins": "True", "sigma": 0.1}

# %% gaussian | alternative
def log_likelihood(x, x_hat, sigma):
    from scipy.stats import norm

    return norm.logpdf(x, x_hat, sigma).reshape(len(x), -1).sum(axis=1)

# %% gaussian | wrong | the factor 1/2 is missing
def log_likelihood(x, x_hat, sigma):
    n_pixels = x[0].size
    squared = ((x - x_hat) ** 2).sum(axis=(1, 2))
    return -squared / sigma**2 - n_pixels / 2 * np.log(2 * np.pi * sigma**2)

# %% gaussian | wrong | the term that does not depend on the image is missing
def log_likelihood(x, x_hat, sigma):
    return -((x - x_hat) ** 2).sum(axis=(1, 2)) / (2 * sigma**2)

# %% gaussian | wrong | is a sign turned?
def log_likelihood(x, x_hat, sigma):
    squared = ((x - x_hat) ** 2).sum(axis=(1, 2))
    return squared / (2 * sigma**2) + x[0].size / 2 * np.log(2 * np.pi * sigma**2)

# %% gaussian | wrong | that is the mean over the pixels
def log_likelihood(x, x_hat, sigma):
    squared = ((x - x_hat) ** 2).mean(axis=(1, 2))
    return -squared / (2 * sigma**2) - np.log(2 * np.pi * sigma**2) / 2

# %% gaussian | wrong | expected one number per image
def log_likelihood(x, x_hat, sigma):
    squared = ((x - x_hat) ** 2).sum()
    return -squared / (2 * sigma**2) - x.size / 2 * np.log(2 * np.pi * sigma**2)

# %% gaussian | wrong | must be divided by sigma *squared* | 2 points
def log_likelihood(x, x_hat, sigma):
    squared = ((x - x_hat) ** 2).sum(axis=(1, 2))
    return -squared / (2 * sigma) - x[0].size / 2 * np.log(2 * np.pi * sigma**2)

# %% gaussian | wrong | sigma is not used where the squared error is weighed | 2 points
def log_likelihood(x, x_hat, sigma):
    squared = ((x - x_hat) ** 2).sum(axis=(1, 2))
    return -squared / 2 - x[0].size / 2 * np.log(2 * np.pi * sigma**2)

# %% gaussian | wrong | look at the term without the image | 2 points
def log_likelihood(x, x_hat, sigma):
    squared = ((x - x_hat) ** 2).sum(axis=(1, 2))
    return -squared / (2 * sigma**2) - x[0].size / 2 * np.log(2 * np.pi * sigma)

# %% gaussian | wrong | the function changes its arguments
def log_likelihood(x, x_hat, sigma):
    x -= x_hat
    squared = (x**2).sum(axis=(1, 2))
    return -squared / (2 * sigma**2) - x[0].size / 2 * np.log(2 * np.pi * sigma**2)

# %% gaussian | inputs
def inputs(rng):
    x, x_hat = rng.random((2, *rng.integers(1, 6, 3)))
    yield x, x_hat, float(rng.uniform(0.05, 3))

# %% sigma | alternative
def best_sigma(x, x_hat):
    residuals = np.ravel(x) - np.ravel(x_hat)
    return (residuals @ residuals / len(residuals)) ** 0.5

# %% sigma | wrong | that is the variance
def best_sigma(x, x_hat):
    return np.mean((x - x_hat) ** 2)

# %% sigma | wrong | do not subtract a mean
def best_sigma(x, x_hat):
    return np.std(x - x_hat)

# %% sigma | wrong | the mean over the pixels, not the sum
def best_sigma(x, x_hat):
    return np.sqrt(((x - x_hat) ** 2).sum(axis=(1, 2)).mean())

# %% sigma | wrong | expected one number
def best_sigma(x, x_hat):
    return np.sqrt(((x - x_hat) ** 2).mean(axis=0))

# %% sigma | wrong | expected about 0.50
def best_sigma(x, x_hat):
    return np.abs(x - x_hat).mean()

# %% sigma | wrong | the function changes its arguments
def best_sigma(x, x_hat):
    x -= x_hat
    return np.sqrt((x**2).mean())

# %% sigma | inputs
def inputs(rng):
    yield tuple(rng.random((2, *rng.integers(1, 6, 3))))

# %% floor | alternative
def entropy(x):
    result = np.zeros(len(x))
    for ink in (x, 1 - x):
        grey = np.where(ink == 0, 1, ink)  # which costs nothing either
        result -= (grey * np.log(grey)).sum(axis=(1, 2))
    return result

# %% floor | wrong | a pixel of 0 or 1 must count 0
def entropy(x):
    return -(x * np.log(x) + (1 - x) * np.log(1 - x)).sum(axis=(1, 2))

# %% floor | wrong | an image costs the sum
def entropy(x):
    from scipy.special import entr

    return (entr(x) + entr(1 - x)).mean(axis=(1, 2))

# %% floor | wrong | that is in bits
def entropy(x):
    from scipy.special import entr

    return (entr(x) + entr(1 - x)).sum(axis=(1, 2)) / np.log(2)

# %% floor | wrong | the paper, 1 - x, counts like the ink
def entropy(x):
    from scipy.special import entr

    return entr(x).sum(axis=(1, 2))

# %% floor | wrong | the sign is turned
def entropy(x):
    from scipy.special import entr

    return -(entr(x) + entr(1 - x)).sum(axis=(1, 2))

# %% floor | wrong | the function changes its arguments
def entropy(x):
    from scipy.special import entr

    x[x > 0.999] = 0
    return (entr(x) + entr(1 - x)).sum(axis=(1, 2))

# %% floor | inputs
def inputs(rng):
    x = rng.random(rng.integers(1, 6, 3))
    x[rng.random(x.shape) < 0.4] = rng.integers(0, 2)
    yield (x,)

# %% moved | alternative
def moved(x, pixels):
    width = x.shape[2]
    wide = np.pad(x, ((0, 0), (0, 0), (max(pixels, 0), max(-pixels, 0))))
    return wide[:, :, :width] if pixels >= 0 else wide[:, :, -width:]

# %% moved | wrong | what leaves on the right comes back
def moved(x, pixels):
    return np.roll(x, pixels, axis=2)

# %% moved | wrong | that is to the left
def moved(x, pixels):
    result = np.zeros_like(x)
    for column in range(x.shape[2]):
        if 0 <= column + pixels < x.shape[2]:
            result[:, :, column] = x[:, :, column + pixels]
    return result

# %% moved | wrong | that is downwards
def moved(x, pixels):
    result = np.roll(x, pixels, axis=1)
    if pixels > 0:
        result[:, :pixels] = 0
    elif pixels < 0:
        result[:, pixels:] = 0
    return result

# %% moved | wrong | two to the left
def moved(x, pixels):
    return np.pad(x, ((0, 0), (0, 0), (abs(pixels), 0)))[:, :, : x.shape[2]]

# %% moved | wrong | expected the shape of the images
def moved(x, pixels):
    return np.pad(x, ((0, 0), (0, 0), (max(pixels, 0), max(-pixels, 0))))

# %% moved | wrong | the function changes its arguments
def moved(x, pixels):
    x[:] = np.roll(x, pixels, axis=2)
    if pixels > 0:
        x[:, :, :pixels] = 0
    elif pixels < 0:
        x[:, :, pixels:] = 0
    return x

# %% moved | inputs
def inputs(rng):
    n, height, width = rng.integers(1, 7, 3)
    yield rng.random((n, height, width + 1)), int(rng.integers(-width, width + 1))

# %% width | alternative
def widest(budget, depth, code):
    square, linear, rest = 2 * (depth - 1), 2 * (784 + code + depth), code + 784 - budget
    if square == 0:
        return -rest // linear
    return int((-linear + np.sqrt(linear**2 - 4 * square * rest)) / (2 * square))

# %% width | wrong | with its biases: count those, too
def widest(budget, depth, code):
    def weights(width):
        sizes = [784, *[width] * depth, code, *[width] * depth, 784]
        return sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))

    return max(width for width in range(1000) if weights(width) <= budget)

# %% width | wrong | the decoder has hidden layers as well
def widest(budget, depth, code):
    def weights(width):
        sizes = [784, *[width] * depth, code]
        return sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))

    return max(width for width in range(1000) if weights(width) <= budget)

# %% width | wrong | `depth` is not used
def widest(budget, depth, code):
    def weights(width):
        sizes = [784, width, code, width, 784]
        return sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))

    return max(width for width in range(1000) if weights(width) <= budget)

# %% width | wrong | expected 152, got 151
def widest(budget, depth, code):
    def weights(width):
        sizes = [784, *[width] * depth, code, *[width] * depth, 784]
        return sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))

    return max(width for width in range(1000) if weights(width) < budget) - 1

# %% width | inputs
def inputs(rng):
    depth, code = int(rng.integers(1, 6)), int(rng.integers(1, 60))
    yield int(rng.integers(30_000, 400_000)), depth, code

# %% stop | alternative
def stop_early(validation_errors, test_errors):
    epoch, lowest = 1, validation_errors[0]
    for i in range(1, len(validation_errors)):
        if validation_errors[i] < lowest:
            epoch, lowest = i + 1, validation_errors[i]
    return epoch, test_errors[epoch - 1]

# %% stop | wrong | then it is no test any more
def stop_early(validation_errors, test_errors):
    best = int(np.argmin(test_errors))
    return best + 1, test_errors[best]

# %% stop | wrong | the first epoch is 1
def stop_early(validation_errors, test_errors):
    best = int(np.argmin(validation_errors))
    return best, test_errors[best]

# %% stop | wrong | Report the test error
def stop_early(validation_errors, test_errors):
    return int(np.argmin(validation_errors)) + 1, min(validation_errors)

# %% stop | wrong | expected (epoch, error)
def stop_early(validation_errors, test_errors):
    return test_errors[np.argmin(validation_errors)]

# %% stop | wrong | the function changes its arguments
def stop_early(validation_errors, test_errors):
    best = int(np.argmin(validation_errors))
    validation_errors.sort()
    return best + 1, test_errors[best]

# %% stop | inputs
def inputs(rng):
    n = int(rng.integers(1, 20))
    yield rng.permutation(n) * 0.1, rng.random(n)
