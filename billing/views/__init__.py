"""Billing's pages, a module a subject, and Stripe's webhook door."""
