"""What canaries refuse."""

from steerway.platform.errors import Invalid


class RecordUnreadable(Invalid):
    """The stored judgement belongs to another plan or another format."""

    message = (
        "The stored judgement does not fit its plan: {problem}. "
        "Start the rollout again with `steerway deploy`."
    )
