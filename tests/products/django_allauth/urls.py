"""Where the product is mounted: nothing here is ours."""

from django.urls import include, path

urlpatterns = [
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/", include("allauth.urls")),  # the product builds links from these names
]
