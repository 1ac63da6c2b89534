from django.utils import timezone

from provisioning.actor import operator
from provisioning.management.credentials import Credential, Revocation
from provisioning.models import BearerToken, ProvisioningConfiguration
from provisioning.services import bearer_tokens, lookups


class Command(Revocation):
    help = "Revoke a bearer token of a configuration at once; its client secret stays."
    refusals = (lookups.NotThere, bearer_tokens.TokenEnded)
    what, option, maker = "bearer token", "token", "issuebearertoken"

    def live(self, configuration: ProvisioningConfiguration) -> list[BearerToken]:
        return bearer_tokens.live(configuration, at=timezone.now())

    def revoke(self, configuration: ProvisioningConfiguration, chosen: Credential) -> None:
        bearer_tokens.revoke_token(
            configuration=configuration, token_id=chosen.pk, actor=operator("revokebearertoken"), at=timezone.now()
        )
