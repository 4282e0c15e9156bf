"""Prints `ZONE SECONDS OFFSET` for instants of every zone of the system's database, as Python's zoneinfo has it."""
import zoneinfo
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Over 1850 to 2250 in steps that hit all hours and seasons, and the ends of what Python's datetime holds.
INSTANTS = [*range(-3_786_912_000, 8_835_868_800, 29_387_123), -62_135_500_000, 253_402_200_000]

for name in sorted(zoneinfo.available_timezones()):
    if name in ("Factory", "localtime"):  # a placeholder, and the machine's own
        continue
    zone = zoneinfo.ZoneInfo(name)
    for seconds in INSTANTS:
        offset = (EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
        print(name, seconds, round(offset.total_seconds()))
