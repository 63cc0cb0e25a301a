"""What the worker sees and the web shows: both are one process, and this is between them."""

from typing import Final

from steerway.control.traffic.rules import Window
from steerway.delivery.flags.rules.asked import Asked
from steerway.telemetry.collectors.rules.board import Board

TRAFFIC: Final = Window()
ASKED: Final = Asked()
BOARD: Final = Board()
