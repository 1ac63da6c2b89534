from django.apps import AppConfig


class MfmanageConfig(AppConfig):
    name = "mfmanage"
    verbose_name = "mfmanage"
