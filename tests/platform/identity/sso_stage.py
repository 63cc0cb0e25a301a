"""The small server with single sign-on."""

from django.urls import path

from steerway.app import identity_urls
from tests.platform.identity.stage import built, home

urlpatterns = [
    path("", home),
    path("api/", built.urls),
    *identity_urls.patterns(single_sign_on=True),
]
