from django.utils import timezone

from provisioning.actor import operator
from provisioning.management.credentials import Credential, Revocation
from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import lookups, rotation


class Command(Revocation):
    help = "Revoke a client secret of a configuration, and all its tokens, at once."
    refusals = (lookups.NotThere, rotation.SecretEnded)
    what, option, also, maker = "client secret", "secret", ", and all tokens", "rotatesecret"

    def live(self, configuration: ProvisioningConfiguration) -> list[ClientSecret]:
        return rotation.live(configuration, at=timezone.now())

    def revoke(self, configuration: ProvisioningConfiguration, chosen: Credential) -> None:
        rotation.revoke_secret(
            configuration=configuration, secret_id=chosen.pk, actor=operator("revokesecret"), at=timezone.now()
        )
