"""The pages of signing in and of one's own sign-in: django-allauth's that this portal uses, and its own."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from django.urls import path

from provisioning.sign_in import own, requires_recent_sign_in, signed_in
from provisioning.views import sessions, sign_in, sign_on

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("login/code/", sign_in.EnterCode.as_view(), name="mfa_authenticate"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("reauthenticate/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("single-sign-on/", sign_on.choose, name="sign_on_choose"),
    path("single-sign-on/again/", signed_in(sign_on.again), name="sign_on_again"),
    path("password/forgotten/", sign_in.PasswordForgotten.as_view(), name="account_reset_password"),
    path("password/asked/", sign_in.password_asked, name="password_asked"),
    path("password/set/", sign_in.password_set, name="password_set"),
    path("password/link/<str:key>/", sign_in.password_link, name="password_link"),
    path("password/change/", own(sign_in.PasswordChange.as_view()), name="account_change_password"),
    path("methods/", own(sign_in.methods), name="mfa_index"),
    path(
        "factor/activate/",
        own(requires_recent_sign_in(sign_in.Activate.as_view())),
        name="mfa_activate_totp",
    ),
    path(
        "factor/deactivate/",
        own(requires_recent_sign_in(sign_in.Deactivate.as_view())),
        name="mfa_deactivate_totp",
    ),
    path(
        "factor/codes/",
        own(requires_recent_sign_in(recovery_codes.view_recovery_codes)),
        name="mfa_view_recovery_codes",
    ),
    path(
        "factor/codes/make/",
        own(requires_recent_sign_in(sign_in.NewRecoveryCodes.as_view())),
        name="mfa_generate_recovery_codes",
    ),
    path("sessions/", signed_in(sessions.sessions), name="sessions"),
    path("sessions/end/", signed_in(requires_recent_sign_in(sessions.session_end)), name="session_end"),
    path("sessions/end-others/", signed_in(requires_recent_sign_in(sessions.sessions_end)), name="sessions_end"),
]
