"""Grade a folder of submitted notebooks: `tools/assignments/grade.py` is the command, this package its parts.

- `problem_set`: what was asked, and for how many points.
- `submission`: from a file that came back to the notebook that is run.
- `sandbox`: where it runs, with which limits.
- `execution`: running it and judging each question.
- `gradebook`: nbgrader's database and folders, for marking by hand.
- `reports`: the table, the feedback pages, the picture of the class.
"""
