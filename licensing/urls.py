from django.urls import path

from licensing import views

urlpatterns = [
    path("<slug:number>/fragments/home/", views.home, name="licensing_home"),
    path("<slug:number>/fragments/account/<int:pk>/", views.account, name="licensing_account"),
    path("<slug:number>/fragments/group-license/<int:pk>/", views.group_license, name="licensing_group_license"),
]
