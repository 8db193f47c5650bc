"""What a membership is worth: the catalogue, what was granted, what was used, and the shops that ask."""

from perks.models.catalogue import Perk, Sale, TierPerk
from perks.models.concierge import ConciergeEntry, ConciergeFile, ConciergeRequest, DeskChange, Holiday, WorkingHours
from perks.models.confirmations import EmailConfirmation
from perks.models.decisions import Decision
from perks.models.drafts import PerkDraft, Publication
from perks.models.events import Event, WaitingPlace
from perks.models.grants import Entitlement, Grant, SoldTogether
from perks.models.redemptions import LIVE, KeptAnswer, Redemption
from perks.models.sales import FirstAccess
from perks.models.shops import LIVE_KEYS_PER_SHOP, ApiKey, Ref, Shop

__all__ = [
    "LIVE",
    "LIVE_KEYS_PER_SHOP",
    "ApiKey",
    "ConciergeEntry",
    "ConciergeFile",
    "ConciergeRequest",
    "Decision",
    "DeskChange",
    "EmailConfirmation",
    "Entitlement",
    "Event",
    "FirstAccess",
    "Grant",
    "Holiday",
    "KeptAnswer",
    "Perk",
    "PerkDraft",
    "Publication",
    "Redemption",
    "Ref",
    "Sale",
    "Shop",
    "SoldTogether",
    "TierPerk",
    "WaitingPlace",
    "WorkingHours",
]
