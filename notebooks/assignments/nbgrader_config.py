# nbgrader's settings for the problem sets, used by `make assignments`, `make grade` and by nbgrader itself.
c = get_config()  # noqa: F821, nbgrader defines it

c.CourseDirectory.course_id = "autoencoders"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("Write your answer here.")'}
c.ClearSolutions.text_stub = "*Write your answer here.*"
