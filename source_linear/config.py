"""The configuration: what it says, and whether it is as the spec says, in sentences that name the field."""

import difflib
import ipaddress
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pendulum
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

_FLAT_KEYS = ("api_key", "linear_api_key")  # which the manifest migrates
_RECONCILES = "reconcile_archived"  # what `detect_deletions` was called up to 0.2, when it was a boolean
_EACH_SYNC = "each sync"
_HOURS = {"daily": 24.0, _EACH_SYNC: 0.0, "never": None}

_KEY = re.compile(r"lin_[a-z]+_\w+")  # Linear's keys and access tokens
# What stands in examples in the place of a key, or is left of a variable that nothing has filled in.
_PLACEHOLDER = re.compile(
    r"(your|my)[-_ ](\w+[-_ ])*(key|id|secret|token)|client_(id|secret)|refresh_token|api_key"
    r"|<[a-z_ -]{1,30}>|…|\.{3}|\$\{?\w+\}?|\{\{.*\}\}",
    re.IGNORECASE,
)
_PATH = "Check the path; with Docker it is a path inside the container."


@dataclass(frozen=True)
class Config:
    """What a configuration says, with the spec's default where it says nothing.

    Attributes:
        credentials: `auth_type`, and the fields that it needs.
        start_date: as Linear writes it, `2024-01-01T00:00:00.000Z`; None to read everything.
        archived_rows: `flag` or `delete`.
        team_keys: the teams to read; none to read all.
        detect_deletions: hours between two comparisons of the long lists, 0 for each sync, None for never.
        rate_limit_share: percent of Linear's limits.
        num_workers: pages that are asked for at a time.
        api_url: Linear's GraphQL endpoint.
    """

    credentials: Mapping[str, Any] = field(repr=False)
    start_date: str | None
    archived_rows: str
    team_keys: tuple[str, ...]
    detect_deletions: float | None
    rate_limit_share: int
    num_workers: int
    api_url: str

    @classmethod
    def of(cls, given: Mapping[str, Any], specification: Mapping[str, Any]) -> "Config":
        """What a configuration says.

        Args:
            given: the configuration, as the user or Airbyte wrote it.
            specification: the spec's `connection_specification`, which holds the defaults.

        Raises:
            AirbyteTracedException: it is not as the spec says (config_error).
        """
        given = normalized(given, specification)
        validate(given, specification)
        defaults = {name: one.get("default") for name, one in specification["properties"].items()}
        options = {**defaults, **given}
        keys = [given[name] for name in _FLAT_KEYS if name in given]
        start = options["start_date"]
        often = options["detect_deletions"].strip()  # the end of a line gets past a pattern's end
        return cls(
            credentials=dict(given.get("credentials") or {"auth_type": "API Key", "api_key": keys[0]}),
            start_date=milliseconds(timestamp(start)) if start else None,
            archived_rows=options["archived_rows"],
            team_keys=tuple(options["team_keys"] or ()),
            detect_deletions=_HOURS[often] if often in _HOURS else float(often.split()[0]),
            rate_limit_share=options["rate_limit_share"],
            num_workers=options["num_workers"],
            api_url=options["api_url"],
        )


def config_error(message: str) -> AirbyteTracedException:
    """An error that the user can fix; `message` says how. A key that stands in a wrong field is not told."""
    message = _KEY.sub("****", message)
    return AirbyteTracedException(
        message=message, internal_message=message, failure_type=FailureType.config_error
    )


