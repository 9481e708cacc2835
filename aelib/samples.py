"""Judges of generated examples: are they like real ones, do they cover them, and do they copy?"""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import Bunch

from aelib.manifold import score_in_one_thread
from aelib.validation import check_array, check_positive_int


def two_sample_accuracy(x, other, random_state=0, n_jobs=None):
    """Can a random forest tell two sets of images apart? Its cross-validated accuracy (Lopez-Paz & Oquab, 2017).

    0.5 means that it cannot, 1 that it always can; clearly below 0.5, the two sets share examples. Pixels are set to 0
    or 1 first, whichever is nearer, so that shapes are judged and not shades that no eye would see.

    Args:
        x: images ``(n, ...)`` in [0, 1], for instance real ones.
        other: images ``(n, ...)``, for instance generated ones; clipped to [0, 1].
        random_state: seed of the forest.
        n_jobs: how many threads grow trees, as in joblib: ``-1`` for one per core. The result does not depend on it.
    """
    x, other = check_array(x, "x", unit_interval=True), check_array(other, "other", np.shape(x)[1:])
    if len(x) != len(other) or len(x) < 3:
        raise ValueError(f"other: expected as many examples as in x, at least 3, got {len(other)} and {len(x)} in x")
    both = np.concatenate([x, other]).reshape(2 * len(x), -1) > 0.5
    labels = np.repeat([0, 1], len(x))
    forest = RandomForestClassifier(100, random_state=random_state, n_jobs=n_jobs)
    folds = StratifiedKFold(3, shuffle=True, random_state=random_state)
    scores = cross_val_score(forest, both, labels, cv=folds, scoring=score_in_one_thread)
    return float(np.mean(scores))


def precision_recall(real, generated, n_neighbors=3):
    """Fidelity and diversity of generated examples, apart (Kynkäänniemi et al., 2019, 1904.06991).

    Around every example of a set lies a ball that reaches its ``n_neighbors``-th neighbour; the balls together stand
    for the set. Precision falls where examples are unlike real ones, recall where kinds of real ones are missing.

    Args:
        real: real examples ``(n, ...)``, pixels or features of your choice. The authors take a network's features: in
            pixels, blurred images lie inside the balls.
        generated: generated ones ``(m, ...)``. Both values depend on n and m: compare at equal sizes only.
        n_neighbors: less than n and m. Memory grows with n x m.

    Returns:
        A ``Bunch`` with ``precision``, the share of generated examples in a ball of a real one, and ``recall``, the
        share of real examples in a ball of a generated one.
    """
    real = check_array(real, "real")
    generated = check_array(generated, "generated", real.shape[1:])
    limit = min(len(real), len(generated)) - 1
    if check_positive_int(n_neighbors, "n_neighbors") > limit:
        raise ValueError(f"n_neighbors: expected at most {limit} for so few examples, got {n_neighbors}")
    real, generated = (part.reshape(len(part), -1) for part in (real, generated))
    radii = [NearestNeighbors(n_neighbors=n_neighbors).fit(part).kneighbors()[0][:, -1] for part in (real, generated)]
    distances = pairwise_distances(real, generated)
    return Bunch(
        precision=float(np.mean((distances <= radii[0][:, None]).any(axis=0))),
        recall=float(np.mean((distances <= radii[1]).any(axis=1))),
    )


def nearest_distance(x, x_train):
    """Euclidean distance of each example to the nearest training example: ``(n, ...), (m, ...) -> (n,)``.

    Does a model copy? Compare with the distances of unseen real examples: a copier's are smaller.
    """
    x_train = check_array(x_train, "x_train")
    x = check_array(x, "x", x_train.shape[1:])
    neighbours = NearestNeighbors(n_neighbors=1).fit(x_train.reshape(len(x_train), -1))
    return neighbours.kneighbors(x.reshape(len(x), -1))[0][:, 0]
