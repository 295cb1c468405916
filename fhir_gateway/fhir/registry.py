"""Resources by canonical URL: Questionnaires, value sets and code systems that are at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

#: A date as a version has hyphens, and they begin no pre-release.
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){1,2}")


class Registry:
    """Finds a resource by `url` or `url|version`; without a version, the newest one added wins.

    https://hl7.org/fhir/R4/references.html#canonical
    """

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_url: dict[str, dict[str, Resource]] = {}
        for resource in resources:
            if isinstance(resource, dict):
                self.add(resource)

    def add(self, resource: Resource) -> None:
        """Add a resource; one without a url is passed over, the same url and version replaces."""
        url = as_str(resource.get("url"))
        if url:
            version = as_str(resource.get("version"))
            others = {v: r for v, r in self._by_url.get(url, {}).items() if v != version}
            # At once, for who reads it meanwhile.
            self._by_url[url] = {**others, version: resource}

    def resolve(self, canonical: str) -> Resource | None:
        """The resource, or None."""
        url, _, version = canonical.partition("|")
        versions = self._by_url.get(url, {})
        if version:
            return versions.get(version)
        return max(versions.values(), key=_version_order) if versions else None

    def all(self) -> Iterator[Resource]:
        """All resources, all versions, in order of their being added."""
        for versions in list(self._by_url.values()):
            yield from versions.values()

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        """All resources of a type, all versions, in order of their being added."""
        for versions in list(self._by_url.values()):
            for resource in versions.values():
                if resource.get("resourceType") == resource_type:
                    yield resource

    def with_contained(self, resource: Resource) -> Registry:
        """A registry that also answers `#id` for what `resource` contains."""
        scoped = Registry()
        scoped._by_url = dict(self._by_url)
        for contained in map(as_dict, as_list(resource.get("contained"))):
            name = as_str(contained.get("id"))
            if name:
                scoped._by_url[f"#{name}"] = {"": contained}
        return scoped


_Parts = tuple[tuple[int, int | str], ...]


def _version_order(resource: Resource) -> tuple[_Parts, bool, _Parts]:
    """Compares versions as semver does (a pre-release comes before its release), parts that are no
    numbers as text."""
    version = as_str(resource.get("version"))
    if _DATE.fullmatch(version):
        version = version.replace("-", ".")
    release, _, pre_release = version.partition("-")
    return _parts(release), not pre_release, _parts(pre_release)


def _parts(text: str) -> _Parts:
    # `isdigit` alone is true for characters that are no numbers, such as a superscript.
    return tuple(
        (1, int(part)) if part.isascii() and part.isdigit() else (0, part)
        for part in text.split(".")
    )
