"""What each question was like for a class: how hard, how well it tells students apart, what went wrong most."""

from collections import Counter

import numpy as np

COLUMNS = (
    "problem_set",
    "question",
    "points",
    "answers",
    "to_mark",
    "share",
    "full",
    "discrimination",
    "message",
    "times",
)
FEWEST = 10  # answers, below which a correlation says next to nothing


def statistics(rows, problem_set):
    """One dictionary for each question of a problem set.

    `share` is the mean share of its points, `full` the share of students with all of them. `discrimination` is the
    correlation of a question's points with those of all **other** questions: near 0 or below, good students do no
    better than others, and the question deserves a look. None where it has no meaning.

    Args:
        rows: of the grading, of this problem set.
    """
    judged = [row for row in rows if row["questions"]]
    for question in problem_set.questions:
        given = [row["questions"][question.name] for row in judged]
        marked = [(row, verdict) for row, verdict in zip(judged, given, strict=True) if verdict["points"] is not None]
        points = np.array([verdict["points"] for _, verdict in marked])
        others = np.array([row["points"] - verdict["points"] for row, verdict in marked])
        varied = len(points) >= FEWEST and points.std() > 0 and others.std() > 0
        said = Counter(verdict["message"].splitlines()[-1] for verdict in given if verdict["status"] == "failed")
        message, times = said.most_common(1)[0] if said else ("", 0)
        yield {
            "problem_set": problem_set.name, "question": question.name, "points": question.points,
            "answers": len(given), "to_mark": len(given) - len(marked),
            "share": float(points.mean() / question.points) if len(points) else None,
            "full": float(np.mean(points == question.points)) if len(points) else None,
            "discrimination": float(np.corrcoef(points, others)[0, 1]) if varied else None,
            "message": message, "times": times,
        }  # fmt: skip
