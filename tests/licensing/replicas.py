"""A subscription to which everything may happen that admins and identity providers can do, told by plain names."""

from dataclasses import dataclass, field
from datetime import datetime

from licensing.models import LicenseGrant, LicensePool
from licensing.services import choices
from provisioning.license_types import LicenseType
from provisioning.models import (
    AuditEntry,
    LoginAccount,
    ProvisioningLogEntry,
    UserGroup,
)
from provisioning.services import group_settings, groups, people, policies
from provisioning.services.configurations import set_default_license
from tests.factories import (
    ACTOR,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_group,
    make_subscription,
)
from tests.licensing.people import (
    NONE,
    change_account,
    change_members,
    purchase,
    reconcile,
    remove,
    remove_group,
)


@dataclass
class Person:
    """What a plain model knows of an account; ``configuration`` None: a manual one. ``names`` are all it ever had."""

    username: str
    configuration: int | None
    is_enabled: bool = True
    is_removed: bool = False
    pinned: LicenseType | None = None
    manual: LicenseType = NONE
    names: set[str] = field(default_factory=set)


@dataclass
class Group:
    """What a plain model knows of a group; ``names`` are all it ever had, ``ever`` all who ever were members."""

    name: str
    configuration: int
    license_type: LicenseType | None = None
    is_deleted: bool = False
    members: set[int] = field(default_factory=set)
    ever: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


@dataclass
class Model:
    """Who there is, and what they want (1-product §1.4, rule 1), in a few lines of plain Python."""

    defaults: list[LicenseType]
    people: dict[int, Person] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    fill_policy: str = "always"

    def wanted(self, key: int) -> LicenseType:
        person = self.people[key]
        if not person.is_enabled:
            return NONE
        if person.pinned is not None:
            return person.pinned
        own = person.manual if person.configuration is None else self.defaults[person.configuration]
        given = [one.license_type or NONE for one in self.groups.values() if key in one.members and not one.is_deleted]
        return max([own, *given])

    def words_about(self, key: int) -> set[str]:
        """The names under which the logs tell what may have cost the account its license."""
        concerning = [one for one in self.groups.values() if key in one.ever]
        names = set().union(self.people[key].names, *(one.names for one in concerning))
        return names | {f"Entra {self.people[key].configuration}"}


