"""The rehearsal: many members live through years on one moved clock; then the books are checked.

`manage.py rehearse` is its only door. Nothing of it runs in a real installation.
"""
