# Answers that the graders are tested with: `# %% QUESTION | alternative`, or `| wrong | what the message must say`.

# %% bet | alternative
bet = {"gain": -1, "network_wins": False}

# %% bet | alternative | single precision is a number too
bet = {"network_wins": np.bool_(True), "gain": np.float32(4)}

# %% bet | wrong | the two halves of the bet contradict each other
bet = {"network_wins": True, "gain": -2}

# %% bet | wrong | expected True or False without quotes
bet = {"network_wins": "yes", "gain": 2}

# %% bet | wrong | 60 dB is a factor of a million
bet = {"network_wins": True, "gain": 100}

# %% convolution | alternative
def convolution(size, channels, filters, kernel, stride):
    weights = filters  # biases
    for _ in range(channels):
        weights += kernel * kernel * filters
    return (size - 1) // stride + 1, weights

# %% convolution | wrong | that is padding="valid" | 2 points
def convolution(size, channels, filters, kernel, stride):
    return (size - kernel) // stride + 1, (kernel**2 * channels + 1) * filters

# %% convolution | wrong | Round up | 2 points
def convolution(size, channels, filters, kernel, stride):
    return size // stride, (kernel**2 * channels + 1) * filters

# %% convolution | wrong | each filter has a bias, too | 2 points
def convolution(size, channels, filters, kernel, stride):
    return -(-size // stride), kernel**2 * channels * filters

# %% convolution | wrong | the size of the image costs no weights | 2 points
def convolution(size, channels, filters, kernel, stride):
    side = -(-size // stride)
    return side, (kernel**2 * channels + 1) * filters * side**2

# %% convolution | wrong | a filter has weights for each channel | 2 points
def convolution(size, channels, filters, kernel, stride):
    return -(-size // stride), (kernel**2 + 1) * filters

# %% convolution | wrong | one bias per filter, not one per channel | 2 points
def convolution(size, channels, filters, kernel, stride):
    return -(-size // stride), (kernel**2 + 1) * channels * filters

# %% convolution | wrong | expected (size, weights)
def convolution(size, channels, filters, kernel, stride):
    return (kernel**2 * channels + 1) * filters

# %% convolution | inputs
def inputs(rng):
    yield (*(int(n) for n in rng.integers(1, 40, 3)), int(rng.integers(1, 8)), int(rng.integers(1, 5)))

# %% hole | alternative
def with_hole(x, top, left, size):
    rows, columns = np.indices(x.shape[1:])
    mask = (rows >= top) & (rows < top + size) & (columns >= left) & (columns < left + size)
    damaged = x.copy()
    damaged[:, mask] = 0
    return damaged, mask

# %% hole | wrong | the mask is turned round
def with_hole(x, top, left, size):
    mask = np.ones(x.shape[1:], bool)
    mask[top : top + size, left : left + size] = False
    return x * mask, mask

# %% hole | wrong | rows come first
def with_hole(x, top, left, size):
    mask = np.zeros(x.shape[1:], bool)
    mask[left : left + size, top : top + size] = True
    return np.where(mask, 0, x), mask

# %% hole | wrong | one mask for all
def with_hole(x, top, left, size):
    mask = np.zeros(x.shape, bool)
    mask[:, top : top + size, left : left + size] = True
    return np.where(mask, 0, x), mask

# %% hole | wrong | a hole of 2 x 2 has 4 pixels
def with_hole(x, top, left, size):
    mask = np.zeros(x.shape[1:], bool)
    mask[top : top + size + 1, left : left + size + 1] = True
    return np.where(mask, 0, x), mask

# %% hole | wrong | in the hole every image is 0
def with_hole(x, top, left, size):
    mask = np.zeros(x.shape[1:], bool)
    mask[top : top + size, left : left + size] = True
    return np.where(mask, 1, x), mask

# %% hole | wrong | outside the hole nothing may change
def with_hole(x, top, left, size):
    mask = np.zeros(x.shape[1:], bool)
    mask[top : top + size, left : left + size] = True
    return np.where(mask, 0, x - x.min()), mask

# %% hole | wrong | the function changes its arguments
def with_hole(x, top, left, size):
    mask = np.zeros(x.shape[1:], bool)
    mask[top : top + size, left : left + size] = True
    x[:, mask] = 0
    return x, mask

# %% hole | inputs
def inputs(rng):
    shape = rng.integers(1, 9, 3)
    yield rng.random(shape) + 0.1, *(int(n) for n in rng.integers(0, shape[1:])), int(rng.integers(1, 9))

# %% psnr | alternative
def hole_psnr(x, restored, mask):
    squared, n = 0.0, 0
    for one, other in zip(x, restored):
        squared += np.sum((one[mask] - other[mask]) ** 2)
        n += np.count_nonzero(mask)
    return 10 * np.log10(n / squared)

# %% psnr | wrong | that is over all pixels
def hole_psnr(x, restored, mask):
    return -10 * np.log10(np.mean(((x - restored) * mask) ** 2))

# %% psnr | wrong | that is the mean of each image's PSNR
def hole_psnr(x, restored, mask):
    return np.mean(-10 * np.log10(np.mean((x - restored)[:, mask] ** 2, axis=1)))

# %% psnr | wrong | take np.log10
def hole_psnr(x, restored, mask):
    return -np.log(np.mean((x - restored)[:, mask] ** 2))

# %% psnr | wrong | the sign is turned
def hole_psnr(x, restored, mask):
    return 10 * np.log10(np.mean((x - restored)[:, mask] ** 2))

# %% psnr | wrong | that is the PSNR of the intact pixels
def hole_psnr(x, restored, mask):
    return -10 * np.log10(np.mean((x - restored)[:, ~mask] ** 2))

# %% psnr | wrong | expected 13.01 dB
def hole_psnr(x, restored, mask):
    return -20 * np.log10(np.mean((x - restored)[:, mask] ** 2))

# %% psnr | wrong | the function changes its arguments
def hole_psnr(x, restored, mask):
    x -= restored
    return -10 * np.log10(np.mean(x[:, mask] ** 2))

# %% psnr | inputs
def inputs(rng):
    shape = rng.integers(1, 7, 3)
    mask = rng.random(shape[1:]) < 0.5
    mask[0, 0] = True
    yield rng.random(shape), rng.random(shape), mask

# %% keep | alternative
def pasted(damaged, restored, mask):
    result = np.copy(damaged)
    result[:, mask] = restored[:, mask]
    return result

# %% keep | wrong | the network's pixels belong in the hole
def pasted(damaged, restored, mask):
    return np.where(mask, damaged, restored)

# %% keep | wrong | a sum of both
def pasted(damaged, restored, mask):
    return damaged + mask * restored

# %% keep | wrong | got [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
def pasted(damaged, restored, mask):
    return restored

# %% keep | wrong | the function changes its arguments
def pasted(damaged, restored, mask):
    damaged[:, mask] = restored[:, mask]
    return damaged

# %% keep | inputs
def inputs(rng):
    shape = rng.integers(1, 7, 3)
    yield rng.random(shape), rng.random(shape), rng.random(shape[1:]) < 0.5

# %% largest | alternative
def top_k(z, k):
    codes = []
    for code in z:
        order = sorted(range(len(code)), key=lambda i: code[i])[-k:]
        codes.append([value if i in order else 0 for i, value in enumerate(code)])
    return np.array(codes)

# %% largest | wrong | those are the smallest
def top_k(z, k):
    places = np.argsort(z, axis=1)[:, :k]
    result = np.zeros_like(z)
    np.put_along_axis(result, places, np.take_along_axis(z, places, axis=1), axis=1)
    return result

# %% largest | wrong | do not compare codes with one another
def top_k(z, k):
    border = np.sort(z, axis=None)[-k * len(z)]
    return np.where(z >= border, z, 0)

# %% largest | wrong | numbers that are kept keep their value
def top_k(z, k):
    places = np.argsort(z, axis=1)[:, -k:]
    result = np.zeros_like(z)
    np.put_along_axis(result, places, 1, axis=1)
    return result

# %% largest | wrong | three equal numbers, k = 2
def top_k(z, k):
    return np.where(z >= np.sort(z, axis=1)[:, [-k]], z, 0)

# %% largest | wrong | expected shape (2, 4)
def top_k(z, k):
    return np.sort(z, axis=1)[:, -k:]

# %% largest | wrong | the function changes its arguments
def top_k(z, k):
    np.put_along_axis(z, np.argsort(z, axis=1)[:, :-k], 0, axis=1)
    return z

# %% largest | inputs
def inputs(rng):
    n, size = rng.integers(1, 9, 2)
    yield rng.permutation(n * size).reshape(n, size) + 1.0, int(rng.integers(1, size + 1))

# %% name | alternative
def named(train_activity, train_labels, test_activity, test_labels):
    from collections import Counter

    def strongest(activity, labels):
        order = sorted(range(len(activity)), key=lambda i: -activity[i])
        return [int(labels[i]) for i in order[:10]]

    counts = Counter(sorted(strongest(train_activity, train_labels)))
    digit = counts.most_common(1)[0][0]
    return digit, strongest(test_activity, test_labels).count(digit) / 10

# %% name | wrong | not all of them
def named(train_activity, train_labels, test_activity, test_labels):
    digit = int(np.bincount(train_labels).argmax())
    return digit, np.mean(test_labels[np.argsort(test_activity)[-10:]] == digit)

# %% name | wrong | check it on test images | 1 point
def named(train_activity, train_labels, test_activity, test_labels):
    names = train_labels[np.argsort(train_activity)[-10:]]
    digit = int(np.bincount(names).argmax())
    return digit, np.mean(names == digit)

# %% name | wrong | the share of all test images | 1 point
def named(train_activity, train_labels, test_activity, test_labels):
    digit = int(np.bincount(train_labels[np.argsort(train_activity)[-10:]]).argmax())
    return digit, np.mean(test_labels == digit)

# %% name | wrong | a share, from 0 to 1 | 1 point
def named(train_activity, train_labels, test_activity, test_labels):
    digit = int(np.bincount(train_labels[np.argsort(train_activity)[-10:]]).argmax())
    return digit, np.sum(test_labels[np.argsort(test_activity)[-10:]] == digit)

# %% name | wrong | the function changes its arguments
def named(train_activity, train_labels, test_activity, test_labels):
    train_labels -= 1
    digit = int(np.bincount(train_labels[np.argsort(train_activity)[-10:]] + 1).argmax())
    return digit, np.mean(test_labels[np.argsort(test_activity)[-10:]] == digit)

# %% name | inputs
def inputs(rng):
    n, m = rng.integers(10, 40, 2)
    yield rng.permutation(n) * 0.1, rng.integers(0, 4, n), rng.permutation(m) * 0.1, rng.integers(0, 4, m)
