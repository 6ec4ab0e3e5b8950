"""The hours of a day in which what can wait is begun."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from continuo.config.tenants import Zone
from continuo.data import Data


class OffPeak(Data):
    """From `begins` until `ends` on the clocks of `zone`, over midnight where that is the earlier one.

    Where the clocks are put forward over one of these times, it is as late as if they had not been.
    """

    begins: time
    ends: time
    zone: Zone = "UTC"

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """From when until when (UTC) things may begin: the hours in which `now`, which has a time zone, is, or the
        next ones."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        over_midnight = timedelta(days=int(self.ends <= self.begins))
        days = (today + timedelta(days=number) for number in range(-2, 4))
        windows = [(self._at(day, self.begins), self._at(day + over_midnight, self.ends)) for day in days]
        # Where the clocks are put forward over all of it there is none that day.
        return next((begin, end) for begin, end in windows if begin < end and now < end)

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, ZoneInfo(self.zone)).astimezone(UTC)


def off_peak(text: str, zone: str) -> OffPeak:
    """Read `22:00-06:00`. Raises `ValueError` for anything else."""
    clock = "([01][0-9]|2[0-3]):[0-5][0-9]"
    match = re.fullmatch(f"(?P<begins>{clock})-(?P<ends>{clock})", text.strip())
    if match is None or match["begins"] == match["ends"]:
        raise ValueError(f"{text[:80]!r} is no window of a day; write when it begins and ends, such as 22:00-06:00")
    return OffPeak(begins=time.fromisoformat(match["begins"]), ends=time.fromisoformat(match["ends"]), zone=zone)
