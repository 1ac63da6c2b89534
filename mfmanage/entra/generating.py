"""Making sample directories of any size: the same arguments always make the same directory."""

import random
import unicodedata
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any

Entry = dict[str, Any]

DOMAIN = "contoso.com"
GIVEN_NAMES = (
    "Anna", "Björn", "Chloé", "Dmitri", "Elina", "Françoise", "Günther", "Hélène", "Ilkka", "Jürgen", "Kaisa", "Łukasz",
    "Märta", "Niamh", "Ólafur", "Päivi", "Raúl", "Søren", "Tuomas", "Ursula", "Väinö", "Wanjiru", "Yuki", "Zoë",
)  # fmt: skip
SURNAMES = (
    "Müller", "O'Brien", "Ångström", "Virtanen", "García", "Nováková", "Jørgensen", "Schröder", "Mäkinen", "D'Angelo",
    "Østergaard", "Weiß", "Kowalska", "Lindqvist", "Smith", "Dubois", "Hämäläinen", "Þórsdóttir", "Tanaka", "Okafor",
    "Peña", "Brown-Żak", "Işık",
)  # fmt: skip
CITIES = ("Tampere", "Espoo", "München", "Göteborg", "Lyngby", "Kraków", "Dublin", "Austin")
UNFOLDED = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "Þ": "Th", "þ": "th", "ð": "d"})

DEPARTMENTS = (("Sales Nordics", 40), ("Legal", 20), ("Engineering", 30), ("Finance", 10))
"""The groups that divide all users among them, with percentages: every user is in exactly one."""

TEAMS = (("Legal/Contracts", "Legal"), ("Engineering/Platform", "Engineering"))
"""Groups of every second member of a department; the slash is part of the name, Entra expands no nesting."""

ORDER = ("Legal", "Legal/Contracts", "Sales Nordics", "Engineering", "Engineering/Platform", "Finance")
PROJECT_SIZE = 20
USERS_PER_LEAVER = 60
SEED = 1


def generate(users: int, groups: int, seed: int = SEED) -> Entry:
    """Return a directory document of ``users`` users and ``groups`` groups, with the changes of a second cycle.

    In the second cycle one user of every sixty is unassigned, one deleted and one disabled; some change names,
    texts, managers and groups. The first six groups have names that look nested, further ones are projects.
    """
    source = random.Random(seed)  # noqa: S311  reproducible, not secret
    people = [_person(number, source) for number in range(users)]
    departments = _departments(people)
    _appoint_managers(departments)
    made = [_group(number, departments, people, source) for number in range(groups)]
    changes = _second_cycle(people, made, source)
    source.shuffle(people)
    return {"users": people, "groups": made, "changes": [changes]}


def _person(number: int, source: random.Random) -> Entry:
    given, surname = GIVEN_NAMES[number % len(GIVEN_NAMES)], SURNAMES[number % len(SURNAMES)]
    turn = number // (len(GIVEN_NAMES) * len(SURNAMES))
    nickname = f"{_folded(given)}.{_folded(surname)}{turn or ''}".lower()
    address = f"{nickname}@{DOMAIN}"
    person = {
        "id": _guid(source),
        "userPrincipalName": address,
        "displayName": f"{given} {surname}",
        "givenName": given,
        "surname": surname,
        "mail": address,
        "mailNickname": nickname,
        "accountEnabled": True,
        "info1": f"Cost center {source.randint(1000, 1999)}",
        "info2": source.choice(CITIES),
        "manager": None,
        "assigned": True,
    }
    return person | ({"info2": None} if number % 10 == 9 else {})  # noqa: PLR2004  every tenth leaves a text empty


def _folded(name: str) -> str:
    """Return a name in letters that a userPrincipalName may have; the apostrophe is one of them."""
    return unicodedata.normalize("NFKD", name.translate(UNFOLDED)).encode("ascii", "ignore").decode()


def _guid(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def _departments(people: list[Entry]) -> dict[str, list[Entry]]:
    """Deal the people out by the percentages; the first of each department leads it."""
    departments: dict[str, list[Entry]] = {}
    dealt = percent = 0
    for name, share in DEPARTMENTS:
        percent += share
        until = len(people) * percent // 100
        departments[name] = people[dealt:until]
        dealt = until
    return departments


def _appoint_managers(departments: dict[str, list[Entry]]) -> None:
    """The first of each department leads it; the first of all leads the leaders and has no manager."""
    leaders = [members[0] for members in departments.values() if members]
    for members in departments.values():
        for member in members[1:]:
            member["manager"] = members[0]["id"]
    for leader in leaders[1:]:
        leader["manager"] = leaders[0]["id"]


def _group(number: int, departments: dict[str, list[Entry]], people: list[Entry], source: random.Random) -> Entry:
    name = ORDER[number] if number < len(ORDER) else f"Project {number - len(ORDER) + 1:03}"
    if name in departments:
        members = departments[name]
    elif name in dict(TEAMS):
        members = departments[dict(TEAMS)[name]][::2]
    else:
        members = source.sample(people, min(PROJECT_SIZE, len(people)))
    return {
        "id": _guid(source),
        "displayName": name,
        "members": [member["id"] for member in members],
        "assigned": True,
    }


def _second_cycle(people: list[Entry], groups: list[Entry], source: random.Random) -> Entry:
    """Return what changes in the second cycle; nobody changes who is another's manager, nobody changes twice."""
    managers = list(dict.fromkeys(person["manager"] for person in people if person["manager"]))
    pool = [person for person in people if person["id"] not in managers]
    source.shuffle(pool)
    changing = iter(pool)
    share = max(1, len(people) // USERS_PER_LEAVER)

    def some(times: int = 1) -> Iterator[Entry]:
        return islice(changing, share * times)

    users = [
        *({"id": person["id"], "assigned": False} for person in some()),
        *({"id": person["id"], "deleted": True} for person in some()),
        *({"id": person["id"], "accountEnabled": False} for person in some()),
        *(_married(person) for person in some()),
        *({"id": person["id"], "info1": "Cost center 2000", "info2": "Helsinki"} for person in some(2)),
        *({"id": person["id"], "manager": _another(person["manager"], managers)} for person in some()),
    ]
    movers = [person["id"] for person in some(2)]
    return {"users": users, "groups": _moves(movers, groups)}


def _another(manager: str | None, managers: list[str]) -> str | None:
    return next((other for other in managers if other != manager), None)


def _married(person: Entry) -> Entry:
    nickname = f"{person['mailNickname']}-berg"
    return {
        "id": person["id"],
        "userPrincipalName": f"{nickname}@{DOMAIN}",
        "displayName": f"{person['displayName']}-Berg",
        "surname": f"{person['surname']}-Berg",
        "mail": f"{nickname}@{DOMAIN}",
        "mailNickname": nickname,
    }


def _moves(movers: list[str], groups: list[Entry]) -> list[Entry]:
    """Take the movers out of the groups they are in and put them into the first one they are not in."""
    moves: dict[str, Entry] = {}

    def note(group: Entry, change: str, mover: str) -> None:
        moves.setdefault(group["id"], {"id": group["id"]}).setdefault(change, []).append(mover)

    rolls = [(group, set(group["members"])) for group in groups]
    for mover in movers:
        for group, members in rolls:
            if mover in members:
                note(group, "removeMembers", mover)
        other = next((group for group, members in rolls if mover not in members), None)
        if other is not None:
            note(other, "addMembers", mover)
    return list(moves.values())
