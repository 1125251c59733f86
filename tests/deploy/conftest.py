"""One deployment for the whole folder; whoever breaks a part of it mends it again."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.deploy.deployment import Deployment, find_postgres
from tests.deploy.visitor import Visitor
from tests.needs import need

PASSWORD = "correct horse battery staple"
_addresses = itertools.count(2)


@pytest.fixture(scope="package")
def site() -> Iterator[Deployment]:
    """The running site."""
    need("nginx", "redis-server", "openssl", "setpriv", find_postgres("postgres") or "postgres", root=True)
    deployment = Deployment()
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.end()


@pytest.fixture
def visit(site: Deployment) -> Callable[[], Visitor]:
    """Makes somebody who has not been here yet, each at an address of their own."""
    return lambda: Visitor(site.origin, site.certificate, f"127.0.0.{next(_addresses)}")


@pytest.fixture
def visitor(visit: Callable[[], Visitor]) -> Visitor:
    """Somebody who has not been here yet."""
    return visit()


@pytest.fixture(scope="package")
def _signed_in(site: Deployment) -> Visitor:
    password = site.first_words.partition("one-time password: ")[2].split()[0]
    admin = Visitor(site.origin, site.certificate, "127.0.1.1")
    assert admin.sign_in("admin", password).status == 302
    change = "/admin/password_change/"
    assert admin.get("/admin/").headers["Location"] == change
    fields = {"old_password": password, "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert admin.post(change, fields).status == 302
    return admin


@pytest.fixture
def staff(_signed_in: Visitor, visitor: Visitor) -> Visitor:
    """The first account, signed in, at an address of its own in each test."""
    return _signed_in.at(visitor.address)
