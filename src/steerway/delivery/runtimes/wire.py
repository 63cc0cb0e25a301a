"""Shapes of what replicas print."""

from pydantic import BaseModel


class PrintedOut(BaseModel):
    """New lines of one replica, and where to go on reading."""

    program: str
    environment: str
    lines: list[str]
    position: int


class LogsOut(BaseModel):
    """New lines of a service's replicas."""

    replicas: list[PrintedOut]
