"""Start a notebook kernel with limits: `python kernel.py MEMORY FILES FOLDER CONNECTION_FILE`. Runs inside the box.

The limit on memory is per process and makes a greedy cell fail with a MemoryError, so that the next cell still runs;
the watchdog outside ends what gets round it.
"""

import os
import resource
import sys
import threading


def limit(name, value):
    """Lower a limit for good, where the system has it."""
    if hasattr(resource, name):
        resource.setrlimit(getattr(resource, name), (value, value))


def small_data():
    """What `aelib.load_images` gives while grading: some drawn digits, in a moment and without a network."""
    from sklearn.utils import Bunch

    import aelib

    def load_images():
        train, test = aelib.make_digits(1500, random_state=0), aelib.make_digits(500, random_state=1)
        return Bunch(
            x_train=train.images, y_train=train.target, x_test=test.images, y_test=test.target,
            name="drawn digits", origin="aelib.make_digits", description="Drawn digits, a small set for grading.",
        )  # fmt: skip

    aelib.load_images = aelib.datasets.load_images = load_images


def end_with_grader():
    """Wait for the end of standard input, which the grader holds open as long as it lives. A killed one lets go too.

    bubblewrap's own `--die-with-parent` misses a grader that is killed in the moment in which the box is made.
    """
    while os.read(0, 1):
        pass
    os._exit(1)


def main(memory, files, folder, connection_file):
    threading.Thread(target=end_with_grader, daemon=True).start()
    limit("RLIMIT_DATA", int(memory))
    limit("RLIMIT_FSIZE", int(files))
    limit("RLIMIT_CORE", 0)
    if os.getcwd() == "/tmp/scratch":  # noqa: PTH109, in a box
        os.environ.pop("JPY_PARENT_PID", None)  # there the parent is process 1, which reads as "has exited"
    else:
        os.chdir(os.path.join(folder, "home"))  # noqa: PTH118
    sys.path.insert(0, "")
    small_data()
    from ipykernel.kernelapp import IPKernelApp

    arguments = ["-f", connection_file, "--HistoryManager.enabled=False", "--IPKernelApp.capture_fd_output=False"]
    IPKernelApp.launch_instance(argv=arguments)


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file
    main(*sys.argv[1:])
