"""How allauth is bent to our rules: who may come in, what is recorded, how secrets are kept.

allauth calls these adapters; every one of its doors ends in one of their methods, so what is
recorded here is recorded for all of them.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from fido2.utils import websafe_decode

from steerway.platform.identity import limits, queries
from steerway.platform.identity.models import User
from steerway.platform.identity.rules import Role, name_from
from steerway.platform.keys import key
from steerway.platform.secrets.sealing import seal, unseal
from steerway.platform.work import Work

# One entry a minute for one name from one address: the log is not a place to write at will.
FAILURES_LOGGED_EVERY: Final = timedelta(minutes=1)
# A period of the authenticator app and its two neighbours: MFA_TOTP_TOLERANCE.
CODE_COUNTS: Final = timedelta(seconds=90)
SEALED_AS: Final = "second-factor"

# allauth announces a change of factors by a mail to the person; we put it in the log.
NOTICES: Final = {
    "account/email/password_changed": "user.password-set",
    "account/email/password_set": "user.password-set",
    "mfa/email/totp_activated": "user.app-added",
    "mfa/email/totp_deactivated": "user.app-removed",
    "mfa/email/webauthn_added": "user.passkey-added",
    "mfa/email/webauthn_removed": "user.passkey-removed",
    "mfa/email/recovery_codes_generated": "user.codes-made",
}


def record_as(request: HttpRequest, user: User, kind: str, **data: Any) -> None:
    """Record what a person did at the door, under their own name."""
    work: Work = request.work  # type: ignore[attr-defined]  # set by the middleware
    own = replace(work, actor=queries.person_actor(user, work.actor.grants))
    with transaction.atomic():
        own.record(kind, user.username, **data)


def record_failure(request: HttpRequest, name: str, *, step: str) -> None:
    """Record that somebody was not let in.

    Unknown names are not written down: people type their password into the wrong field.
    """
    subject = name if User.objects.filter(username=name).exists() else "unknown"
    address = request.META.get("REMOTE_ADDR", "")
    if limits.is_first(f"failure:{subject}:{address}", per=FAILURES_LOGGED_EVERY):
        work: Work = request.work  # type: ignore[attr-defined]  # set by the middleware
        with transaction.atomic():
            work.record("user.sign-in-failed", subject, address=address, step=step)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Passwords, sessions and sign-out."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "The name or the password is not correct."
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an admin invites people."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign the person in: every way in ends here, after its second factor."""
        super().login(request, user)
        methods = {
            str(r["method"]) for r in request.session.get("account_authentication_methods", [])
        }
        record_as(
            request,
            user,
            "user.signed-in",
            address=request.META.get("REMOTE_ADDR", ""),
            methods=sorted(methods),
        )

    def logout(self, request: HttpRequest) -> None:
        """Sign the person out."""
        if isinstance(request.user, User):
            record_as(request, request.user, "user.signed-out")
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong name or password."""
        record_failure(request, str(credentials.get("username", "")), step="password")

    def send_notification_mail(self, template_prefix: str, user: User, *_: Any, **__: Any) -> None:
        """Record the change instead of mailing about it."""
        record_as(self.request, user, NOTICES[template_prefix])

    def add_message(self, *_: Any, **__: Any) -> None:
        """Say nothing: the page that follows shows what is so."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """The peer's address; a forwarded one is not believed."""
        address = str(request.META.get("REMOTE_ADDR", ""))
        return address if address and address != "local" else "127.0.0.1"

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """The ways to show that it is still you, a passkey before codes on paper."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        has_app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
        return sorted(methods, key=lambda m: m["id"] == "mfa_reauthenticate" and not has_app)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Without the host name, so that a second name of the server gives no second chance.
        return str(credentials.get("username", "")).lower()


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors."""

    def encrypt(self, text: str) -> str:
        """Secrets of factors are sealed, so that a copy of the database signs nobody in."""
        return seal(key(settings.STEERWAY.home, "factors"), SEALED_AS, text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again."""
        return unseal(key(settings.STEERWAY.home, "factors"), SEALED_AS, encrypted_text)

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        """What a new passkey is called unless its owner names it."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The name passkeys are bound to: the host of the pages."""
        host = context.request.get_host()
        return {"id": host.rpartition(":")[0] if ":" in host else host, "name": "Steerway"}


class _OnceCode:
    """A code counts once for as long as its app shows it, early and late ones included.

    allauth remembers a code for one period only; its neighbours are taken as well.
    """

    user: User

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]  # of the form beside it
        plain = "".join(letter for letter in code if letter.isalnum()).upper()
        if not limits.is_first(f"code:{self.user.pk}:{plain}", per=CODE_COUNTS):
            raise MfaAdapter().validation_error("incorrect_code")
        return code


