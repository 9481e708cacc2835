# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"beats_pca": True, "auroc": 1}

# %% bet | alternative | single precision is a number too
bet = {"beats_pca": np.bool_(True), "auroc": np.float32(0.9)}

# %% bet | wrong | a share, not per cent: 0.95 instead
bet = {"auroc": 95, "beats_pca": True}

# %% bet | wrong | expected a number from 0 to 1
bet = {"auroc": -0.5, "beats_pca": True}

# %% bet | wrong | expected True or False without quotes
bet = {"auroc": 0.9, "beats_pca": 1}

# %% kl | alternative
def kl_divergence(mean, log_var):
    prices = np.zeros(len(mean))
    for i in range(mean.shape[1]):
        sigma = np.exp(log_var[:, i] / 2)
        prices += (mean[:, i] ** 2 + sigma**2) / 2 - np.log(sigma) - 0.5
    return prices

# %% kl | wrong | that is the mean over the numbers of the code
def kl_divergence(mean, log_var):
    return 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).mean(axis=1)

# %% kl | wrong | one price for the whole batch
def kl_divergence(mean, log_var):
    return 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()

# %% kl | wrong | is already sigma squared
def kl_divergence(mean, log_var):
    return 0.5 * (mean**2 + np.exp(log_var) ** 2 - 2 * log_var - 1).sum(axis=1)

# %% kl | wrong | the sign is turned
def kl_divergence(mean, log_var):
    return 0.5 * (1 + log_var - mean**2 - np.exp(log_var)).sum(axis=1)

# %% kl | wrong | the factor 1/2 is missing
def kl_divergence(mean, log_var):
    return (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1)

# %% kl | wrong | the function changes its arguments
def kl_divergence(mean, log_var):
    mean **= 2
    return 0.5 * (mean + np.exp(log_var) - log_var - 1).sum(axis=1)

# %% kl | inputs
def inputs(rng):
    yield tuple(rng.normal(size=(2, *rng.integers(1, 9, 2))))

# %% draw | alternative
def random_code(mean, log_var, noise):
    sigma = np.sqrt(np.exp(log_var))
    return np.add(mean, np.multiply(sigma, noise))

# %% draw | wrong | noise must be multiplied by the standard deviation
def random_code(mean, log_var, noise):
    return mean + np.exp(log_var) * noise

# %% draw | wrong | log_var must be exponentiated
def random_code(mean, log_var, noise):
    return mean + log_var * noise

# %% draw | wrong | nothing is random
def random_code(mean, log_var, noise):
    return mean

# %% draw | wrong | the noise must be scaled
def random_code(mean, log_var, noise):
    return mean + noise

# %% draw | wrong | draw nothing yourself
def random_code(mean, log_var, noise):
    return mean + np.exp(log_var / 2) * np.random.normal(size=mean.shape)

# %% draw | wrong | the code is not the mean plus
def random_code(mean, log_var, noise):
    return mean + np.maximum(np.exp(log_var / 2), 1) * noise

# %% draw | wrong | the codes are not the mean plus sigma times the noise
def random_code(mean, log_var, noise):
    return mean - np.exp(log_var / 2) * noise

# %% draw | wrong | the function changes its arguments
def random_code(mean, log_var, noise):
    noise *= np.exp(log_var / 2)
    return mean + noise

# %% draw | inputs
def inputs(rng):
    yield tuple(rng.normal(size=(3, *rng.integers(1, 9, 2))))

# %% active | alternative
def active_units(mean):
    count = 0
    for column in np.transpose(mean):
        count += np.mean((column - np.mean(column)) ** 2) > 1e-2
    return count

# %% active | alternative | with so many images it does not matter by how many one divides
def active_units(mean):
    return np.count_nonzero(np.var(mean, axis=0, ddof=1) > 0.01)

# %% active | wrong | that takes the standard deviation
def active_units(mean):
    return (mean.std(axis=0) > 0.01).sum()

# %% active | wrong | variance, not mean square
def active_units(mean):
    return ((mean**2).mean(axis=0) > 0.01).sum()

# %% active | wrong | the variance goes along axis 0
def active_units(mean):
    return (mean.var(axis=1) > 0.01).sum()

# %% active | wrong | some with a variance just below or above 0.01
def active_units(mean):
    return (mean.var(axis=0) > 0.02).sum()

# %% active | wrong | the function changes its arguments
def active_units(mean):
    mean -= mean.mean(axis=0)
    return ((mean**2).mean(axis=0) > 0.01).sum()

# %% active | inputs
def inputs(rng):
    n, k = rng.integers(1, 9, 2)
    yield (rng.normal(size=(n, k)) * rng.uniform(0, 0.3, k) + rng.normal(size=k),)

