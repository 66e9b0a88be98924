"""Klaviyo's side of the shop: who can be written to, and the messages that go out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lotuslake.demo.catalogue import FIRST_NAMES, LAST_NAMES
from lotuslake.demo.clock import HISTORY_DAYS
from lotuslake.demo.model import Customer

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FLOW_NAMES = (("Welcome Series", "Added to List"), ("Post-Purchase Thanks", "Metric"), ("Abandoned Cart", "Metric"))
_SUBJECTS = (
    "New moon, new stones",
    "Your weekly ritual",
    "Back in bloom",
    "Almost gone",
    "A gift for you",
    "Full moon sale",
)


def new_id(rng: random.Random, length: int = 26) -> str:
    """An id that looks like Klaviyo's: a ULID, or a short code."""
    return "01" + "".join(rng.choices(_ALPHABET, k=length - 2))


@dataclass(frozen=True, slots=True)
class Message:
    """A campaign or a flow that sends one message; ``sent_at`` is None for flows."""

    id: str
    message_id: str
    name: str
    channel: str
    sent_at: datetime | None = None

    @property
    def is_flow(self) -> bool:
        """Whether a flow sends it."""
        return self.sent_at is None

    @property
    def planned_at(self) -> datetime:
        """When a campaign goes out. Raises ValueError for a flow, which waits for its trigger."""
        if self.sent_at is None:
            raise ValueError(f"flow {self.name} has no time of its own")
        return self.sent_at


@dataclass(frozen=True, slots=True)
class Profile:
    """One address that Klaviyo knows, with or without a customer behind it."""

    id: str
    email: str
    first_name: str | None
    created_at: datetime
    customer: Customer | None
    takes_sms: bool

    def changes(self) -> tuple[datetime, ...]:
        """Made, then touched by each order of its customer."""
        orders = self.customer.orders if self.customer else []
        return tuple(sorted({self.created_at, *(order.created_at + timedelta(seconds=5) for order in orders)}))


def start_of(now: datetime) -> datetime:
    """When the account was opened."""
    return now - timedelta(days=HISTORY_DAYS - 1)


def make_messages(rng: random.Random, now: datetime) -> tuple[list[Message], list[Message]]:
    """Campaigns (an e-mail each Thursday, a text message each sixth week) and flows."""
    campaigns = []
    day = start_of(now).astimezone(UTC).replace(hour=17, minute=0, second=0, microsecond=0)
    day += timedelta(days=(3 - day.weekday()) % 7 + 7)
    week = 0
    while day < now - timedelta(hours=2):
        name = f"{day:%Y-%m-%d} {rng.choice(_SUBJECTS)}"
        campaigns.append(Message(new_id(rng), new_id(rng), name, "email", day))
        if week % 6 == 5:
            sms_at = day + timedelta(days=1)
            if sms_at < now - timedelta(hours=2):
                campaigns.append(Message(new_id(rng), new_id(rng), f"{sms_at:%Y-%m-%d} SMS drop", "sms", sms_at))
        day += timedelta(days=7)
        week += 1
    flows = [
        Message(new_id(rng, 6), new_id(rng, 6), name, "sms" if name.startswith("Post") else "email")
        for name, _ in FLOW_NAMES
    ]
    return campaigns, flows


def make_profiles(rng: random.Random, customers: list[Customer], now: datetime) -> list[Profile]:
    """Most customers, some written differently than in the shop, and subscribers who never bought."""
    profiles = []
    for customer in customers:
        if rng.random() > 0.87:
            continue
        written = rng.random()
        email = customer.email.upper() if written < 0.04 else customer.email
        email = f"{email} " if 0.04 <= written < 0.06 else email
        created_at = max(customer.created_at - timedelta(days=rng.choice((0, 0, 0, 9, 40))), start_of(now))
        profiles.append(Profile(new_id(rng), email, customer.first_name, created_at, customer, rng.random() < 0.35))
    for n in range(max(10, len(customers) // 8)):
        created_at = start_of(now) + timedelta(seconds=rng.randrange((HISTORY_DAYS - 2) * 86_400))
        first = rng.choice((*FIRST_NAMES, None))
        email = f"{(first or 'hello').lower()}.{rng.choice(LAST_NAMES).lower()}.sub{n}@example.org".replace(" ", "")
        profiles.append(Profile(new_id(rng), email, first, created_at, None, rng.random() < 0.2))
    return sorted(profiles, key=lambda profile: (profile.created_at, profile.id))