class Replica:
    """One subscription with the deeds of a history."""

    def __init__(self, defaults, at):
        self.subscription = make_subscription(at=at)
        self.configurations = [
            make_configuration(self.subscription, f"Entra {number}", default_license_type=one, at=at)
            for number, one in enumerate(defaults)
        ]
        make_admin(self.subscription, at=at)
        self.ids: dict[int, int] = {}
        self.groups: dict[int, int] = {}
        self.set_policies(at, protection_least=policies.MOST_LEAST)

    def account(self, key):
        return LoginAccount.objects.select_related("configuration", "subscription").get(pk=self.ids[key])

    def group(self, key):
        return UserGroup.objects.select_related("configuration", "subscription").get(pk=self.groups[key])

    def create(self, at, key, username, configuration, is_enabled):
        account = make_account(self.configurations[configuration], username, is_enabled=is_enabled, at=at)
        self.ids[key] = account.pk

    def create_manual(self, at, key, username, license_type):
        account = people.create_person(
            subscription=self.subscription,
            username=username,
            full_name=username,
            email=f"{username}@contoso.example",
            role=LoginAccount.Role.NO_ROLE,
            info1="",
            info2="",
            actor=ACTOR,
            at=at,
        )
        self.ids[key] = account.pk
        self.choose(at, key, license_type)

    def rename(self, at, key, username):
        change_account(self.account(key), username=username, at=at)

    def set_active(self, at, key, is_enabled):
        account = self.account(key)
        if account.configuration is not None:
            change_account(account, is_enabled=is_enabled, at=at)
        else:
            deed = people.enable_person if is_enabled else people.disable_person
            deed(account=account, actor=ACTOR, at=at)

    def remove(self, at, key):
        remove(self.account(key), at=at)

    def delete_manual(self, at, key):
        people.delete_person(account=self.account(key), actor=ACTOR, at=at)
        del self.ids[key]

    def create_group(self, at, key, name, configuration, *, members, license_type):
        accounts = [self.account(one) for one in sorted(members)]
        group = make_group(self.configurations[configuration], name, members=accounts, license_type=license_type, at=at)
        self.groups[key] = group.pk

    def change_members(self, at, key, add, remove):
        added, removed = ([self.account(one) for one in sorted(keys)] for keys in (add, remove))
        change_members(self.group(key), add=added, remove=removed, at=at)

    def rename_group(self, at, key, name):
        group = self.group(key)
        document = {**group.document, "displayName": name}
        profile = groups.GroupProfile(
            display_name=name,
            external_id=group.external_id,
            document=document,
            search={**document, "displayName": name.casefold()},
        )
        call = make_call(group.configuration, operation="update", resource_type="Group", at=at)
        groups.change_group(scim_id=group.scim_id, change=lambda _: groups.GroupChange(profile=profile), call=call)

    def set_group_license(self, at, key, license_type):
        group_settings.set_group_license(group=self.group(key), license_type=license_type, actor=ACTOR, at=at)

    def remove_group(self, at, key):
        remove_group(self.group(key), at=at)

    def set_default(self, at, number, license_type):
        set_default_license(configuration=self.configurations[number], license_type=license_type, actor=ACTOR, at=at)

    def pin(self, at, keys, license_type):
        ids = [self.ids[key] for key in keys]
        choices.pin(subscription=self.subscription, account_ids=ids, license_type=license_type, actor=ACTOR, at=at)

    def choose(self, at, key, license_type):
        choices.choose_manual(
            subscription=self.subscription, account_ids=[self.ids[key]], license_type=license_type, actor=ACTOR, at=at
        )

    def purchase(self, at, named, read_only):
        purchase(self.subscription, at=at, named=named, read_only=read_only)

    def set_policies(self, at, **chosen):
        policies.set_policies(subscription=self.subscription, actor=ACTOR, at=at, **chosen)

    def reconcile(self, at, batch, runs):
        for _ in range(runs):
            reconcile(self.subscription, now=at, batch=batch)

    def grants(self) -> dict[int, LicenseGrant]:
        """What is recorded for the people that the history knows."""
        keys = {pk: key for key, pk in self.ids.items()}
        rows = LicenseGrant.objects.filter(account__in=keys).select_related("source_group")
        return {keys[grant.account_id]: grant for grant in rows}

    def pools(self) -> list[LicensePool]:
        return list(LicensePool.objects.filter(subscription=self.subscription).order_by("license_type"))

    def everything(self):
        """All that is recorded about licenses, in a form that two replicas share."""
        return (
            [
                (one.purchased, one.granted, one.ceiling, one.generation == one.observed_generation)
                for one in self.pools()
            ],
            {key: self._told(grant) for key, grant in sorted(self.grants().items())},
        )

    def was_told(self, at: datetime, names: set[str]) -> bool:
        """Whether the provisioning log or the audit log has a row of that moment about one of these names."""
        calls = ProvisioningLogEntry.objects.filter(subscription=self.subscription, at=at)
        if names & set(calls.values_list("resource_name", flat=True)):
            return True
        acts = AuditEntry.objects.filter(subscription=self.subscription, at=at)
        return any(names & {act.target, *act.changes} for act in acts)

    @staticmethod
    def _told(grant):
        group = grant.source_group.display_name if grant.source_group else ""
        return (
            *(grant.wanted_type, grant.granted_type, grant.source_kind, group, grant.username_key),
            *(grant.asked_at, grant.granted_at, grant.passed_over_at, grant.release_due_at),
        )
