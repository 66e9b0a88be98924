"""Builds the Dockerfile with buildah, without any registry.

The base is a Debian that mmdebstrap makes from this machine's own apt sources, tagged as the Dockerfile names it. Python's
packages are fetched beforehand by this machine's pip, with its own configuration and cache, and mounted: the build asks no
index, and no address of one gets into the image.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.image.machine import apt_sources, run

ROOT = Path(__file__).parents[2]
IMAGE = "localhost/lotuslake"
WHEELS = "/wheels"
# As python's own images set it: https://github.com/docker-library/python/blob/master/Dockerfile-linux.template
BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TRUSTED = "etc/ssl/certs/ca-certificates.crt"
# Bases made for images keep apt's caches out of their layers (77 MB here):
# https://github.com/debuerreotype/debuerreotype/blob/master/scripts/debuerreotype-minimizing-config
CONFIGURATION = {
    "etc/apt/apt.conf.d/docker-clean": 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n',
    "etc/pip.conf": f"[global]\nno-index = true\nfind-links = {WHEELS}\n",
    "etc/uv/uv.toml": f'no-index = true\noffline = true\nfind-links = ["{WHEELS}"]\n',
}
# A smaller and quicker base: nobody reads manuals in it, and nothing of it must survive a power cut.
BOOTSTRAP = (
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--include=python3,python3-pip",
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")),
)


@dataclass(frozen=True)
class Base:
    """The image that the Dockerfile builds on, without its digest: python:3.11.13-slim-bookworm."""

    name: str

    @property
    def suite(self) -> str:
        """Debian's."""
        return self.name.rpartition("-")[2]

    @property
    def python(self) -> str:
        """Its first two numbers."""
        return ".".join(self.name.partition(":")[2].split(".")[:2])

    @property
    def tag(self) -> str:
        """Where buildah looks for a short name first."""
        return f"localhost/{self.name}"


def read_base(dockerfile: str) -> Base:
    """The one base of all its stages."""
    (name,) = set(re.findall(r"^FROM ([^\s@]+)", dockerfile, re.MULTILINE))
    return Base(name)


@dataclass(frozen=True)
class Builder:
    """buildah with a store of its own in `folder`, which also keeps the fetched packages and the base."""

    folder: Path

    @property
    def wheels(self) -> Path:
        """What pip has fetched."""
        return self.folder / "wheels"

    @property
    def work(self) -> Path:
        """What containers write."""
        return self.folder / "work"

    def fetch_packages(self) -> None:
        """Into `wheels`, by the locks' hashes; what is there already is not fetched again."""
        pip = [sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", "download"]
        locks = [part for name in ("requirements", "requirements-build") for part in ("-r", str(ROOT / f"{name}.lock"))]
        only = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(self.wheels)]
        run([*pip, *only, *locks])

    def make_base(self, base: Base) -> None:
        """Unless the store has it from the same sources already."""
        sources = apt_sources(base.suite)
        made_of = _digest([*BOOTSTRAP, *CONFIGURATION.values()], sources)
        if made_of in self._labels(base.tag):
            return
        container = self.buildah("from", "scratch")
        root = Path(self.buildah("mount", container))
        run([*BOOTSTRAP, base.suite, root, *sources])
        _configure(root)
        self.buildah("config", "--env", f"PATH={BASE_PATH}", "--label", f"made-of={made_of}", container)
        self.buildah("commit", "--quiet", container, base.tag)
        self.buildah("rm", container)

    def build(self, base: Base) -> None:
        """The Dockerfile as it is, but for digests, which a stand-in cannot have."""
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        plain = self.folder / "Dockerfile"
        plain.write_text(
            re.sub(rf"^(FROM {re.escape(base.name)})@\S+", r"\1", text, flags=re.MULTILINE), encoding="utf-8"
        )
        mounted = f"{self.wheels}:{WHEELS}:ro"
        self.buildah("bud", "--pull=never", "--file", str(plain), "--volume", mounted, "--tag", IMAGE, str(ROOT))

    def unpack(self, image: str) -> Path:
        """The image's root file system, to be read; gone with `clean`."""
        return Path(self.buildah("mount", self.buildah("from", "--pull=never", image)))

    def configuration(self, image: str) -> dict[str, Any]:
        """What a container of the image starts with: Env, User, Entrypoint, WorkingDir."""
        found: dict[str, Any] = json.loads(self.buildah("inspect", "--type", "image", image))["OCIv1"]["config"]
        return found

    def clean(self) -> None:
        """Remove containers, what they wrote, and the image; the base and the packages serve the next build."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.buildah("rm", "--all")
        if self._has(IMAGE):
            self.buildah("rmi", IMAGE)

    def buildah(self, *arguments: str) -> str:
        """Its answer. It neither reads nor writes what buildah keeps elsewhere on this machine."""
        home = self.folder / "home"
        policy = home / ".config" / "containers" / "policy.json"
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}', encoding="utf-8")
        own = ["--storage-driver", "vfs", "--root", str(self.folder / "store"), "--runroot", str(self.folder / "run")]
        environment = dict(os.environ) | {"HOME": str(home), "BUILDAH_ISOLATION": "chroot"}
        return run(["buildah", *own, *arguments], env=environment).strip()

    def _has(self, image: str) -> bool:
        return image in {name for item in self._images() for name in item["names"] or ()}

    def _images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.buildah("images", "--json") or "[]")
        return found

    def _labels(self, tag: str) -> list[str]:
        return [*(self.configuration(tag).get("Labels") or {}).values()] if self._has(tag) else []


def _configure(root: Path) -> None:
    """Let pip install there, from the mounted packages alone, and trust whom this machine trusts."""
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for name, text in CONFIGURATION.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if trusted and Path(trusted).is_file():
        (root / TRUSTED).parent.mkdir(parents=True, exist_ok=True)
        (root / TRUSTED).write_bytes(Path(trusted).read_bytes())


def _digest(texts: list[str], files: list[Path]) -> str:
    return hashlib.sha256("\n".join([*texts, *(file.read_text() for file in files)]).encode()).hexdigest()
