"""Where a PostgreSQL catalog is: the URL of the settings, taken apart, and shown without its password."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field

from luma_bench.errors import ConfigError

_SECRETS = ("password", "sslpassword")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Address:
    """A libpq URL without the parts that are ours.

    Attributes
    ----------
    conninfo
        What libpq connects with; it may hold a password.
    schema
        The schema that `?schema=` names, None for the bench's own.
    stored
        The URL without passwords, as `luma.toml` keeps it.
    shown
        User, host, port and database, as messages name them.
    """

    conninfo: str = field(repr=False)
    schema: str | None
    stored: str
    shown: str
    secrets: tuple[str, ...] = field(repr=False, default=())

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a URL apart.

        Raises
        ------
        ConfigError
            It is no PostgreSQL URL, or names a schema that cannot be one. The message does not show it.
        """
        scheme, mark, rest = url.partition("://")
        if not mark or scheme not in ("postgresql", "postgres"):
            raise ConfigError(
                "catalog: not a PostgreSQL URL", hint="Give a URL such as postgresql://user@host/database."
            )
        place, _, query = rest.partition("?")
        options = urllib.parse.parse_qsl(query, keep_blank_values=True)
        schema = next((value for name, value in options if name == "schema"), None)
        if schema is not None and (not _NAME.fullmatch(schema) or schema.startswith("pg_")):
            hint = "Use up to 63 letters, digits and underscores, not beginning with a digit or pg_."
            raise ConfigError(f"catalog: {schema!r} cannot be the name of its schema", hint=hint)
        passed = [(name, value) for name, value in options if name != "schema"]
        open_options = [(name, value) for name, value in options if name not in _SECRETS]
        who, at, where = place.rpartition("@")
        user, _, password = who.partition(":")
        found = [urllib.parse.unquote(password), password, *(v for n, v in options if n in _SECRETS)]
        hosts = [value for name, value in options if name in ("host", "port")]
        return cls(
            conninfo=_joined(place, passed),
            schema=schema,
            stored=_joined(f"{user}{at}{where}", open_options),
            shown=f"postgresql://{user}{at}{where}" + (f" ({', '.join(hosts)})" if hosts else ""),
            secrets=tuple(item for item in found if item),
        )

    def hidden(self, text: str) -> str:
        """`text` without any password that it might repeat."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _joined(place: str, options: list[tuple[str, str]]) -> str:
    query = urllib.parse.urlencode(options, quote_via=urllib.parse.quote)
    return f"postgresql://{place}" + (f"?{query}" if query else "")
