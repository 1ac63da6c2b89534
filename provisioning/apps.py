from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Provisioning"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created
        from django.db.models.signals import post_migrate

        from provisioning import handlers, rls, tenancy
        from provisioning.signals import mail_waiting

        connection_created.connect(tenancy.install, dispatch_uid="provisioning")
        post_migrate.connect(rls.protect, sender=self, dispatch_uid="provisioning")
        mail_waiting.connect(handlers.mail_waiting, dispatch_uid="provisioning")