def read_json(path: str, what: str) -> Any:
    """Read the JSON file that the user named as `what` (for example `--config`).

    Raises:
        AirbyteTracedException: it cannot be read, or is not JSON.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise config_error(f"{what}: {path} cannot be read ({error.strerror}). {_PATH}") from None
    encoding = json.detect_encoding(content).removesuffix("-sig")
    if encoding != "utf-8":
        raise config_error(f"{what}: {path} is {encoding.upper()}, not UTF-8. Save it as UTF-8.")
    try:
        text = content.decode("utf-8").lstrip("\ufeff")  # a byte order mark, as Windows' programs write it
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise config_error(f"{what}: {path} is not UTF-8 (line {line}). Save it as UTF-8.") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise config_error(f"{what}: {path} is not valid JSON{where}.") from None


def read_config(path: str) -> Mapping[str, Any]:
    """Read the file that the user named as `--config`.

    Raises:
        AirbyteTracedException: it cannot be read, or holds no JSON object (config_error).
    """
    document = read_json(path, "--config")
    if not isinstance(document, Mapping):
        raise config_error(f"--config: {path} must hold a JSON object.")
    return document


def normalized(config: Any, connection_specification: Mapping[str, Any]) -> Any:
    """A configuration as it was meant by what wrote it.

    Airbyte's form, Terraform and templates write what is left out as null or "", whole numbers as 10.0,
    and in a map of strings also as "10", booleans as "true" and "false" (so reads Terraform, too).
    An option of an earlier version becomes the one that took its place.

    Args:
        config: the user's configuration, not checked yet; what is not an object is handed back as it is.
        connection_specification: the spec, which says of what type a field is.
    """
    if not isinstance(config, Mapping):
        return config
    types = {name: schema["type"] for name, schema in connection_specification["properties"].items()}
    types[_RECONCILES] = "boolean"
    meant = {name: _typed(value, types.get(name)) for name, value in _filled(config).items()}
    if isinstance(reconciles := meant.get(_RECONCILES), bool):
        del meant[_RECONCILES]
        if reconciles:
            meant.setdefault("detect_deletions", _EACH_SYNC)
    return meant


def validate(config: Any, connection_specification: Mapping[str, Any]) -> None:
    """Check a configuration against the spec, and for what a JSON schema cannot say.

    Raises:
        AirbyteTracedException: naming the first field that is wrong, what is wrong and what is right.
            Values of secret fields are never shown.
    """
    if not isinstance(config, Mapping):
        raise config_error("The configuration must be a JSON object.")
    checked = dict(config)
    specification = dict(connection_specification["properties"])
    options = specification.pop("credentials")["oneOf"]
    specification |= _flat_keys(options)
    if "credentials" in checked or not any(name in checked for name in _FLAT_KEYS):
        _validate_credentials(checked.get("credentials"), options, checked)
    for name, schema in specification.items():
        if name in checked:
            _validate_field(name, checked[name], schema)
    for name in _FLAT_KEYS:
        _validate_no_placeholder(name, checked.get(name))
    if _RECONCILES in checked:
        raise config_error(
            f"{_RECONCILES}: must be of type boolean, not {json.dumps(checked[_RECONCILES])[:80]}. "
            "detect_deletions took its place."
        )
    if "start_date" in checked:
        _validate_start_date(checked["start_date"])
    if "api_url" in checked:
        _validate_api_url(checked["api_url"])


def unknown_options(config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> list[str]:
    """A sentence for each option that the spec does not know, and which has no effect therefore.

    Args:
        config: a valid configuration. Options whose name begins with an underscore are the platform's own.
        connection_specification: the spec.
    """
    properties = connection_specification["properties"]
    names = {name: name for name in properties} | {_RECONCILES: "detect_deletions"}
    config = normalized(config, connection_specification)
    given = config.get("credentials", {})
    kinds = {one["properties"]["auth_type"]["const"]: one for one in properties["credentials"]["oneOf"]}
    fields = (
        {name: f"credentials.{name}" for name in kinds[given["auth_type"]]["properties"]} if given else {}
    )
    # Whoever changes the kind in Airbyte's form may leave the fields of another behind.
    of_all_kinds = {name for kind in kinds.values() for name in kind["properties"]}
    sentences = [_unknown(name, name, names) for name in config if name not in (*properties, *_FLAT_KEYS)]
    sentences += [_unknown(name, f"credentials.{name}", fields) for name in given if name not in of_all_kinds]
    return [_KEY.sub("****", sentence) for sentence in sentences if sentence]


def timestamp(text: str) -> pendulum.DateTime:
    """Read an ISO 8601 date, or date-time with seconds, to the microsecond; UTC where it has no offset.

    Raises:
        ValueError: it is neither.
    """
    try:
        moment = pendulum.parse(text)
        # pendulum also reads weeks, days of the year, times of today and "now": the date must be written out.
        if isinstance(moment, pendulum.DateTime):
            written = moment.isoformat()[:19]
            if text[:19] in (written, written[:10]):
                return moment.in_timezone("UTC")
    except (TypeError, OverflowError):
        pass
    raise ValueError(text)


def milliseconds(moment: datetime) -> str:
    """A moment as Linear writes it: UTC, cut to the millisecond, for example 2026-01-31T08:15:00.123Z."""
    text = pendulum.instance(moment).in_timezone("UTC").isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _filled(value: Any) -> Any:
    """A value without its members that are null, or text with nothing in it."""
    if isinstance(value, Mapping):
        return {name: _filled(item) for name, item in value.items() if not _is_empty(item)}
    return [_filled(item) for item in value if not _is_empty(item)] if isinstance(value, list) else value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _typed(value: Any, kind: str | None) -> Any:
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and kind in ("integer", "boolean"):
        text = value.strip()
        if kind == "integer" and re.fullmatch(r"[0-9]{1,9}(\.0+)?", text):
            return int(text.partition(".")[0])
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
    return value


def _flat_keys(options: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The schemas of the keys that may stand in the place of `credentials`."""
    (key,) = (one["properties"]["api_key"] for one in options if "api_key" in one["properties"])
    return dict.fromkeys(_FLAT_KEYS, key)


