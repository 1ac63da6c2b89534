from django.urls import path

from provisioning.oauth.views import ClientCredentialsTokenView

urlpatterns = [path("token", ClientCredentialsTokenView.as_view(), name="token")]
