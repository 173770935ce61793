"""uv goes where pip is told to go."""

from tools.pip_settings import variables

LISTED = """\
global.cert='/etc/some.pem'
global.disable-pip-version-check='true'
global.extra-index-url='\\nhttps://one.example/simple\\nhttps://two.example/simple'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
"""


def test_settings_of_pip_become_those_of_uv() -> None:
    assert variables(LISTED, {}) == {
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/etc/some.pem",
    }


def test_a_variable_of_pip_counts_more_than_its_files() -> None:
    listed = ":env:.index-url='https://env.example/simple'\n" + LISTED
    assert variables(listed, {})["UV_DEFAULT_INDEX"] == "https://env.example/simple"


def test_places_of_wheels_are_separated_by_commas() -> None:
    assert variables("global.find-links='/a /b'", {}) == {"UV_FIND_LINKS": "/a,/b"}


def test_what_uv_is_told_itself_stays() -> None:
    assert variables(LISTED, {"UV_INDEX_URL": "https://mine.example", "SSL_CERT_FILE": "/mine.pem"}) == {}


def test_an_index_that_is_switched_off_leaves_the_default_one() -> None:
    found = variables(LISTED, {"UV_INDEX": ""})
    assert found["UV_DEFAULT_INDEX"] == "https://install.example/simple"
    assert "UV_INDEX" not in found


def test_without_settings_nothing_is_set() -> None:
    assert variables("", {}) == {}
