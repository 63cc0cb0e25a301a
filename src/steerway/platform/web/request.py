"""A request that knows whose work it is."""

from django.http import HttpRequest

from steerway.platform.work import Work


class SteerwayRequest(HttpRequest):
    """What views get: Django's request with `work`, set by the middleware."""

    work: Work
