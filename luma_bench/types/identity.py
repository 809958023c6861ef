"""Who asks: a user and their roles. What they may read and change, policies say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from luma_bench.errors import UnsupportedError
from luma_bench.types.schema import TableSchema

OWNER: Final = "owner"
"""The role that no policy applies to, and that alone makes and drops policies."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user with roles, as policies see them.

    Attributes
    ----------
    user
        The name that a policy reads as `$user`.
    roles
        The roles that a policy is for, and that it reads as `$roles`. Case counts. `owner` is free of every policy.

    Raises
    ------
    UnsupportedError
        The user is no text, or a role is none or empty.

    Examples
    --------
    >>> analyst = lb.Identity("ada", roles=("analyst", "norway"))
    >>> bench.acting_as(analyst).kadeql("SELECT count(*) FROM flights")
    """

    user: str
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given, user = cast("Any", self.roles), cast("Any", self.user)
        if isinstance(given, str) or not isinstance(given, tuple | list | set | frozenset):
            raise UnsupportedError(
                f"roles={given!r} are no roles.", hint='Give a tuple of names: roles=("analyst",).'
            )
        roles = [role for role in given if isinstance(role, str) and role]
        if len(roles) < len(given) or not isinstance(user, str) or not user:
            raise UnsupportedError(
                "An identity is a user and roles, each a text that is not empty.",
                hint='Write lb.Identity("ada", roles=("analyst",)).',
            )
        object.__setattr__(self, "roles", tuple(sorted(set(roles))))

    @property
    def is_owner(self) -> bool:
        """Whether no policy applies."""
        return OWNER in self.roles


class Permit(Protocol):
    """Whether changes are allowed; asked before anything is staged."""

    @property
    def relies(self) -> frozenset[str]:
        """Operations of others that may have taken the permission back before the commit."""
        ...

    def table(self, schema: TableSchema, operation: str) -> None:
        """Allow a change of a table.

        Raises
        ------
        ForbiddenError
            It is not.
        """
        ...

    def object(self, kind: str, name: str, operation: str) -> None:
        """Allow a change of a view, schema, sequence or policy.

        Raises
        ------
        ForbiddenError
            It is not.
        """
        ...
