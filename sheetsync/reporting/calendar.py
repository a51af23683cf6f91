"""The ends of codes in use as a calendar (iCalendar), for those who live in one.

Owns what an event says: never a code. An event keeps its id as long as its code is the same: to import the file again
moves what has changed.
"""

from datetime import UTC, timedelta
from uuid import NAMESPACE_URL, uuid5

from icalendar import Alarm, Calendar, Event

from sheetsync.columns import BY_KEY
from sheetsync.reporting.statement import Line, Statement

TOLD = ("client", "campaign", "market", "creator_owner", "paid_owner", "renewal_owner", "renewal_decision")


def calendar_of(statement: Statement) -> bytes:
    """An event for each code in use whose end is known, with an alarm when its row says `renewal needed`."""
    calendar = Calendar()
    calendar.add("prodid", "-//sheetsync//report//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Spark codes: {', '.join(statement.trackers)}")
    for line in statement.in_use:
        if line.ends:
            calendar.add_component(_event(line, statement))
    return bytes(calendar.to_ical())


def _event(line: Line, statement: Statement) -> Event:
    event = Event()
    about = f"{line.name} ({line.client})"
    event.add("uid", f"{uuid5(NAMESPACE_URL, f'sheetsync/{line.tracker}/{line.video}/{line.request_id}')}@sheetsync")
    event.add("dtstamp", statement.made_at.astimezone(UTC).replace(microsecond=0))
    assert line.ends
    event.add("dtstart", line.ends.astimezone(UTC))
    event.add("summary", f"Spark code ends: {about}")
    told = [f"{BY_KEY[key].header}: {line.text(key)}" for key in TOLD if line.text(key)]
    event.add("description", "\n".join([f"Video {line.video}", *told, *([f"Row: {line.link}"] if line.link else [])]))
    if line.link:
        event.add("url", line.link)
    # nobody is busy because a code ends
    event.add("transp", "TRANSPARENT")
    if line.state != "retired":
        event.add_component(_alarm(line, about))
    return event


def _alarm(line: Line, about: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"Renew or retire: the Spark code of {about} ends in {line.warn_hours} hours")
    alarm.add("trigger", timedelta(hours=-line.warn_hours))
    return alarm
