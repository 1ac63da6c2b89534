"""The last enabled Subscription admin of a subscription stays enabled, whoever says otherwise (1-product §1.3)."""

from provisioning.models import LoginAccount, Subscription


def is_last_admin(account: LoginAccount) -> bool:
    """Whether nobody could administer the subscription if the account, whose row the caller has locked, were disabled.

    Takes the subscription's row until the transaction ends, so that of two admins who are disabled at the same moment
    the second one sees that the first is gone.
    """
    if account.role != LoginAccount.Role.SUBSCRIPTION_ADMIN or not account.is_enabled:
        return False
    Subscription.objects.select_for_update(no_key=True).get(pk=account.subscription_id)
    admins = LoginAccount.objects.filter(subscription_id=account.subscription_id, role=account.role, is_enabled=True)
    return not admins.exclude(pk=account.pk).exists()
