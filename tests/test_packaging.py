"""What is shipped: the wheel's content, and lock files that fit setup.cfg."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from stockcast import __version__
from stockcast.config.run import preset_names

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
SHIPPED = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "stockcast", "configs")

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy so that the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (path,) = (source / "dist").iterdir()
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_module_preset_and_template(wheel: zipfile.ZipFile) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "stockcast").rglob("*.py")}
    presets = {f"stockcast/configs/{name}.toml" for name in preset_names()}
    templates = {str(path.relative_to(ROOT)) for path in (ROOT / "stockcast").glob("**/templates/*")}
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == modules | presets | templates | {"stockcast/py.typed"}


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    folder = f"stockcast_cli-{__version__}.dist-info"
    metadata = wheel.read(f"{folder}/METADATA").decode()
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    assert f"{folder}/licenses/LICENSE" in wheel.namelist()
    entry_points = wheel.read(f"{folder}/entry_points.txt").decode()
    assert entry_points.split() == ["[console_scripts]", "stockcast", "=", "stockcast.__main__:main"]


def test_presets_are_found_from_an_installed_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    program = (
        "from stockcast.config.run import config_folder, load_config, preset_names\n"
        "print(config_folder().resolve(), *(f'{name}:{load_config(name).digest()}' for name in preset_names()))\n"
    )
    installed = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.split()
    checkout = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert installed[0] == str((tmp_path / "stockcast" / "configs").resolve())
    assert installed[1:] == checkout[1:]


def test_pyproject_leaves_the_metadata_to_setup_cfg() -> None:
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))) == {"build-system", "tool"}


@pytest.mark.parametrize("lock", LOCKS)
def test_locked_versions_are_exact_with_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.sub(r"\\\n\s+", "", text).splitlines() if not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [^\\/:]+?)?(\s*--hash=sha256:[0-9a-f]{64})+", entry), entry


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", ("baselines",)), ("requirements-dev.lock", ("baselines", "test", "dev"))]
)
def test_locked_versions_satisfy_setup_cfg(lock: str, extras: tuple[str, ...]) -> None:
    wanted = SETUP["options"]["install_requires"].split("\n")
    for extra in extras:
        wanted += SETUP["options.extras_require"][extra].split("\n")
    locked = pins(lock)
    for requirement in map(Requirement, filter(None, wanted)):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_development_lock_adds_to_the_runtime_lock() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def pins(lock: str) -> dict[str, Version]:
    found = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}
