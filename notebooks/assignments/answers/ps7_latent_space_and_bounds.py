# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"axis": 1, "nats": 0}

# %% bet | alternative | single precision is a number too
bet = {"nats": np.float32(4.5), "axis": np.float32(0.5)}

# %% bet | wrong | the bound cannot get worse
bet = {"nats": -3, "axis": 0.5}

# %% bet | wrong | a correlation without its sign
bet = {"nats": 3, "axis": -0.5}

# %% bet | wrong | nats: expected a number, got 'three'
bet = {"nats": "three", "axis": 0.5}

# %% arc | alternative
def arc(a, b, t):
    unit_a, unit_b = a / np.sqrt(np.sum(a**2)), b / np.sqrt(np.sum(b**2))
    omega = np.arctan2(np.linalg.norm(unit_b - np.sum(unit_a * unit_b) * unit_a), np.sum(unit_a * unit_b))
    return np.array(
        [np.sin((1 - share) * omega) / np.sin(omega) * a + np.sin(share * omega) / np.sin(omega) * b for share in t]
    )

# %% arc | wrong | that is the straight walk
def arc(a, b, t):
    return (1 - t)[:, None] * a + t[:, None] * b

# %% arc | wrong | the codes keep their lengths
def arc(a, b, t):
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    omega = np.arccos(a @ b)
    return (np.sin((1 - t) * omega)[:, None] * a + np.sin(t * omega)[:, None] * b) / np.sin(omega)

# %% arc | wrong | t = 0 is at a
def arc(a, b, t):
    omega = np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return (np.sin(t * omega)[:, None] * a + np.sin((1 - t) * omega)[:, None] * b) / np.sin(omega)

