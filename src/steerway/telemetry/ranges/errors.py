"""Why a function of samples has no answer."""

from steerway.platform.errors import Refused


class FactorInvalid(Refused):
    """A factor of smoothing is not between 0 and 1."""

    message = "invalid {name} factor. Expected: 0 < {symbol} < 1, got: {found:f}"