def _unknown(name: str, place: str, known: Mapping[str, str]) -> str:
    """A sentence about an unknown option; `known` are those that there are, and how each is told."""
    if name.startswith("_"):
        return ""
    near = nearest(name, known)
    told = (
        f"Did you mean {known[near]}?" if near else f"There are: {', '.join(dict.fromkeys(known.values()))}."
    )
    return f"The option {place} is unknown and has no effect. {told}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that somebody meant who wrote another one; None where there is none like it."""
    plain = {re.sub(r"[^a-z]", "", one.lower()): one for one in known}
    written = re.sub(r"[^a-z]", "", name.lower())
    found = difflib.get_close_matches(written, plain, n=1, cutoff=0.6)
    part = [one for one in plain if len(written) > 3 and (written in one or one in written)]
    if found:
        return plain[found[0]]
    return plain[part[0]] if len(part) == 1 else None


def _validate_credentials(
    credentials: Any, options: list[Mapping[str, Any]], config: Mapping[str, Any]
) -> None:
    kinds = {option["properties"]["auth_type"]["const"]: option for option in options}
    names = " or ".join(f'"{name}"' for name in kinds)
    if credentials is None:
        raise config_error(
            "credentials: is missing. Give an API key, for example "
            '{"credentials": {"auth_type": "API Key", "api_key": "…"}}.'
            + _meant_by(("credentials", *_FLAT_KEYS), config, ("credentials", *_FLAT_KEYS))
        )
    if not isinstance(credentials, Mapping):
        raise config_error("credentials: must be an object with auth_type and its fields.")
    option = kinds.get(str(credentials.get("auth_type")))
    if option is None:
        raise config_error(
            f"credentials.auth_type: must be {names}."
            + _meant_by(("auth_type",), credentials, ("auth_type",))
        )
    for name in option["required"]:
        if name not in credentials:
            raise config_error(
                f"credentials.{name}: is missing; {credentials['auth_type']} needs it."
                + _meant_by((name,), credentials, option["properties"])
            )
    for name, schema in option["properties"].items():
        if name in credentials:
            _validate_field(f"credentials.{name}", credentials[name], schema)
    for name in option["required"]:
        _validate_no_placeholder(f"credentials.{name}", credentials.get(name))


def _validate_no_placeholder(name: str, value: Any) -> None:
    if isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip(" \"'")):
        where = "Security & access" if name.endswith("api_key") else "API > OAuth applications"
        raise config_error(
            f"{name}: is still the placeholder of an example. Put yours there: Settings > {where} in Linear."
        )


def _meant_by(missing: Collection[str], given: Mapping[str, Any], known: Collection[str]) -> str:
    """A question about the field that somebody may have written for one that is missing, or nothing."""
    for name in given:
        if name not in known and nearest(name, known) in missing:
            return f' Did you mean it by "{name}"?'
    return ""


def _validate_field(name: str, value: Any, schema: Mapping[str, Any]) -> None:
    validator = jsonschema.Draft7Validator(schema)
    error = next(iter(validator.iter_errors(value)), None)
    if error is None:
        return
    rules: Mapping[str, str] = {
        "type": f"must be of type {schema.get('type')}",
        "enum": "must be one of " + ", ".join(map(str, schema.get("enum", []))),
        "const": f'must be "{schema.get("const")}"',
        "minLength": "must not be empty",
        "minimum": f"must be at least {schema.get('minimum')}",
        "maximum": f"must be at most {schema.get('maximum')}",
        "pattern": f"must look like {schema.get('pattern_descriptor', schema.get('pattern'))}",
    }
    if (name, value) == ("archived_rows", "exclude"):
        raise config_error(
            "archived_rows: exclude is gone, because it left stale rows in the copy. Use flag and filter on "
            "isArchived, or use delete."
        )
    rule = rules.get(str(error.validator), f"is not valid ({error.validator})")
    shown = "" if schema.get("airbyte_secret") else f", not {json.dumps(value)[:80]}"
    raise config_error(f"{name}: {rule}{shown}.")


def _validate_start_date(text: str) -> None:
    try:
        moment = timestamp(text)
    except ValueError:
        raise config_error(f"start_date: {text} is not a valid date.") from None
    if moment > pendulum.now("UTC"):
        raise config_error(f"start_date: {text} is in the future; nothing would be read.")


def _validate_api_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise config_error("api_url: is not a URL.") from None
    if parts.username or parts.password:
        raise config_error("api_url: must not hold a user name or password.")
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and _is_loopback(host):
        return
    raise config_error(
        "api_url: must be https, or http on this machine (127.0.0.1, localhost), "
        "so that the key is not sent in the clear."
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
