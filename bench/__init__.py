"""Measurements of the product beside plain baselines, in one run. Each prints a table and one line of JSON."""
