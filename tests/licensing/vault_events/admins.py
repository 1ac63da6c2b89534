"""What admins of vaults do: links, access, full control, the policy about people who disable vault users."""

from licensing.models import VaultUser
from licensing.reconcilers import licenses
from provisioning.services import links, policies, vault_access
from tests.factories import ACTOR
from tests.licensing.vault_worlds import MODES, Slot


def pause(world, number, _):
    """First licenses are looked at, so that what the link wanted is known to be what it was told."""
    slot = world.slot(number)
    if slot.is_live and slot.row.paused_at is None:
        licenses.reconcile(world.subscription.pk, now=world.now)
        slot.frozen = {uid for uid in world.able() if uid in world.wanted_by(slot)} - blocked_out(world)
        links.pause_link(link=slot.row, actor=ACTOR, at=world.now)


def blocked_out(world):
    """Who is blocked and was not seen in the vault is not on the way to a target."""
    there = VaultUser.objects.filter(vault=world.vault, seen_enabled__isnull=False)
    known = {str(uid) for uid in there.values_list("account_uid", flat=True)}
    blocked = {str(one.uid) for one in world.living() if vault_access.decision(one, world.vault).access == "blocked"}
    return blocked - known


def resume(world, number, _):
    slot = world.slot(number)
    if slot.is_live and slot.row.paused_at is not None:
        links.resume_link(link=slot.row, actor=ACTOR, at=world.now)


def mode(world, number, is_merging):
    if (slot := world.slot(number)).is_live:
        links.set_mode(link=slot.row, mode=MODES["merge" if is_merging % 2 else "replace"], actor=ACTOR, at=world.now)


def move(world, number, group):
    """Let the target follow another source."""
    slot, source = world.slot(number), world.sources[group % len(world.sources)][-1]
    if slot.is_live and slot.source != group % len(world.sources) and source.deleted_at is None:
        links.move_link(link=slot.row, group=source.group, actor=ACTOR, at=world.now)
        slot.source, slot.follows = group % len(world.sources), False


def unlink(world, number, members_stay):
    """Remove a link; who stays in the target is nobody's from then on, as if a person had put it there."""
    slot = world.slot(number)
    if slot.row is None or (slot.ended and not members_stay):
        return
    if members_stay:
        slot.put_by_people |= world.members_now(slot)
        world.kept |= world.enabled_now() | world.wanted_by(slot) | slot.frozen
    slot.ended = "stay" if members_stay else "leave"
    links.remove_link(link=slot.row, members=links.Members(slot.ended), actor=ACTOR, at=world.now)


def link_again(world, number, group):
    """Fill the target from a source again, once its last link has gone."""
    slot, source = world.slot(number), group % len(world.sources)
    if slot.row is None and world.sources[source][-1].deleted_at is None:
        link = world.make_link(source, slot.target.name, MODES["merge" if number > 1 else "replace"])
        world.slots[world.slots.index(slot)] = Slot(link, source, put_by_people=slot.put_by_people)


def access(world, number, deed):
    act = (vault_access.give_access, vault_access.take_access, vault_access.block)[deed % 3]
    act(accounts=[world.account(number)], vault=world.vault, actor=ACTOR, at=world.now)


def unblock(world, number, _):
    vault_access.unblock(accounts=[world.account(number)], vault=world.vault, actor=ACTOR, at=world.now)


def full_control(world, number, wish):
    decided = {"accounts": [world.account(number)], "full_control": (None, True, False)[wish % 3]}
    vault_access.set_full_control(**decided, vault=world.vault, actor=ACTOR, at=world.now)


def override(world, is_on, _):
    policy = {"overrides_vault_disabling": bool(is_on % 2)}
    policies.set_policies(subscription=world.subscription, actor=ACTOR, at=world.now, **policy)


EVENTS = (pause, resume, mode, move, unlink, link_again, link_again, access, access, unblock, full_control, override)
