"""Hours of the day, in the time of the place, such as "22:00-06:00"."""

import re
from datetime import datetime, time, timedelta
from typing import NamedTuple, Self

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Hours(NamedTuple):
    """From a time of day to another, over midnight where that is the earlier one."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for another form, and for hours without length."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("expected hours of the day such as 22:00-06:00")
        hour, minute, last_hour, last_minute = map(int, match.groups())
        hours = cls(time(hour, minute), time(last_hour, last_minute))
        if hours.begin == hours.end:
            raise ValueError("these hours end when they begin")
        return hours

    def next_open(self, now: float) -> float:
        """When they begin next; now itself while they last. Seconds since 1970."""
        moment = datetime.fromtimestamp(now)
        of_day = moment.time()
        if self.begin < self.end:
            is_open = self.begin <= of_day < self.end
        else:
            is_open = of_day >= self.begin or of_day < self.end
        if is_open:
            return now
        day = moment.date() if of_day < self.begin else moment.date() + timedelta(days=1)
        return datetime.combine(day, self.begin).timestamp()


def next_open(hours: str, now: float) -> float:
    """When hours begin next that were checked before; always now for the empty ones. Seconds since 1970."""
    return Hours.parse(hours).next_open(now) if hours else now
