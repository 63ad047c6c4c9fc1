"""Packages the application: ``chalice package``, the merged templates, and a zip without what Lambda has.

Packaging is skipped when nothing it depends on has changed, so that a warm start costs a hash only.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import front_door
from infra.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("local", "dev", "prod")
SOURCES = (
    *("app.py", "chalicelib/**/*", "requirements.txt", ".chalice/config.json", ".chalice/policies/*"),
    *("infra/*.yaml", "infra/*.json", "infra/*.js"),
    *("infra/package.py", "infra/settings.py", "infra/front_door.py"),
)

# Lambda's Python runtime brings boto3 and what it needs. pynamodb asks for botocore, so pip would pack 21 MB
# of it again, and every cold start would have to load that.
PROVIDED_BY_LAMBDA = frozenset(
    {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "python_dateutil", "urllib3", "six", "six.py"}
)

Template = dict[str, Any]


@dataclass(frozen=True)
class Package:
    """A packaged application: the template, the code, and the digest of all that went into them."""

    template: Path
    code: Path
    digest: str


def package(stage: str, out: Path) -> Package:
    """Packages ``stage`` into ``out``, or returns what lies there when it is still right.

    Raises ``subprocess.CalledProcessError`` when Chalice fails, after its own message on stderr.
    """
    out.mkdir(parents=True, exist_ok=True)
    result = Package(out / "template.json", out / "deployment.zip", source_digest(stage))
    stamp = out / "digest"
    if stamp.exists() and stamp.read_text() == result.digest:
        return result
    stamp.unlink(missing_ok=True)
    chalice = Path(sys.executable).with_name("chalice")
    command: list[str | Path] = [chalice, "package", "--stage", stage, "--template-format", "yaml"]
    command += ["--merge-template", "infra/resources.yaml", out.resolve()]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    slim(out / "deployment.zip")
    result.template.write_text(json.dumps(finish_template(load_template(out / "sam.yaml"), stage), indent=1))
    stamp.write_text(result.digest)
    return result


def source_digest(stage: str) -> str:
    """A digest over every file that packaging reads, the stage, and the Python it packages for."""
    digest = hashlib.sha256(f"{stage} {sys.version_info[:2]}".encode())
    for file in sorted(file for source in SOURCES for file in ROOT.glob(source)):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def load_template(path: Path) -> Template:
    """Reads a YAML template with CloudFormation's short forms spelt out."""
    from chalice.package import YAMLTemplateSerializer  # slow to import, and needed only when packaging

    template: Template = YAMLTemplateSerializer().load_template(path.read_text(), str(path))
    return template


def finish_template(template: Template, stage: str) -> Template:
    """Adds the settings and what differs between AWS and the local emulator."""
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
    parameters = {row.parameter: {"Type": "String", "Default": row.default} for row in SETTINGS}
    variables = {row.env: {"Ref": row.parameter} for row in SETTINGS}
    return {
        "Parameters": parameters,
        "Globals": {"Function": {"Environment": {"Variables": variables}}},
    }


def slim(archive: Path) -> None:
    """Rewrites ``archive`` without what Lambda provides; equal code makes an equal zip."""
    slimmed = archive.with_suffix(".slim")
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(slimmed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in sorted(source.infolist(), key=lambda entry: entry.filename):
            distribution = entry.filename.split("/")[0].split("-")[0]
            if distribution in PROVIDED_BY_LAMBDA or entry.is_dir():
                continue
            fixed = zipfile.ZipInfo(entry.filename)
            fixed.external_attr = 0o644 << 16
            fixed.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(fixed, source.read(entry))
    slimmed.replace(archive)


def main() -> None:
    """``python -m infra.package --stage prod --out build/prod``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="prod")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    packaged = package(arguments.stage, arguments.out or ROOT / "build" / arguments.stage)
    print(f"{packaged.template}\n{packaged.code} ({packaged.code.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