class CodeAgainForm(_OnceCode, ReauthenticateForm):  # type: ignore[misc]
    """A code to show that it is still you."""


class CodeForm(_OnceCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in, which records a wrong code."""

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        record_failure(context.request, self.user.username, step="second factor")


def check_origin(request: HttpRequest, credential: Any) -> None:
    """Make sure that it was a page of ours that asked for the passkey.

    A passkey belongs to a host name, whatever the port: on one machine, a service could ask for
    it as well and pass the answer on. allauth looks at the origin only where there is https.

    Raises:
        KeyError, TypeError, ValueError: it was not, or this is no credential.
    """
    scheme = "https" if settings.HTTPS else request.scheme
    client = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
    if client["origin"] != f"{scheme}://{request.get_host()}":
        raise ValueError(client["origin"])


class _CheckedCredential:
    """What a browser sends as a credential may be anything; the library fails on some of it."""

    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Any:
        try:
            check_origin(context.request, self.cleaned_data["credential"])
            return super().clean_credential()  # type: ignore[misc]  # of the form beside it
        except (KeyError, TypeError, ValueError) as error:
            raise MfaAdapter().validation_error("incorrect_code") from error


class PasskeyLoginForm(_CheckedCredential, LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in with a passkey alone."""


class PasskeyStepForm(_CheckedCredential, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second step."""


class PasskeyAgainForm(_CheckedCredential, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey to show that it is still you."""


class PasskeyAddForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """A new passkey."""

    def clean(self) -> Any:
        """The form's data."""
        try:
            check_origin(context.request, self.cleaned_data.get("credential"))
            return super().clean()
        except (KeyError, TypeError, ValueError) as error:
            raise MfaAdapter().validation_error("incorrect_code") from error


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People who sign on at the team's identity provider."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Sign on, and nothing else.

        allauth can also tie an identity to whoever is signed in; the door is a link, so somebody
        else's link would tie their identity to one's own account.
        """
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise ImmediateHttpResponse(redirect(settings.LOGIN_REDIRECT_URL))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whoever the provider lets in gets the role of `oidc_role`."""
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Always: there is nothing to ask, and a taken mail address is nobody's proof."""
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """A person with a name within our rules; a taken one gets a number, never an account."""
        user: User = super().populate_user(request, sociallogin, data)
        wanted = name_from(str(data.get("username") or data.get("email") or "person"))
        user.username = _free_name(wanted)
        user.email, sociallogin.email_addresses = "", []  # not needed, so not kept
        user.role = Role(settings.STEERWAY.oidc_role).value
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """The new person, on record."""
        wanted = sociallogin.user.username
        user: User = super().save_user(request, sociallogin, form)
        if user.username != wanted:
            user.username = wanted
            user.save(update_fields=["username"])
        record_as(
            request, user, "user.joined", role=user.role, provider=sociallogin.account.provider
        )
        return user


def _free_name(wanted: str) -> str:
    taken = set(User.objects.filter(username__startswith=wanted).values_list("username", flat=True))
    numbered = (f"{wanted}{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(n for n in numbered if n not in taken)
