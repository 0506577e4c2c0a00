"""Sums up one day: yesterday, or the one that DAY names."""

import os
from datetime import datetime, timedelta

day = os.environ.get("DAY") or f"{datetime.now() - timedelta(days=1):%Y-%m-%d}"
bookings = [(12, "tea"), (30, "books"), (8, "pens")]
for amount, what in bookings:
    print(f"{day} {what}: {amount}")
print(f"{day} total: {sum(amount for amount, _ in bookings)}")
