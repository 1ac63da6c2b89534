"""The strict Content-Security-Policy holds: nothing inline anywhere, and vendored scripts are what we locked."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

ROOT = Path(settings.BASE_DIR)
VENDOR = ROOT / "mfmanage" / "static" / "vendor"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
INLINE = {
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "an inline style": re.compile(r"<style|\sstyle\s*=", re.IGNORECASE),
    "an event handler": re.compile(r"\son[a-z]+\s*=|\shx-on", re.IGNORECASE),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_a_template_has_nothing_inline_and_is_short(template):
    text = template.read_text(encoding="utf-8")

    assert [what for what, pattern in INLINE.items() if pattern.search(text)] == []
    assert len(text.splitlines()) <= 120


@pytest.mark.parametrize("script", sorted((ROOT / "mfmanage/static/js").glob("*.js")), ids=lambda path: path.name)
def test_own_scripts_are_small_and_evaluate_nothing(script):
    text = script.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 150
    assert not re.search(r"\beval\(|new Function|innerHTML|setAttribute\(.style", text)


def test_vendored_scripts_are_exactly_those_of_the_lock():
    lock = json.loads((VENDOR / "vendor.lock.json").read_text(encoding="utf-8"))

    assert {path.name for path in VENDOR.glob("*.js")} == set(lock)
    for name, entry in lock.items():
        digest = base64.b64encode(hashlib.sha384((VENDOR / name).read_bytes()).digest()).decode()
        assert entry["integrity"] == f"sha384-{digest}"
        assert (VENDOR / entry["license"]).read_text(encoding="utf-8").strip()
        assert re.search(r"-\d+\.\d+\.\d+\.", name), "the version stands in the name"


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.elements = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def elements(client, url):
    return Elements(client.get(url).content.decode()).elements


def test_pages_load_vendored_scripts_with_their_digest(contoso, admin):
    scripts = [attributes for tag, attributes in elements(admin, contoso.url()) if tag == "script"]

    assert any("htmx-" in one["src"] and one["integrity"].startswith("sha384-") for one in scripts)
    assert all("integrity" in one or one["type"] == "module" for one in scripts)


def test_the_policy_allows_own_files_only(contoso, admin):
    policy = admin.get(contoso.url())["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_every_page_is_one_document_with_title_language_and_main(contoso, admin):
    for url in [*contoso.pages(), "/account/login/"]:
        page = (admin if url != "/account/login/" else Client()).get(url).content.decode()
        found = Elements(page).elements
        tags = [tag for tag, _ in found]
        ids = [attributes["id"] for _, attributes in found if attributes.get("id")]
        assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1), url
        assert dict(found)["html"].get("lang") == "en"
        assert len(ids) == len(set(ids)), (url, sorted(one for one in ids if ids.count(one) > 1))


def test_every_field_has_a_label(contoso, admin):
    for url in [*contoso.pages(), "/account/login/"]:
        found = elements(admin if url != "/account/login/" else Client(), url)
        labels = {attributes.get("for") for tag, attributes in found if tag == "label"}
        fields = [
            attributes
            for tag, attributes in found
            if tag in {"input", "select", "textarea"} and attributes.get("type") != "hidden"
        ]
        unlabeled = [one for one in fields if one.get("id") not in labels and not one.get("aria-label")]
        assert unlabeled == [], url


@pytest.mark.parametrize("url", ["/no/such/page", "/s/nobody/"])
def test_a_missing_page_is_said_in_our_look(url, contoso, admin):
    answer = admin.get(url)

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_a_form_without_its_token_is_refused_in_words(contoso):
    answer = Client(enforce_csrf_checks=True).post("/account/login/", {"login": "a", "password": "b"})

    assert answer.status_code == 403
    assert "The form was not accepted" in answer.content.decode()


def test_a_page_weighs_little(contoso, admin):
    page = gzip.compress(admin.get(contoso.url("users/")).content)
    files = {
        attributes.get("src") or attributes.get("href")
        for tag, attributes in elements(admin, contoso.url("users/"))
        if tag in {"script", "link", "img"}
    }
    own = [ROOT / "mfmanage" / "static" / name.removeprefix("/static/") for name in files]

    assert len(own) + 2 <= 12  # and the page itself, and the icons
    assert len(page) + sum(len(gzip.compress(path.read_bytes())) for path in own) < 100 * 1024