# %% arc | wrong | is the angle in radians?
def arc(a, b, t):
    omega = np.degrees(np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
    return (np.sin((1 - t) * omega)[:, None] * a + np.sin(t * omega)[:, None] * b) / np.sin(omega)

# %% arc | wrong | the walk goes from a to b
def arc(a, b, t):
    omega = np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return np.sin((1 - t) * omega)[:, None] * a + np.sin(t * omega)[:, None] * b / 2

# %% arc | wrong | the function changes its arguments
def arc(a, b, t):
    omega = np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    t *= omega
    return (np.sin(omega - t)[:, None] * a + np.sin(t)[:, None] * b) / np.sin(omega)

# %% arc | inputs
def inputs(rng):
    size, m = rng.integers(2, 8, 2)
    a, b = rng.normal(size=(2, size))
    yield a + 2 * np.eye(size)[0], b + 2 * np.eye(size)[1], rng.random(m)

# %% attribute | alternative
def attribute_vector(z, has):
    share = np.mean(has)
    weights = np.where(has, 1 / share, -1 / (1 - share)) / len(z)
    return weights @ z

# %% attribute | wrong | from those that lack it to those that have it
def attribute_vector(z, has):
    return z[~has].mean(axis=0) - z[has].mean(axis=0)

# %% attribute | wrong | not of all
def attribute_vector(z, has):
    return z[has].mean(axis=0) - z.mean(axis=0)

# %% attribute | wrong | means, not sums
def attribute_vector(z, has):
    return z[has].sum(axis=0) - z[~has].sum(axis=0)

# %% attribute | wrong | one number for each of the code
def attribute_vector(z, has):
    return z[has].mean() - z[~has].mean()

# %% attribute | wrong | the function changes its arguments
def attribute_vector(z, has):
    z -= z[~has].mean(axis=0)
    return z[has].mean(axis=0)

# %% attribute | inputs
def inputs(rng):
    n, size = int(rng.integers(2, 9)), int(rng.integers(1, 9))
    has = rng.random(n) < 0.5
    has[:2] = True, False
    yield rng.normal(size=(n, size)), has

# %% axis | alternative
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    def correlation(z, factor):
        z, factor = z - z.mean(axis=0), factor - factor.mean()
        return np.abs(factor @ z) / np.sqrt((z**2).sum(axis=0) * (factor**2).sum())

    index = correlation(z_choose, factor_choose).argmax()
    return index, correlation(z_judge, factor_judge)[index]

# %% axis | wrong | chosen on the data that shall judge
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    strength = [abs(np.corrcoef(column, factor_judge)[0, 1]) for column in z_judge.T]
    return int(np.argmax(strength)), max(strength)

# %% axis | wrong | compare absolute values
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    index = int(np.argmax([np.corrcoef(column, factor_choose)[0, 1] for column in z_choose.T]))
    return index, abs(np.corrcoef(z_judge[:, index], factor_judge)[0, 1])

# %% axis | wrong | not a covariance | 2 points
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    index = int(np.argmax([abs(np.cov(column, factor_choose)[0, 1]) for column in z_choose.T]))
    return index, abs(np.corrcoef(z_judge[:, index], factor_judge)[0, 1])

# %% axis | wrong | judge on the others | 2 points
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    strength = [abs(np.corrcoef(column, factor_choose)[0, 1]) for column in z_choose.T]
    return int(np.argmax(strength)), max(strength)

# %% axis | wrong | the number was chosen before | 2 points
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    strength = [abs(np.corrcoef(column, factor_choose)[0, 1]) for column in z_choose.T]
    return int(np.argmax(strength)), max(abs(np.corrcoef(column, factor_judge)[0, 1]) for column in z_judge.T)

# %% axis | wrong | without its sign | 2 points
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    strength = [abs(np.corrcoef(column, factor_choose)[0, 1]) for column in z_choose.T]
    index = int(np.argmax(strength))
    return index, np.corrcoef(z_judge[:, index], factor_judge)[0, 1]

# %% axis | wrong | the function changes its arguments
def honest_axis(z_choose, factor_choose, z_judge, factor_judge):
    z_choose -= z_choose.mean(axis=0) - 1
    strength = [abs(np.corrcoef(column, factor_choose)[0, 1]) for column in z_choose.T]
    index = int(np.argmax(strength))
    return index, abs(np.corrcoef(z_judge[:, index], factor_judge)[0, 1])

# %% axis | inputs
def inputs(rng):
    size = int(rng.integers(1, 9))
    factor, other = rng.normal(size=30), rng.normal(size=25)
    shapes = rng.normal(size=(2, size))
    yield (
        rng.normal(size=(30, size)) + np.outer(factor, shapes[0]), factor,
        rng.normal(size=(25, size)) + np.outer(other, shapes[1]), other,
    )

# %% lme | alternative
def log_mean_exp(log_w):
    from scipy.special import logsumexp

    return logsumexp(log_w, axis=1) - np.log(log_w.shape[1])

# %% lme | wrong | exp(-1000) become 0 | 2 points
def log_mean_exp(log_w):
    return np.log(np.mean(np.exp(log_w), axis=1))

# %% lme | wrong | the smallest may be far below it | 2 points
def log_mean_exp(log_w):
    smallest = log_w.min(axis=1)
    return smallest + np.log(np.mean(np.exp(log_w - smallest[:, None]), axis=1))

# %% lme | wrong | exp(-1000) become 0: subtract | 2 points
def log_mean_exp(log_w):
    return log_w.max() + np.log(np.mean(np.exp(log_w - log_w.max()), axis=1))

# %% lme | wrong | that is the logarithm of the sum
def log_mean_exp(log_w):
    from scipy.special import logsumexp

    return logsumexp(log_w, axis=1)

# %% lme | wrong | that is the mean of the logarithms
def log_mean_exp(log_w):
    return log_w.mean(axis=1)

# %% lme | wrong | the logarithm is missing
def log_mean_exp(log_w):
    return np.exp(log_w).mean(axis=1)

# %% lme | wrong | one number per image
def log_mean_exp(log_w):
    from scipy.special import logsumexp

    return logsumexp(log_w) - np.log(log_w.size)

# %% lme | wrong | the function changes its arguments
def log_mean_exp(log_w):
    largest = log_w.max(axis=1)
    log_w -= largest[:, None] - 1
    return largest + np.log(np.mean(np.exp(log_w - 1), axis=1))

# %% lme | inputs
def inputs(rng):
    yield (rng.normal(size=rng.integers(1, 9, 2)) * 5 + rng.choice([-2000, 0, 2000], (1, 1)),)

# %% bounds | alternative
def two_bounds(log_w):
    n, k = log_w.shape
    elbo = weighted = 0.0
    for row in log_w:
        elbo += sum(row) / k / n
        weighted += np.log(sum(np.exp(row)) / k) / n
    return elbo, weighted

# %% bounds | wrong | the ELBO is the lower of the two
def two_bounds(log_w):
    return np.log(np.exp(log_w).mean(axis=1)).mean(), log_w.mean()

# %% bounds | wrong | the weights of different images must not be mixed
def two_bounds(log_w):
    return log_w.mean(), np.log(np.exp(log_w).mean())

# %% bounds | wrong | each averaged over the images
def two_bounds(log_w):
    return log_w.mean(axis=1), np.log(np.exp(log_w).mean(axis=1))

# %% bounds | wrong | L_K: expected
def two_bounds(log_w):
    return log_w.mean(), np.log(np.exp(log_w).sum(axis=1)).mean()

# %% bounds | wrong | the function changes its arguments
def two_bounds(log_w):
    elbo = log_w.mean()
    np.exp(log_w, out=log_w)
    return elbo, np.log(log_w.mean(axis=1)).mean()

# %% bounds | inputs
def inputs(rng):
    yield (rng.normal(size=rng.integers(1, 9, 2)) * 2 - 1,)

# %% die | alternative
def mixture(log_p, log_q, share):
    larger = np.maximum(log_p, log_q)
    return larger + np.log(share * np.exp(log_p - larger) + (1 - share) * np.exp(log_q - larger))

# %% die | wrong | that is the mean of the logarithms
def mixture(log_p, log_q, share):
    return share * log_p + (1 - share) * log_q

# %% die | wrong | the share is the other way round
def mixture(log_p, log_q, share):
    return np.logaddexp(np.log(1 - share) + log_p, np.log(share) + log_q)

# %% die | wrong | the share is not used
def mixture(log_p, log_q, share):
    return np.logaddexp(log_p, log_q)

# %% die | wrong | stay with logarithms
def mixture(log_p, log_q, share):
    return np.log(share * np.exp(log_p) + (1 - share) * np.exp(log_q))

# %% die | wrong | share 0.3: expected
def mixture(log_p, log_q, share):
    return np.logaddexp(np.log(share) + log_p, log_q)

# %% die | wrong | the function changes its arguments
def mixture(log_p, log_q, share):
    log_p += np.log(share)
    return np.logaddexp(log_p, np.log(1 - share) + log_q)

# %% die | inputs
def inputs(rng):
    yield *(rng.normal(size=(2, rng.integers(1, 9))) * 4 - rng.choice([0, 900])), float(rng.uniform(0.01, 0.99))
