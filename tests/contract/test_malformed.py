"""How strict the sandbox is: of what a slip makes of the program's own requests, nothing passes for well-formed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from contract.malformed import Sample, Variant, programs_requests, variants
from support.held import held_against_google

from sheetsync.sandbox.google.schema import Schema

AT_LEAST, REFUSED = 400, 0.98


@pytest.fixture(scope="module")
def schema() -> Iterator[Schema]:
    with held_against_google(refusals=True) as held:
        yield held


@pytest.fixture(scope="module")
def samples(schema: Schema) -> list[Sample]:
    return programs_requests()


def test_the_program_sends_well_formed_requests_only(schema: Schema, samples: list[Sample]) -> None:
    """Each of them is accepted where it was sent; together they are every kind of request that the program has."""
    for sample in samples:
        assert sample.send(sample.side(), sample.request).status == 200, sample.request
    assert schema.refused == []
    print("\nkinds sent:", ", ".join(sorted({sample.kind for sample in samples})))
    assert len({sample.kind for sample in samples}) >= 13


def test_malformed_variants_are_refused(schema: Schema, samples: list[Sample]) -> None:
    """At least 98 % of them, in Google's envelope, with the book as it was."""
    made, accepted = Counter[str](), list[tuple[Sample, Variant]]()
    for sample in samples:
        side = sample.side()
        book = next(iter(side.google.books.values()))
        for variant in variants(schema, sample.request):
            made[variant.rule] += 1
            version = book.version
            response = sample.send(side, variant.request)
            if response.status == 200:
                accepted.append((sample, variant))
                side = sample.side()
                book = next(iter(side.google.books.values()))
                continue
            assert (response.status, response.json()["error"]["status"]) == (400, "INVALID_ARGUMENT"), variant
            assert book.version == version
    passed = Counter(variant.rule for _, variant in accepted)
    print("\nmalformed variants refused, by rule:")
    for rule, count in sorted(made.items()):
        print(f"  {rule}: {count - passed[rule]} of {count}")
    for sample, variant in accepted:
        print(f"  accepted: {variant.rule} at {sample.kind}{variant.where.removeprefix('.' + sample.kind)}")
    total = made.total()
    print(f"  together: {total - len(accepted)} of {total} ({1 - len(accepted) / total:.1%})")
    assert total >= AT_LEAST
    assert len(accepted) <= (1 - REFUSED) * total
