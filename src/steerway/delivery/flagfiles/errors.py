"""Why a flag file cannot be used."""

from steerway.platform.descriptor.errors import DescriptorInvalid
from steerway.platform.errors import Invalid


class FlagFileInvalid(DescriptorInvalid):
    """The flag file is wrong; `problems` has every reason, in the order of the file."""


class FlagFileMissing(Invalid):
    """The descriptor names a flag file that was not sent with it."""

    message = "The descriptor names the flag file {file}, which was not sent. Put it beside it."
