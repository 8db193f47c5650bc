"""The rehearsal: many members live through years on one moved clock, in a folder of their own; then the books are checked.

`manage.py rehearse` is its only door. Nothing of it runs in a real installation.
"""
