"""The demo's shop, "Loden & Sons": a storefront with basket and checkout as a merchant would build it. Demo only.

It knows a member by calling the perk API over HTTP and by nothing else (till.py), keeps its own small state in the
visitor's session (visit.py), and shows every call it made beside what came back.
"""
