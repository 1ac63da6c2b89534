"""The sentence that says why (1-product §1.4, rule 8)."""

from datetime import date

import pytest

from licensing.plans.licenses import SourceKind
from licensing.plans.why import WhyFacts, why
from provisioning.license_types import LicenseType

NONE, READ_ONLY, CONCURRENT, NAMED = LicenseType
TODAY = date(2026, 5, 20)
DAYS = {"asked_on": date(2026, 5, 12), "granted_on": date(2026, 5, 13)}
OF_LEGAL = {"source": SourceKind.GROUP, "source_name": "Legal", **DAYS}


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"wanted": NAMED, "granted": NAMED, **OF_LEGAL}, "Named, from group Legal (asked 12 May, granted 13 May)"),
        (
            {"wanted": NAMED, "granted": READ_ONLY, "place": 4, "queue": 17, **OF_LEGAL},
            "Waits for Named, place 4 of 17, has Read only meanwhile",
        ),
        (
            {"wanted": READ_ONLY, "granted": NONE, "place": 1, "queue": 1},
            "Waits for Read only, place 1 of 1, has no license meanwhile",
        ),
        (
            {"wanted": READ_ONLY, "granted": READ_ONLY, "source": SourceKind.DEFAULT, "source_name": "Entra", **DAYS},
            "Read only, the default of Entra (asked 12 May, granted 13 May)",
        ),
        (
            {
                "wanted": CONCURRENT,
                "granted": CONCURRENT,
                "source": SourceKind.PIN,
                "asked_on": date(2025, 12, 31),
                "granted_on": TODAY,
            },
            "Concurrent, pinned to the account (asked 31 December 2025, granted 20 May)",
        ),
        (
            {"wanted": NAMED, "granted": NAMED, "source": SourceKind.MANUAL, **DAYS},
            "Named, chosen by a person (asked 12 May, granted 13 May)",
        ),
        ({}, "No license: neither the account itself, its configuration nor a group gives one"),
        ({"source": SourceKind.PIN}, "No license, as pinned to the account"),
        ({"looked_at": False}, "Not yet looked at"),
        ({"is_enabled": False}, "No license: the account is disabled"),
        ({"is_enabled": False, "granted": NAMED}, "Named, kept although the account is disabled"),
        (
            {"is_enabled": False, "is_removed": True, "granted": NAMED, "release_due_on": date(2026, 5, 27)},
            "Named until 27 May, because the account was removed by the identity provider",
        ),
    ],
)
def test_the_sentence_is_the_truth(facts, sentence):
    assert why(WhyFacts(today=TODAY, **facts)) == sentence
