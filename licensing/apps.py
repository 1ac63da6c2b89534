from django.apps import AppConfig


class LicensingConfig(AppConfig):
    name = "licensing"
    verbose_name = "Licensing"

    def ready(self) -> None:
        from licensing import embedded, handlers, portal
        from provisioning.signals import directory_changed

        directory_changed.connect(handlers.directory_changed, dispatch_uid="licensing")
        embedded.connect()
        portal.register()
