"""Programs that run beside each other share the processor's cores.

    env $(python tools/book/threads.py 2) COMMAND

runs a command that starts two programs at once, each with half the cores.
"""

import os
import sys

from joblib import cpu_count  # knows about containers, affinity, and LOKY_MAX_CPU_COUNT

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # JAX
    "LOKY_MAX_CPU_COUNT",  # what joblib's and scikit-learn's n_jobs=-1 means
)


def share(programs):
    """The environment variables that give each of so many programs its share; what the user has set is left alone."""
    threads = str(max(1, cpu_count() // programs))
    return {name: threads for name in VARIABLES if name not in os.environ}


if __name__ == "__main__":
    print(*(f"{name}={value}" for name, value in share(int(sys.argv[1])).items()))
