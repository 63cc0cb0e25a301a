"""What a descriptor is refused with: every problem in it, at once."""

from steerway.platform.descriptor.problems import Problem
from steerway.platform.errors import Invalid, NotFound


class DescriptorInvalid(Invalid):
    """The descriptor is wrong; `problems` has every reason, in the order of the file."""

    message = "{reason}"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """One line per problem, and the same for machines in `fields["problems"]`."""
        self.problems = problems
        super().__init__(
            reason="\n".join(str(problem) for problem in problems),
            problems=[problem.as_json() for problem in problems],
        )


class EnvironmentNotDeclared(NotFound):
    """The descriptor has no such environment."""

    message = "The descriptor has no environment {environment}. It has: {known}."
