"""Packages the application: ``chalice package``, the merged templates, and a zip without what Lambda has.

Chalice would install every dependency again after any change to the app. So it is given a copy of the project
that has none, and the dependencies are installed beside it, once for each content of ``requirements.txt``.
What has not changed is not done again: a warm start costs a hash.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import front_door
from infra.errors import InfraError
from infra.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
STAGES = ("local", "dev", "prod")
APPLICATION = ("app.py", "chalicelib", ".chalice/config.json", ".chalice/policies")
TEMPLATES = ("infra/*.yaml", "infra/*.json", "infra/*.js", "infra/package.py", "infra/settings.py")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# Lambda's Python runtime brings boto3 and what it needs. pynamodb asks for botocore, so pip would pack 21 MB
# of it again, and every cold start would have to load that.
PROVIDED_BY_LAMBDA = frozenset(
    {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "python_dateutil", "urllib3", "six", "six.py"}
)

Template = dict[str, Any]


class PackagingError(InfraError):
    """Chalice or pip failed; the message is theirs."""


@dataclass(frozen=True)
class Package:
    """A packaged application: the template, the code, and the digest of all that went into them."""

    template: Path
    code: Path
    digest: str


def package(stage: str, out: Path, *, dependencies: bool = True) -> Package:
    """Packages ``stage`` into ``out``, or returns what lies there when it is still right.

    Without ``dependencies`` the zip holds the app alone, for an emulator whose functions run in this very
    environment: a worker is there sooner when it need not unpack and compile them.
    Raises ``PackagingError``.
    """
    out.mkdir(parents=True, exist_ok=True)
    result = Package(out / "template.json", out / "deployment.zip", source_digest(stage, dependencies))
    stamp = out / "digest"
    if stamp.exists() and stamp.read_text() == result.digest:
        return result
    stamp.unlink(missing_ok=True)
    run_chalice(stage, out)
    if dependencies:
        add_directory(out / "deployment.zip", installed_dependencies())
    template = finish_template(load_template(out / "sam.yaml"), stage)
    result.template.write_text(json.dumps(template, indent=1))
    stamp.write_text(result.digest)
    return result


def source_digest(stage: str, dependencies: bool) -> str:
    """A digest over every file that packaging reads, and how it is done."""
    digest = hashlib.sha256(f"{stage} {dependencies} {PYTHON}".encode())
    patterns = (*APPLICATION, *(f"{name}/**/*" for name in APPLICATION), *TEMPLATES, "requirements.txt")
    for file in sorted({file for pattern in patterns for file in ROOT.glob(pattern)}):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def run_chalice(stage: str, out: Path) -> None:
    """Has Chalice package a copy of the project that has no dependencies."""
    project = out / "project"
    shutil.rmtree(project, ignore_errors=True)
    for name in (*APPLICATION, "infra/resources.yaml"):
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (project / "requirements.txt").touch()
    chalice = Path(sys.executable).with_name("chalice")
    command: list[str | Path] = [chalice, "package", "--stage", stage, "--template-format", "yaml"]
    command += ["--merge-template", "infra/resources.yaml", out.resolve()]
    execute(command, project)
    shutil.rmtree(project)


def installed_dependencies() -> Path:
    """What ``requirements.txt`` asks for, as Lambda's platform needs it and without what Lambda has."""
    requirements = ROOT / "requirements.txt"
    name = hashlib.sha256(requirements.read_bytes() + PYTHON.encode()).hexdigest()[:16]
    target = BUILD / "dependencies" / name
    if target.exists():
        return target
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    platform = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
    command: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    command += [f"--platform={name}" for name in platform]
    command += ["--target", partial, "--requirement", requirements]
    execute(command, ROOT)
    for path in partial.iterdir():
        if path.name.split("-")[0] in PROVIDED_BY_LAMBDA or path.name == "bin":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return partial.rename(target)


def execute(command: list[str | Path], directory: Path) -> None:
    """Runs a tool that is to be heard only when it fails."""
    # Chalice asks for a region although a package has none.
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagingError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def add_directory(archive: Path, directory: Path) -> None:
    """Adds what is in ``directory`` to ``archive``, with fixed times: equal code makes an equal zip."""
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(directory.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(str(file.relative_to(directory)))
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, file.read_bytes())


def load_template(path: Path) -> Template:
    """Reads a YAML template with CloudFormation's short forms spelt out."""
    from chalice.package import YAMLTemplateSerializer  # slow to import, and needed only when packaging

    template: Template = YAMLTemplateSerializer().load_template(path.read_text(), str(path))
    return template


def finish_template(template: Template, stage: str) -> Template:
    """Adds the settings, and what only AWS or only the local emulator needs."""
    from chalice.package import TemplateDeepMerger

    merge = TemplateDeepMerger().merge
    template = merge(settings_template(), template)
    if stage == "local":
        return dict(merge(load_template(ROOT / "infra/local.yaml"), template))
    function = {"FrontDoorFunction": {"Properties": {"FunctionCode": front_door.cloudfront_function()}}}
    template = merge(load_template(ROOT / "infra/aws.yaml"), template)
    return dict(merge({"Resources": function}, template))


def settings_template() -> Template:
    """One parameter and one environment variable for each row of the settings table."""
    parameters = {row.parameter: {"Type": "String", "Default": ""} for row in SETTINGS}
    variables = {row.env: {"Ref": row.parameter} for row in SETTINGS}
    return {
        "Parameters": parameters,
        "Globals": {"Function": {"Environment": {"Variables": variables}}},
    }


def main() -> int:
    """``python -m infra.package --stage prod --out build/prod``; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="prod")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    try:
        packaged = package(arguments.stage, arguments.out or BUILD / arguments.stage)
    except PackagingError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{packaged.template}\n{packaged.code} ({packaged.code.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
