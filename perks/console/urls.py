from __future__ import annotations

from membership.console import acts

urlpatterns = acts.routes("perks")
