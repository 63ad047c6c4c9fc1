"""Each adaptation of the emulator is offered upstream as a patch that fits the pinned version."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.project import ROOT

PATCHES = sorted((ROOT / "infra/local/upstream").glob("*.patch"))
ADAPTATIONS = (ROOT / "infra/local/PATCHES.md").read_text()


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_fits_the_pinned_emulator_and_leaves_valid_python(patch: Path, tmp_path: Path) -> None:
    spec = find_spec("ministack")
    assert spec is not None
    assert spec.origin is not None
    for name in re.findall(r"^\+\+\+ b/(.+)$", patch.read_text(), re.MULTILINE):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(spec.origin).parent.parent / name, target)
    # No repository around the directory may change what git does there.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    subprocess.run(["git", "apply", str(patch)], cwd=tmp_path, env=environment, check=True)
    for file in tmp_path.rglob("*.py"):
        compile(file.read_text(), str(file), "exec")


def test_every_patch_stands_in_the_list_of_adaptations_and_every_listed_patch_exists() -> None:
    listed = set(re.findall(r"upstream/([0-9a-z-]+\.patch)", ADAPTATIONS))
    assert listed == {patch.name for patch in PATCHES}


def test_every_adaptation_inside_the_emulator_has_a_patch() -> None:
    inside = ADAPTATIONS.partition("## Patches inside")[2].partition("\n## ")[0]
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", inside, re.MULTILINE)}
    assert numbers == {int(number) for number in re.findall(r"upstream/(\d+)-", inside)}
