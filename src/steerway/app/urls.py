"""Every address the server answers, edge by edge."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from steerway.app import identity_urls as identity
from steerway.app.api import build
from steerway.app.page_urls import page_urls

api = build()

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", api.urls),
    *page_urls,
    *identity.patterns(single_sign_on=settings.SINGLE_SIGN_ON),
]

handler403 = "steerway.platform.web.failures.forbidden"
handler404 = "steerway.platform.web.failures.not_found"
handler500 = "steerway.platform.web.failures.broken"
