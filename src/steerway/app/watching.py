"""What the worker sees and the web shows: both are one process, and this is between them."""

from typing import Final

from steerway.control.traffic.rules import Window

TRAFFIC: Final = Window()
