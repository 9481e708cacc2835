# nbgrader's settings, used by `make assignments` and `make grade` too.
c = get_config()  # noqa: F821, nbgrader defines it

c.CourseDirectory.course_id = "autoencoders"
stub = 'raise NotImplementedError("Write your answer here.")'
c.ClearSolutions.code_stub = {"python": stub}
c.ClearSolutions.text_stub = "*Write your answer here.*"
