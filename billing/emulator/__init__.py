"""The local Stripe: an app of its own that imports nothing of the product and is never loaded in production."""
