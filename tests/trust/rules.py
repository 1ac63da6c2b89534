"""Which permission every page needs, and what its address names; a page that is not here fails the suite.

This is the second opinion: the views say the same by ``requires``, and the tests compare the two.
"""

from typing import Final, NamedTuple

from provisioning.permissions import Permission


class Rule(NamedTuple):
    """``names`` are the kinds of things (``tests.trust.world``) that the parameters behind the number stand for.

    ``query`` is what a page must be asked besides, with kinds of things in braces.
    """

    permission: Permission
    names: tuple[str, ...] = ()
    query: str = ""


def _pages(permission: Permission, **pages: str) -> dict[str, Rule]:
    """Return rules; the text of a page is its kinds, and its query behind a question mark."""
    rules = {}
    for name, text in pages.items():
        names, _, query = text.partition("?")
        rules[name] = Rule(permission, tuple(names.split()), query)
    return rules


RULES: Final = {
    **_pages(
        Permission.SEE,
        home="",
        users="",
        user="account",
        applications="",
        application="application",
        vaults="",
        vault="vault",
        vault_users="vault",
        vault_groups="vault",
        vault_group="vault vault_group",
        vault_drift="vault",
        vault_drift_report="vault report",
        vault_drift_csv="vault report",
        trusted_persons="",
        licensing_account="account",
        licensing_account_vaults="account",
        licensing_timeline="account",
        licensing_vault="vault",
        licensing_vault_comparison="vault",
    ),
    **_pages(
        Permission.SEE_LICENSES,
        licenses="",
        license_history_csv="",
        license_queue_csv="",
        licensing_home="",
        notifications="",
    ),
    **_pages(Permission.ORDER_LICENSES, license_order="", license_order_preview=""),
    **_pages(
        Permission.CHANGE_USERS,
        user_create="",
        user_edit="account",
        user_disable="account",
        user_enable="account",
        user_delete="account",
        user_send_link="account",
        users_csv="",
        users_import="",
        user_import="user_import",
        user_import_confirm="user_import",
        licensing_user_import="user_import",
        application_create="",
        application_edit="application",
        application_disable="application",
        application_enable="application",
        application_delete="application",
        license_pins="",
        license_resync="account",
        license_manual_type="account",
    ),
    **_pages(
        Permission.CHANGE_VAULT_RIGHTS,
        vault_create="",
        vault_remove="vault",
        vault_access="vault account",
        vault_access_give="account",
        vault_compare="vault",
        vault_group_create="vault",
        vault_group_visibility="vault vault_group",
        vault_group_add="vault vault_group",
        vault_group_remove="vault vault_group",
        vault_group_forget="vault vault_group",
        vault_group_change_forget="vault vault_group group_change",
        vault_user_disable="vault vault_user",
        vault_user_enable="vault vault_user",
        trusted_person_add="",
        trusted_person_edit="trusted_person",
        trusted_person_remove="trusted_person",
    ),
    **_pages(
        Permission.PROVISIONING,
        configurations="",
        configuration_create="",
        configuration="configuration",
        configuration_progress="configuration",
        configuration_settings="configuration",
        configuration_pause="configuration",
        configuration_resume="configuration",
        configuration_license="configuration?license_type=3",
        configuration_disconnect="configuration",
        secret_rotate="configuration",
        rotation_complete="configuration",
        rotation_cancel="configuration",
        secret_download="configuration",
        secret_revoke="client_secret",
        bearer_token_create="other_configuration",
        bearer_token_download="other_configuration",
        bearer_token_revoke="bearer_token",
        trusted_issuer="configuration",
        trusted_issuer_end="configuration",
        configuration_delete="configuration",
        configuration_restore="deleted_configuration",
        licensing_configuration_license="configuration?license_type=3",
        licensing_configuration_deletion="configuration",
        groups="",
        group="group",
        group_license="group?license_type=3",
        licensing_group_license="group?license_type=3",
        links="",
        link_create="",
        link_preview="",
        link="link",
        link_pause="link",
        link_resume="link",
        link_mode="link?mode=merge",
        link_move="link",
        link_remove="link",
        licensing_link="link",
        licensing_link_mode="link?mode=merge",
        licensing_link_move="link?group={group}",
        licensing_link_preview="group?group={group}&kind=new&vault={vault}&new_target=Team&mode=replace",
        licensing_link_removal="link",
        log="",
        log_entry="call",
        log_csv="",
        log_json="",
        held="",
        held_decide="",
    ),
    **_pages(Permission.SEE_OWN_ACTS, audit="", audit_entry="act", audit_csv="", audit_json=""),
    **_pages(
        Permission.CHANGE_SETTINGS,
        settings="",
        single_sign_on="",
        single_sign_on_remove="",
        sign_on_forget="sign_on_identity",
    ),
}
"""The pages of a subscription, by their names."""

ABOVE: Final = {
    "account_change_password": "one's own password, behind signing in",
    "account_inactive": "says that the person has no role",
    "account_login": "signing in",
    "account_logout": "signing out",
    "account_reauthenticate": "signing in again, behind signing in",
    "account_reset_password": "asking for a link by mail, for who is not signed in",
    "alive": "what monitors ask",
    "mfa_activate_totp": "one's own second factor, behind signing in and a recent sign-in",
    "mfa_authenticate": "the second step of signing in, behind the first",
    "mfa_deactivate_totp": "one's own second factor, behind signing in and a recent sign-in",
    "mfa_generate_recovery_codes": "one's own recovery codes, behind signing in and a recent sign-in",
    "mfa_index": "one's own sign-in methods, behind signing in",
    "mfa_reauthenticate": "signing in again, behind signing in",
    "mfa_view_recovery_codes": "one's own recovery codes, behind signing in and a recent sign-in",
    "password_asked": "says that a mail comes, whoever asked",
    "password_link": "keeps the digest of a link's key in the session",
    "password_set": "answers to who has opened a link that was mailed",
    "ready": "what monitors ask",
    "session_end": "one's own sessions, behind signing in and a recent sign-in",
    "sessions": "one's own sessions, behind signing in",
    "sessions_end": "one's own sessions, behind signing in and a recent sign-in",
    "sign_on": "leads to the identity provider of a subscription, for who is not signed in",
    "sign_on_again": "signing in again at one's identity provider, behind signing in",
    "sign_on_callback": "answers to the state of a sign-in that this browser began",
    "sign_on_choose": "finds the identity provider of a domain, for who is not signed in",
    "sign_on_confirm": "signing in again at one's identity provider, behind signing in",
    "start": "leads to the first subscription of who is signed in",
    "theme": "a cookie of the browser, behind signing in",
}
"""Pages that belong to no subscription, and why anybody may open them."""

MACHINES: Final = {
    "oauth/token": "answers to client secrets and assertions",
    "scim/openapi.json": "describes the service, which is no secret",
    "^scim/v2/": "answers to bearer tokens",
}
"""Beginnings of addresses that are not for people, and what opens them."""
