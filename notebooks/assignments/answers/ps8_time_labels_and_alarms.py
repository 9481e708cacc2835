# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"error": 45.5, "codes_win": False}

# %% bet | alternative | single precision is a number too
bet = {"codes_win": np.bool_(True), "error": np.float32(20)}

# %% bet | wrong | per cent, not a share
bet = {"codes_win": True, "error": 0.3}

# %% bet | wrong | expected True or False without quotes
bet = {"codes_win": 1, "error": 30}

# %% bet | wrong | whoever guesses misreads 90 per cent
bet = {"codes_win": True, "error": 95}

# %% cut | alternative
def windows(x, width, step):
    views = np.lib.stride_tricks.sliding_window_view(x, width, axis=0)  # (n, channels, width)
    return views[::step].transpose(0, 2, 1)

# %% cut | wrong | a window is missing
def windows(x, width, step):
    return np.stack([x[start : start + width] for start in range(0, len(x) - width, step)])

# %% cut | wrong | the rest at the end is no whole window
def windows(x, width, step):
    wide = np.pad(x, ((0, width), (0, 0)))
    return np.stack([wide[start : start + width] for start in range(0, len(x), step)])

# %% cut | wrong | a new window begins every `step` steps
def windows(x, width, step):
    starts = [i * width for i in range((len(x) - width) // step + 1)]
    wide = np.pad(x, ((0, 9 * width), (0, 0)))
    return np.stack([wide[start : start + width] for start in starts])

# %% cut | wrong | each channel stays in its own column
def windows(x, width, step):
    return np.stack([np.abs(x[start : start + width]) for start in range(0, len(x) - width + 1, step)])

# %% cut | wrong | expected shape (n_windows, 4, 2)
def windows(x, width, step):
    return np.lib.stride_tricks.sliding_window_view(x, width, axis=0)[::step]

# %% cut | wrong | the function changes its arguments
def windows(x, width, step):
    x -= x.mean(axis=0)
    return np.stack([x[start : start + width] for start in range(0, len(x) - width + 1, step)])

# %% cut | inputs
def inputs(rng):
    width = int(rng.integers(1, 6))
    yield rng.random((width + int(rng.integers(0, 9)), int(rng.integers(1, 4)))), width, int(rng.integers(1, 6))

# %% split | alternative
def split(x, width, step, share):
    border = int(share * len(x))
    train = [x[i : i + width] for i in range(border) if i % step == 0 and i + width <= border]
    test = [x[i : i + width] for i in range(border, len(x)) if (i - border) % step == 0 and i + width <= len(x)]
    return np.array(train), np.array(test)

# %% split | wrong | some steps are in both parts
def split(x, width, step, share):
    cut = np.stack([x[s : s + width] for s in range(0, len(x) - width + 1, step)])
    border = int(share * len(cut))
    return cut[:border], cut[border:]

# %% split | wrong | some steps are in both parts: split the recording first
def split(x, width, step, share):
    cut = np.stack([x[s : s + width] for s in range(0, len(x) - width + 1, step)])
    cut = np.random.default_rng(0).permutation(cut)
    border = int(share * len(cut))
    return cut[:border], cut[border:]

# %% split | wrong | training must come before the test
def split(x, width, step, share):
    border = len(x) - int(share * len(x))
    parts = x[border:], x[:border]
    return tuple(np.stack([p[s : s + width] for s in range(0, len(p) - width + 1, step)]) for p in parts)

# %% split | wrong | expected 7 to train on | 2 points
def split(x, width, step, share):
    border = int(share * len(x))
    parts = x[: border - 1], x[border:]
    return tuple(np.stack([p[s : s + width] for s in range(0, len(p) - width + 1, step)]) for p in parts)

# %% split | wrong | expected 8 to test on | 2 points
def split(x, width, step, share):
    border = int(share * len(x))
    parts = x[:border], x[border + width - 1 :]
    return tuple(np.stack([p[s : s + width] for s in range(0, len(p) - width + 1, step)]) for p in parts)

# %% split | wrong | the function changes its arguments
def split(x, width, step, share):
    x -= x.min()
    x += 1
    border = int(share * len(x))
    parts = x[:border], x[border:]
    return tuple(np.stack([p[s : s + width] for s in range(0, len(p) - width + 1, step)]) for p in parts)

# %% split | inputs
def inputs(rng):
    width = int(rng.integers(1, 5))
    yield rng.random((4 * width + 8, 2)), width, int(rng.integers(1, 5)), float(rng.uniform(0.4, 0.6))

# %% scale | alternative
def scaled(train, test):
    flat = train.reshape(-1, train.shape[2])
    mean, variance = np.mean(flat, axis=0), np.var(flat, axis=0)
    return tuple((part - mean[None, None]) / variance[None, None] ** 0.5 for part in (train, test))

# %% scale | wrong | the test windows are scaled by themselves
def scaled(train, test):
    return tuple((part - part.mean(axis=(0, 1))) / part.std(axis=(0, 1)) for part in (train, test))

# %% scale | wrong | training and test are scaled together
def scaled(train, test):
    both = np.concatenate([train, test])
    mean, spread = both.mean(axis=(0, 1)), both.std(axis=(0, 1))
    return (train - mean) / spread, (test - mean) / spread

# %% scale | wrong | each channel has its own mean
def scaled(train, test):
    return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()

# %% scale | wrong | steps and windows are not scaled separately
def scaled(train, test):
    mean, spread = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / spread, (test - mean) / spread

# %% scale | wrong | its own standard deviation: 1 after scaling
def scaled(train, test):
    mean, spread = train.mean(axis=(0, 1)), train.var(axis=(0, 1))
    return (train - mean) / spread, (test - mean) / spread

# %% scale | wrong | by the standard deviation of the training windows
def scaled(train, test):
    mean = train.mean(axis=(0, 1))
    return (train - mean) / train.std(axis=(0, 1)), (test - mean) / test.std(axis=(0, 1))

# %% scale | wrong | the function changes its arguments
def scaled(train, test):
    mean, spread = train.mean(axis=(0, 1)), train.std(axis=(0, 1))
    train -= mean
    return train / spread, (test - mean) / spread

# %% scale | inputs
def inputs(rng):
    n, m, width, channels = rng.integers(2, 6, 4)
    yield rng.normal(size=(n, width, channels)), rng.normal(size=(m, width, channels)) + 1

# %% alarm | alternative
def raised(scores, w, threshold):
    frames, on = [], False
    for i in range(w, len(scores) + 1):
        now = np.mean(scores[i - w : i]) > threshold
        if now and not on:
            frames.append(i - 1)
        on = now
    return frames

# %% alarm | wrong | it is raised only where it goes on
def raised(scores, w, threshold):
    return [i for i in range(w - 1, len(scores)) if np.mean(scores[i - w + 1 : i + 1]) > threshold]

# %% alarm | wrong | a first frame with too few scores
def raised(scores, w, threshold):
    on = np.array([np.mean(scores[max(0, i - w + 1) : i + 1]) > threshold for i in range(len(scores))])
    return [i for i in range(len(on)) if on[i] and (i == 0 or not on[i - 1])]

# %% alarm | wrong | each score by itself
def raised(scores, w, threshold):
    on = scores > threshold
    return [i for i in range(len(on)) if on[i] and (i == 0 or not on[i - 1])]

# %% alarm | wrong | an alarm cannot look ahead
def raised(scores, w, threshold):
    on = [np.mean(scores[i : i + w]) > threshold for i in range(len(scores) - w + 1)]
    return [i for i in range(len(on)) if on[i] and (i == 0 or not on[i - 1])]

# %% alarm | wrong | not when it equals it
def raised(scores, w, threshold):
    on = [False] * (w - 1) + [np.mean(scores[i : i + w]) >= threshold for i in range(len(scores) - w + 1)]
    return [i for i in range(len(on)) if on[i] and (i == 0 or not on[i - 1])]

# %% alarm | wrong | it may be raised in the first frame
def raised(scores, w, threshold):
    on = [False] * (w - 1) + [np.mean(scores[i : i + w]) > threshold for i in range(len(scores) - w + 1)]
    return [i for i in range(1, len(on)) if on[i] and not on[i - 1]]

# %% alarm | wrong | the function changes its arguments
def raised(scores, w, threshold):
    scores -= threshold
    on = [False] * (w - 1) + [np.mean(scores[i : i + w]) > 0 for i in range(len(scores) - w + 1)]
    return [i for i in range(len(on)) if on[i] and (i == 0 or not on[i - 1])]

# %% alarm | inputs
def inputs(rng):
    w = int(rng.integers(1, 5))
    yield rng.random(w + int(rng.integers(0, 30))), w, float(rng.uniform(0.3, 0.7))

# %% precision | alternative
def precision(recall, false_alarms, base_rate):
    if base_rate == 1:
        return 1.0
    odds = base_rate / (1 - base_rate) * recall / false_alarms
    return odds / (1 + odds)

# %% precision | wrong | use the base rate
def precision(recall, false_alarms, base_rate):
    return recall / (recall + false_alarms)

# %% precision | wrong | divide by all that ring
def precision(recall, false_alarms, base_rate):
    return recall * base_rate

# %% precision | wrong | only normal beats ring falsely
def precision(recall, false_alarms, base_rate):
    return recall * base_rate / (recall * base_rate + false_alarms)

# %% precision | wrong | the share of alarms that are wrong
def precision(recall, false_alarms, base_rate):
    right, wrong = recall * base_rate, false_alarms * (1 - base_rate)
    return wrong / (right + wrong)

# %% precision | wrong | expected 0.0833
def precision(recall, false_alarms, base_rate):
    return recall * base_rate / (recall * base_rate + (1 - false_alarms) * (1 - base_rate))

# %% precision | inputs
def inputs(rng):
    yield float(rng.uniform(0.1, 1)), float(rng.uniform(0.01, 0.5)), float(rng.uniform(0.001, 1))

# %% paired | alternative
def saved(first, second):
    from scipy.stats import sem

    differences = [a - b for a, b in zip(first, second)]
    return np.mean(differences), sem(differences)

# %% paired | wrong | turned round | 2 points
def saved(first, second):
    saving = second - first
    return saving.mean(), saving.std(ddof=1) / np.sqrt(len(saving))

# %% paired | wrong | strikes both methods alike | 1 point
def saved(first, second):
    n = len(first)
    return (first - second).mean(), np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / n)

# %% paired | wrong | a mean of n is off by less | 1 point
def saved(first, second):
    saving = first - second
    return saving.mean(), saving.std(ddof=1)

# %% paired | wrong | ddof=1 | 1 point
def saved(first, second):
    saving = first - second
    return saving.mean(), saving.std() / np.sqrt(len(saving))

# %% paired | wrong | expected (mean saving, standard error)
def saved(first, second):
    return (first - second).mean()

# %% paired | wrong | the function changes its arguments
def saved(first, second):
    first -= second
    return first.mean(), first.std(ddof=1) / np.sqrt(len(first))

# %% paired | inputs
def inputs(rng):
    yield tuple(rng.uniform(5, 40, (2, int(rng.integers(2, 9)))))
