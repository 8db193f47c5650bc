from django.apps import AppConfig


class LocalStripeConfig(AppConfig):
    name = "billing.emulator"
    label = "local_stripe"
    verbose_name = "Local Stripe"
