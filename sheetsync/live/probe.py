"""PURE: what is tried, what is expected of it, what was seen, and what another outcome means for the user."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

NOT_TRIED = "not tried"
REFUSED, TAKEN = "refused", "taken"


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that the program relies on. `means` says what another outcome means, and what to do.

    `is_safety`: money, or the cells of people, rest on it. `needs` names the probe without which this one says nothing.
    """

    name: str
    expected: str
    means: str
    is_safety: bool = True
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen; `detail` is what else is worth telling of it, and is not compared."""

    probe: Probe
    seen: str
    detail: str = ""

    @property
    def is_expected(self) -> bool:
        """Whether it is as expected."""
        return self.seen == self.probe.expected

    @property
    def is_different(self) -> bool:
        """Whether something else was seen; what could not be tried is neither."""
        return self.seen not in (self.probe.expected, NOT_TRIED)


def settled(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, without those that only follow from another: what it rests on was different already."""
    held = list(findings)
    expected = {finding.probe.name for finding in held if finding.is_expected}
    return [
        replace(finding, seen=NOT_TRIED, detail=f"see '{finding.probe.needs}'")
        if finding.is_different and finding.probe.needs and finding.probe.needs not in expected
        else finding
        for finding in held
    ]


def is_safe(findings: Sequence[Finding]) -> bool:
    """Whether everything that safety rests on was seen, and is as expected."""
    return all(finding.is_expected for finding in findings if finding.probe.is_safety)
