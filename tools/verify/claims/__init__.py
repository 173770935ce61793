"""The claims, in the order in which they are looked at; a module for what they are about."""

from types import ModuleType

from tools.verify.claim import Claim
from tools.verify.claims import answers, errors, filters, forms, limits, paging, queries, schema, stamps


def _of(module: ModuleType) -> list[Claim]:
    return [one for one in vars(module).values() if isinstance(one, Claim)]


CLAIMS: tuple[Claim, ...] = tuple(
    one
    for module in (queries, schema, paging, filters, forms, stamps, errors, limits, answers)
    for one in _of(module)
)
