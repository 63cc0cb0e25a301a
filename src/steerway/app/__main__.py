"""`python -m steerway.app`: the command line, for those who start it without a script."""

from steerway.app.cli import main

main()
