"""What people do in M-Files Admin, behind the portal's back, and what goes wrong on the way there."""

from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults

STRANGERS = ("guest1", "guest2")
TROUBLE = Faults(error=0.15, reset=0.15, duplicate=0.15)


def switch_user(world, number, is_enabled):
    admin.change_user(world.server, world.guid, world.uid(number), enabled=bool(is_enabled))


def delete_user(world, number, _):
    admin.delete_user(world.server, world.guid, world.uid(number))


def give_roles(world, number, bits):
    admin.change_user(world.server, world.guid, world.uid(number), roles=2 | 1 << bits)


def change_login(world, number, what):
    if username := login_of(world, number):
        changes = (
            {"email": "other@example.com", "full_name": "Other"},
            {"enabled": False},
            {"enabled": True, "full_name": "Another"},
        )
        admin.change_login_account(world.server, username, **changes[what])


def remove_login(world, number, _):
    if username := login_of(world, number):
        admin.delete_login_account(world.server, username)


def login_of(world, number):
    """Return what the server calls an account of ours; the login account of one that was deleted is left alone."""
    known = {str(one.uid) for one in world.living()}
    found = {one.uid: one.username for one in world.logins()}
    return found.get(world.uid(number)) if world.uid(number) in known else None


def put_member(world, number, target):
    change_target(world, target, "add", world.uid(number))


def drop_member(world, number, target):
    change_target(world, target, "remove", world.uid(number))


def put_stranger(world, number, target):
    user = admin.add_user(world.server, world.guid, STRANGERS[number % 2])
    change_target(world, target, "add", user.key)


def change_target(world, target, what, key):
    slot = world.slot(target)
    if slot.target.remote_id:
        admin.change_members(world.server, world.guid, slot.target.remote_id, **{what: [key]})
        slot.put_by_people.add(key)


def rename_target(world, number, _):
    if remote_id := world.slot(number).target.remote_id:
        admin.change_group(world.server, world.guid, remote_id, name=world.new_name("Renamed"))


def delete_target(world, number, _):
    """Not while its link is paused: then it would be made again, empty, only later."""
    slot = world.slot(number)
    if slot.target.remote_id and slot.is_live and slot.row.paused_at is None:
        admin.delete_group(world.server, world.guid, slot.target.remote_id)


def back_up(world, *_):
    admin.back_up(world.server, "late")


def restore(world, which, _):
    """Put the server back; whom the backup has in a target, a person may have put there."""
    admin.restore(world.server, ("early", "late")[which % 2])
    world.is_restored = True
    for slot in world.slots:
        slot.put_by_people |= set(world.uids)


def trouble(world, is_on, _):
    world.server.faults.put(TROUBLE if is_on % 2 else Faults())


EVENTS = (
    switch_user,
    switch_user,
    delete_user,
    give_roles,
    change_login,
    remove_login,
    put_member,
    drop_member,
    put_stranger,
    rename_target,
    delete_target,
    back_up,
    restore,
)
