"""Addresses of the sign-in and people pages; those of allauth that we use keep its names."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from steerway.platform.identity import pages

to_account = RedirectView.as_view(pattern_name="identity:account")

OURS = [
    path("link/<str:secret>", pages.link, name="link"),
    path("account", pages.account, name="account"),
    path("account/welcome", pages.welcome, name="welcome"),
    path("account/tokens", pages.add_token, name="add-token"),
    path("account/tokens/<uuid:token_id>/revocation", pages.revoke_token, name="revoke-token"),
    path("account/sessions/end", pages.end_sessions, name="end-sessions"),
    path("device", pages.device, name="device"),
    path("people", pages.people, name="people"),
    path("people/<str:name>/role", pages.change_role, name="role"),
    path("people/<str:name>/link", pages.make_link, name="make-link"),
    path("people/<str:name>/disable", pages.disable, name="disable"),
    path("people/<str:name>/enable", pages.enable, name="enable"),
    path("people/<str:name>/factors", pages.clear_factors, name="clear-factors"),
]

ACCOUNT = [
    path("login", account.login, name="account_login"),
    path("logout", login_not_required(account.logout), name="account_logout"),
    path("inactive", login_not_required(account.account_inactive), name="account_inactive"),
    path("reauthenticate", account.reauthenticate, name="account_reauthenticate"),
    path("password", account.password_change, name="account_change_password"),
    path("password/set", account.password_set, name="account_set_password"),
    path("2fa", to_account, name="mfa_index"),
    path("2fa/authenticate", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/app", totp.activate_totp, name="mfa_activate_totp"),
    path("2fa/app/removal", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/codes", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/codes/new", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/codes/file", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("2fa/passkeys", to_account, name="mfa_list_webauthn"),
    path("2fa/passkeys/new", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("2fa/passkeys/<int:pk>/removal", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path(
        "2fa/webauthn/reauthenticate",
        passkeys.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "2fa/webauthn/login",
        login_not_required(passkeys.login_webauthn),
        name="mfa_login_webauthn",
    ),
]


def patterns(*, single_sign_on: bool) -> list[URLPattern | URLResolver]:
    """All addresses of identity; those of the identity provider only when there is one."""
    found: list[URLPattern | URLResolver] = [
        path("", include((OURS, "identity"))),
        path("account/", include(ACCOUNT)),
    ]
    return _single_sign_on() + found if single_sign_on else found


def _single_sign_on() -> list[URLPattern | URLResolver]:
    from allauth.socialaccount import views as social  # noqa: PLC0415 -- only when it is used
    from allauth.socialaccount.providers.openid_connect import views as oidc  # noqa: PLC0415

    doors = [
        path("login", login_not_required(oidc.login), name="openid_connect_login"),
        path("login/callback", login_not_required(oidc.callback), name="openid_connect_callback"),
    ]
    login = account.LoginView.as_view(extra_context={"sso_url": "/account/sso/sso/login"})
    return [
        path("account/login", login),
        path("account/sso/<str:provider_id>/", include(doors)),
        path(
            "account/sso-cancelled",
            login_not_required(social.login_cancelled),
            name="socialaccount_login_cancelled",
        ),
        path(
            "account/sso-error",
            login_not_required(social.login_error),
            name="socialaccount_login_error",
        ),
    ]
