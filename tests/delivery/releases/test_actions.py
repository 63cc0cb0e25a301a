"""Which releases are recorded, found and given up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.delivery.releases import actions, errors, queries
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import File, Manifest, Origin, Sealed, surplus
from steerway.platform.db import new_id
from steerway.platform.log.models import Event
from steerway.platform.work import Work


def _sealed(content: str) -> Sealed:
    return Sealed(Manifest("files", "", (File("a", "0644", 5, content * 64),)))


def _release(work: Work, number: int, service: str = "shop") -> Release:
    origin = Origin(f"{number}" * 40, f"v{number}", "Sell beans", "Alice", f"{number}" * 64)
    later = replace(work, now=work.now + timedelta(minutes=number))
    return actions.register(later, service=service, origin=origin, sealed=_sealed(f"{number}"))


def test_the_same_files_are_one_release_of_a_service(work: Work) -> None:
    first, again = _release(work, 1), _release(work, 1)
    other = _release(work, 1, service="mail")

    assert first.id == again.id
    assert other.id != first.id
    assert other.digest == first.digest
    assert Event.objects.filter(type="release.built").count() == 2


def test_a_release_is_found_by_what_people_type(work: Work) -> None:
    one, two = _release(work, 1), _release(work, 2)

    assert queries.find("shop", "v1") == one
    assert queries.find("shop", two.digest[:8]) == two
    assert queries.find("shop", "2222222") == two
    assert queries.latest("shop") == two
    assert queries.latest("mail") is None


def test_an_unknown_release_names_its_neighbours(work: Work) -> None:
    _release(work, 1)

    with pytest.raises(errors.ReleaseUnknown, match=r"shop has no release v7 on disk\. It has v1"):
        queries.find("shop", "v7")


def test_the_newest_are_kept_and_the_protected_among_them(work: Work) -> None:
    releases = [_release(work, number) for number in range(1, 7)]

    removed = actions.keep(work, service="shop", count=3, protected={releases[0].id})

    assert [r.name for r in removed] == ["v4", "v3", "v2"]
    assert [r.name for r in queries.present("shop")] == ["v6", "v5", "v1"]
    event = Event.objects.filter(type="release.removed").earliest("id")
    assert event.service == "shop"


def test_giving_up_twice_is_giving_up_once(work: Work) -> None:
    for number in (1, 2):
        _release(work, number)

    assert len(actions.keep(work, service="shop", count=1)) == 1
    assert actions.keep(work, service="shop", count=1) == []
    assert Event.objects.filter(type="release.removed").count() == 1


def test_a_removed_release_that_is_built_again_is_present_again(work: Work) -> None:
    one, _ = _release(work, 1), _release(work, 2)
    actions.keep(work, service="shop", count=1)

    again = _release(work, 1)

    assert again.id == one.id
    assert again.is_present


def test_other_services_keep_theirs(work: Work) -> None:
    _release(work, 1, service="mail")

    assert actions.keep(work, service="shop", count=1) == []
    assert queries.latest("mail") is not None


def test_everything_protected_is_kept_even_beyond_the_count() -> None:
    ids = [new_id() for _ in range(4)]

    assert surplus(ids, set(ids[1:]), 2) == [ids[0]]
    assert surplus(ids, (), 9) == []
