"""Every address the server answers, edge by edge."""

from django.conf import settings
from django.urls import URLPattern, URLResolver

from steerway.app.page_urls import page_urls
from steerway.platform.identity import urls as identity

urlpatterns: list[URLPattern | URLResolver] = [
    *page_urls,
    *identity.patterns(single_sign_on=settings.SINGLE_SIGN_ON),
]

handler403 = "steerway.platform.web.failures.forbidden"
handler404 = "steerway.platform.web.failures.not_found"
handler500 = "steerway.platform.web.failures.broken"
