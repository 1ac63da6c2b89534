"""What identity providers, and admins who keep manual and application accounts, do: who there is, in which groups."""

from datetime import timedelta

from provisioning.models import LoginAccount
from provisioning.services import applications, configurations, people
from tests.factories import ACTOR, make_account, make_application, make_group, make_person
from tests.licensing.people import change_account, change_members, purchase, remove, remove_group
from tests.licensing.vault_worlds import Incarnation

MOST = 8
"""Of so many accounts, deleted ones included, a world knows at most."""
KIND = LoginAccount.Kind


def enable(world, number, is_enabled):
    set_enabled(world, world.account(number), is_enabled=bool(is_enabled))


def set_enabled(world, account, *, is_enabled):
    if account.scim_id is not None:
        change_account(account, is_enabled=is_enabled, at=world.now)
        return
    switch = {
        (KIND.PERSON, True): people.enable_person,
        (KIND.PERSON, False): people.disable_person,
        (KIND.APPLICATION, True): applications.enable_application,
        (KIND.APPLICATION, False): applications.disable_application,
    }
    switch[KIND(account.kind), is_enabled](account=account, actor=ACTOR, at=world.now)


def rename(world, number, _):
    """Give an account another username and another name."""
    account, name = world.account(number), world.new_name("renamed")
    if account.scim_id is not None:
        change_account(account, username=name, full_name=name.title(), at=world.now)
    elif account.kind == KIND.APPLICATION:
        applications.change_application(account=account, name=name.title(), client_id=name, actor=ACTOR, at=world.now)
    else:
        kept = {field: getattr(account, field) for field in ("email", "role", "info1", "info2")}
        change = {"username": name, "full_name": name.title(), **kept}
        people.change_person(account=account, actor=ACTOR, at=world.now, **change)


def arrive(world, number, group):
    """Make one more account: manual, an application's, or, more often, provisioned into a group."""
    if len(world.uids) >= MOST:
        return
    name = world.new_name("new")
    if number == 0:
        world.know_manual(make_person(world.subscription, name, at=world.now))
    elif number == 1:
        world.know_manual(make_application(world.subscription, name, at=world.now))
    else:
        account = make_account(world.configuration, name, at=world.now)
        world.know(account)
        join(world, account, group)


def member(world, number, group):
    """Add an account to a group, or take it out."""
    account, source = world.account(number), world.sources[group % len(world.sources)][-1]
    if account.scim_id is None or source.deleted_at is not None:
        return
    if str(account.uid) in source.members:
        change_members(source.group, remove=[account], at=world.now)
        source.members.discard(str(account.uid))
    else:
        join(world, account, group)


def join(world, account, group):
    source = world.sources[group % len(world.sources)][-1]
    if source.deleted_at is None:
        change_members(source.group, add=[account], at=world.now)
        source.members.add(str(account.uid))


def licenses(world, number, _):
    purchase(world.subscription, read_only=number + 2, at=world.now)


def delete_account(world, number, _):
    """Delete an account for good, as far as it may be; three always stay."""
    account = world.account(number)
    if len(world.living()) <= 3:
        return
    if account.scim_id is not None:
        remove(account, at=world.now)
    else:
        set_enabled(world, account, is_enabled=False)
    delete = applications.delete_application if account.kind == KIND.APPLICATION else people.delete_person
    delete(account=LoginAccount.objects.get(pk=account.pk), actor=ACTOR, at=world.now)
    for incarnations in world.sources:
        for one in incarnations:
            one.members.discard(str(account.uid))


def delete_source(world, group, _):
    source = world.sources[group % len(world.sources)][-1]
    if source.deleted_at is None:
        remove_group(source.group, at=world.now)
        source.deleted_at = world.now


def create_source_again(world, group, size):
    """The provider makes the group again, once at most, with other members; links follow."""
    number = group % len(world.sources)
    former = world.sources[number][-1]
    if former.deleted_at is None or len(world.sources[number]) > 1:
        return
    accounts = [one for one in world.living() if one.scim_id is not None][: size + 1]
    group = make_group(
        world.configuration,
        former.group.display_name,
        members=accounts,
        external_id=former.group.external_id,
        at=world.now,
    )
    world.sources[number].append(Incarnation(group, {str(one.uid) for one in accounts}))
    for slot in world.slots:
        if slot.link is not None and slot.ended != "leave" and slot.source == number:
            slot.follows = True


def pause_provisioning(world, is_paused, _):
    """A paused configuration changes nothing for who is there."""
    deed = configurations.pause_configuration if is_paused % 2 else configurations.resume_configuration
    deed(configuration=world.configuration, actor=ACTOR, at=world.now)
    world.configuration.refresh_from_db()


def wait_a_day(world, *_):
    """Let the members of deleted sources leave."""
    world.now += timedelta(hours=25)
    world.sweep()


EVENTS = (
    enable,
    enable,
    rename,
    arrive,
    member,
    member,
    licenses,
    delete_account,
    delete_source,
    create_source_again,
    pause_provisioning,
    wait_a_day,
)
