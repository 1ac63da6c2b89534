from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Provisioning"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from provisioning import tenancy

        connection_created.connect(tenancy.install, dispatch_uid="provisioning")
