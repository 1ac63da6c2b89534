from django.apps import AppConfig


class LicensingConfig(AppConfig):
    name = "licensing"
    verbose_name = "Licensing"

    def ready(self) -> None:
        from licensing import embedded, handlers, portal
        from licensing.services import deletions, vault_removals
        from provisioning import signals
        from provisioning.signals import account_leaving, directory_changed, policies_changed

        directory_changed.connect(handlers.directory_changed, dispatch_uid="licensing")
        account_leaving.connect(handlers.account_leaving, dispatch_uid="licensing")
        policies_changed.connect(handlers.policies_changed, dispatch_uid="licensing")
        signals.accounts_becoming_manual.connect(deletions.accounts_becoming_manual, dispatch_uid="licensing")
        signals.vault_users_switched.connect(handlers.vault_users_switched, dispatch_uid="licensing")
        signals.links_ending.connect(deletions.links_ending, dispatch_uid="licensing")
        signals.vault_leaving.connect(vault_removals.vault_leaving, dispatch_uid="licensing")
        embedded.connect()
        portal.register()
