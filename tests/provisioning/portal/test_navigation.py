"""The navigation: the entry of the page that is open is the current one, on every page."""

import re

ENTRY = re.compile(r'aria-current="page"[^>]*>\s*<svg.*?</svg>\s*(?:<span>)?([^<]+)', re.DOTALL)
CURRENT = {
    "": "Home",
    "users/": "Internal users",
    "applications/": "Application accounts",
    "vaults/": "Vaults",
    "trusted/": "Trusted persons",
    "licenses/": "Licenses",
    "provisioning/configurations/": "Configurations",
    "provisioning/groups/": "User groups",
    "provisioning/links/": "Links",
    "provisioning/log/": "Log",
    "provisioning/held/": "Held changes",
    "audit/": "Audit log",
    "settings/": "Settings",
    "settings/notifications/": "Notifications",
}


def test_one_entry_is_current_on_every_page_and_the_last_crumb_names_it(contoso, admin):
    wrong = {}
    for url in contoso.pages():
        page = admin.get(url).content.decode()
        path = url.removeprefix(contoso.url())
        part = max((part for part in CURRENT if path.startswith(part)), key=len)
        if (found := [name.strip() for name in ENTRY.findall(page)]) != [CURRENT[part]]:
            wrong[url] = found
        assert page.count('<li aria-current="page"><span>') == 1, url

    assert wrong == {}
