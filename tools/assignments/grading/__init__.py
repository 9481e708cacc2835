"""Grade a folder of submitted notebooks: `tools/assignments/grade.py` is the command, this package its parts.

- `problem_set`: what was asked, and for how many points.
- `submission`: from a file that came back to the notebook that is run.
- `workers`: the processes that grade, one submission at a time each.
- `sandbox`: the box in which it runs, and its limits.
- `student`: the submission's own process, inside the box: runs cells, calls functions, holds no test.
- `wire`: what goes in and out: plain data.
- `execution`: running it and judging each question, with the tests outside the box.
- `marks`: marks given by hand, and their history.
- `roster`: whose file is whose; `exports`: totals, and what Canvas and Moodle import.
- `late`: what being late costs; `items`: what each question was like; `similarity`: answers that are alike.
- `reports`: the table, the feedback pages, the picture of the class.
"""