# %% normal | alternative
def normal_split(x, labels, digit):
    rows = np.flatnonzero(labels == digit)
    fit, validation = np.split(rows, [len(rows) * 4 // 5])
    return x[fit], x[validation]

# %% normal | wrong | neither part may hold an anomaly
def normal_split(x, labels, digit):
    n_fit = int(0.8 * len(x))
    return x[:n_fit], x[n_fit:]

# %% normal | wrong | an image is in both parts
def normal_split(x, labels, digit):
    normal = x[labels == digit]
    return normal[: int(0.8 * len(normal))], normal

# %% normal | wrong | neither part may hold an anomaly
def normal_split(x, labels, digit):
    return x[labels == digit], x[labels != digit]

# %% normal | wrong | expected 8 images to fit on, got 2
def normal_split(x, labels, digit):
    normal = x[labels == digit]
    n_fit = int(0.2 * len(normal))
    return normal[:n_fit], normal[n_fit:]

# %% normal | wrong | rounded down
def normal_split(x, labels, digit):
    normal = x[labels == digit]
    n_fit = int(np.ceil(0.8 * len(normal)))
    return normal[:n_fit], normal[n_fit:]

# %% normal | wrong | rounded down
def normal_split(x, labels, digit):
    normal = x[labels == digit]
    n_fit = round(0.8 * len(normal))
    return normal[:n_fit], normal[n_fit:]

# %% normal | wrong | keep the given order
def normal_split(x, labels, digit):
    normal = x[labels == digit][::-1]
    n_fit = int(0.8 * len(normal))
    return normal[:n_fit], normal[n_fit:]

# %% normal | inputs
def inputs(rng):
    n = int(rng.integers(1, 60))
    yield rng.random((n, 2, 3)), rng.integers(0, 4, n), int(rng.integers(0, 4))

# %% threshold | alternative
def threshold(validation_scores, test_scores, false_alarms):
    ordered = np.sort(validation_scores)
    allowed = int(round(false_alarms * len(ordered)))
    return ordered[len(ordered) - 1 - allowed]

# %% threshold | wrong | the threshold changes with the test set
def threshold(validation_scores, test_scores, false_alarms):
    return np.quantile(test_scores, 1 - false_alarms)

# %% threshold | wrong | cut at the high end, odd images have high scores
def threshold(validation_scores, test_scores, false_alarms):
    return np.quantile(validation_scores, false_alarms)

# %% threshold | wrong | false alarms, new normal images give
def threshold(validation_scores, test_scores, false_alarms):
    return np.mean(validation_scores) + np.std(validation_scores)

# %% threshold | wrong | false alarms, new normal images give 0%
def threshold(validation_scores, test_scores, false_alarms):
    return np.max(validation_scores)

# %% threshold | wrong | the function changes its arguments
def threshold(validation_scores, test_scores, false_alarms):
    validation_scores.sort()
    return validation_scores[int((1 - false_alarms) * len(validation_scores))]

# %% threshold | inputs
def inputs(rng):
    yield rng.random(2000), rng.random(500), float(rng.uniform(0.01, 0.5))

def same(one, two):  # "about a share": scores are shares here
    return abs(one - two) < 0.003

# %% auroc | alternative
def auroc(normal_scores, anomaly_scores):
    from sklearn.metrics import roc_auc_score

    truth = [0] * len(normal_scores) + [1] * len(anomaly_scores)
    return roc_auc_score(truth, np.concatenate([normal_scores, anomaly_scores]))

# %% auroc | wrong | anomalies have the *high* scores
def auroc(normal_scores, anomaly_scores):
    difference = np.asarray(normal_scores)[:, None] - np.asarray(anomaly_scores)[None]
    return np.mean((difference > 0) + 0.5 * (difference == 0))

# %% auroc | wrong | a tie counts one half, not nothing
def auroc(normal_scores, anomaly_scores):
    return np.mean(np.asarray(anomaly_scores)[:, None] > np.asarray(normal_scores)[None])

# %% auroc | wrong | a tie counts one half, not one
def auroc(normal_scores, anomaly_scores):
    return np.mean(np.asarray(anomaly_scores)[:, None] >= np.asarray(normal_scores)[None])

# %% auroc | wrong | expected 0.8125
def auroc(normal_scores, anomaly_scores):
    line = np.median(np.concatenate([normal_scores, anomaly_scores]))
    right = np.sum(normal_scores <= line) + np.sum(anomaly_scores > line)
    return right / (len(normal_scores) + len(anomaly_scores))

# %% auroc | wrong | the function changes its arguments
def auroc(normal_scores, anomaly_scores):
    normal_scores *= -1
    total = normal_scores[None] + anomaly_scores[:, None]
    return np.mean((total > 0) + 0.5 * (total == 0))

# %% auroc | inputs
def inputs(rng):
    n, m = rng.integers(1, 9, 2)
    yield rng.integers(0, 5, n) / 2, rng.integers(0, 5, m) / 2
