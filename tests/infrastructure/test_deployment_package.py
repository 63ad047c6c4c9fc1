"""The zip for Lambda contains every dependency that Lambda does not provide, and the app starts from it alone."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib.history.address import OWN_CERTIFICATES
from chalicelib.http.contract import DIRECTORY
from chalicelib.http.page_files import DIRECTORY as PAGE
from chalicelib.http.page_module import ENTRY, LIBRARY
from infra.aws import dependencies
from infra.aws.bytecode import compile_modules
from infra.aws.dependencies import installed_dependencies
from infra.aws.interpreter import find_interpreter
from infra.aws.package import package
from infra.aws.template import finish_template, load_template
from infra.aws.tools import PackagingError
from infra.project import LAMBDA_PYTHON, ROOT
from tests.infrastructure.conftest import RUNTIME, Packaged
from tests.support.certificates import Authority

#: The clean Python runs this script in the unzipped package. An import must not use the network.
PROBE = """
import importlib.util, json, pkgutil, socket, sys

def refuse(*args, **rest):
    raise AssertionError("an import uses the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import app
import chalicelib
modules = [module.name for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib.")]
for name in modules:
    __import__(name)
import jwt.algorithms  # which the first JWT loads, and with it cryptography
files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
handlers = sorted(name for name in dir(app) if callable(getattr(app, name)))
from chalicelib.history.migrate import MIGRATIONS
print(json.dumps({
    "handlers": handlers, "modules": modules, "files": files, "version": sys.version_info[:2],
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "migrations": sorted(file.name for file in MIGRATIONS.iterdir()),
}))
"""


@pytest.fixture(scope="session")
def started(unzipped: Path, lambda_python: Path) -> dict[str, Any]:
    """The modules and handlers that an import of the package with an empty environment yields."""
    done = subprocess.run(
        [lambda_python, "-B", "-c", PROBE],
        cwd=unzipped,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_app_starts_without_environment_network_or_packages_other_than_lambdas(
    packaged: Packaged, started: dict[str, Any]
) -> None:
    wanted = {function["Handler"].removeprefix("app.") for function in packaged.functions.values()}
    assert len(wanted) == 9
    assert wanted <= set(started["handlers"])


def test_the_package_runs_on_the_python_that_it_was_built_for(packaged: Packaged, started: dict[str, Any]) -> None:
    assert {function["Runtime"] for function in packaged.functions.values()} == {
        "python{}.{}".format(*started["version"])
    }


def test_the_functions_of_every_stage_run_on_one_python_whoever_packages(packaged: Packaged) -> None:
    template = finish_template(load_template(packaged.template_file.with_name("sam.yaml")), "dev", LAMBDA_PYTHON)
    functions = [one["Properties"] for one in template["Resources"].values() if one["Type"].endswith("::Function")]
    functions = [one for one in functions if "Handler" in one]
    assert len(functions) == 9
    assert {one["Runtime"] for one in functions} == {"python3.13"}
    # AWS otherwise changes the runtime, and boto3 in it, below running functions.
    assert {one["RuntimeManagementConfig"]["UpdateRuntimeOn"] for one in functions} == {"FunctionUpdate"}


def test_every_module_of_the_engine_is_in_the_package_and_can_be_imported(started: dict[str, Any]) -> None:
    sources = [file.relative_to(ROOT).with_suffix("") for file in (ROOT / "chalicelib").rglob("*.py")]
    names = {".".join(path.parts).removesuffix(".__init__") for path in sources}
    assert names == {"chalicelib", *started["modules"]}


def test_every_import_but_botocore_comes_from_the_package(started: dict[str, Any], unzipped: Path) -> None:
    ours = {"app", "chalice", "chalicelib", "pynamodb", "psycopg", "pydantic", "pydantic_core", "simplejson"}
    ours |= {"jwt", "cryptography.hazmat.bindings._rust", "_cffi_backend"}
    for name in ours:
        assert started["files"][name].startswith(str(unzipped)), name
    assert not started["files"]["botocore"].startswith(str(unzipped))


def test_the_package_has_every_migration(started: dict[str, Any]) -> None:
    migrations = {file.name for file in (ROOT / "chalicelib/history/migrations").glob("*.sql")}
    assert migrations
    assert migrations <= set(started["migrations"])


def test_the_package_has_the_documents_of_the_contract(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        for document in DIRECTORY.iterdir():
            assert archive.read(str(document.relative_to(ROOT))) == document.read_bytes()


def test_the_package_has_the_page_with_its_modules_as_one_and_minified(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        names = {Path(name).name for name in archive.namelist() if name.startswith(f"{PAGE.relative_to(ROOT)}/")}
        packed = {name: archive.read(f"{PAGE.relative_to(ROOT)}/{name}") for name in names}
    sources = {file.name: file.read_bytes() for file in PAGE.iterdir()}
    modules = {name for name in sources if name.endswith(".js")} - {LIBRARY}
    assert names == (sources.keys() - modules) | {ENTRY}
    assert {name for name in names if packed[name] != sources[name]} == {ENTRY, LIBRARY, "style.css"}
    assert len(packed[ENTRY]) < 0.6 * sum(len(sources[name]) for name in modules)
    assert len(packed["style.css"]) < len(sources["style.css"])


def test_the_package_has_neither_unneeded_packages_nor_tests_nor_secrets(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    distributions = {top.split("-")[0].lower() for top in tops}
    assert not distributions & {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "cffi", "pycparser"}
    assert not tops & {"tests", "infra", ".venv", ".chalice", ".env", "requirements-dev.txt", "bin"}
    public_authorities = "certifi/cacert.pem"
    assert not [name for name in names if name.endswith((".env", ".pem")) and name != public_authorities]
    assert len(names) == len(set(names)), "a file is in the zip twice"


def test_the_package_has_the_certificates_of_the_public_authorities(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        assert b"BEGIN CERTIFICATE" in archive.read("certifi/cacert.pem")


def test_the_certificates_of_a_deployment_are_packed_where_the_history_looks_for_them(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Authority("the database's own authority").certificate)
    made = package("prod", tmp_path / "made", dependencies=False, certificates=bundle)
    with zipfile.ZipFile(made.code) as archive:
        assert archive.read(str(OWN_CERTIFICATES.relative_to(ROOT))) == bundle.read_bytes()
    digest, entries = made.digest, entries_of(made.code)
    bundle.write_bytes(Authority("another").certificate)
    again = package("prod", tmp_path / "made", dependencies=False, certificates=bundle)
    assert again.digest != digest
    # Equal sources make an equal zip, by which a deployment knows that the code has not changed.
    assert entries_of(again.code) == entries


def entries_of(code: Path) -> list[tuple[Any, ...]]:
    """Everything about the entries of a zip in their order, but for the certificates of a deployment."""
    with zipfile.ZipFile(code) as archive:
        return [
            (entry.filename, entry.date_time, entry.external_attr, entry.CRC, entry.compress_size)
            for entry in archive.infolist()
            if entry.filename != str(OWN_CERTIFICATES.relative_to(ROOT))
        ]


def test_every_compiled_module_is_for_lambdas_platform(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        compiled = [name for name in archive.namelist() if ".so" in Path(name).name]
        kinds = {archive.read(name)[:20] for name in compiled}
    assert compiled
    # ELF, 64 bits, little endian, x86-64.
    assert {(kind[:6], kind[18:20]) for kind in kinds} == {(b"\x7fELF\x02\x01", b"\x3e\x00")}
    tag = f"cpython-{RUNTIME.replace('.', '')}-"
    assert not [name for name in compiled if "cpython-" in name and tag not in name]


def test_no_compiled_module_needs_a_newer_glibc_than_the_runtime_has(packaged: Packaged) -> None:
    needed: set[tuple[int, ...]] = set()
    with zipfile.ZipFile(packaged.code) as archive:
        for name in (name for name in archive.namelist() if ".so" in Path(name).name):
            versions = re.findall(rb"\bGLIBC_(\d+)\.(\d+)\b", archive.read(name))
            needed |= {tuple(map(int, version)) for version in versions}
    # Amazon Linux 2023, on which Python 3.12 and later run, has glibc 2.34.
    assert needed
    assert max(needed) <= (2, 34)


def test_every_module_is_in_the_package_as_bytecode_that_needs_no_look_at_its_source(
    packaged: Packaged, started: dict[str, Any]
) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        names = archive.namelist()
        sources = {name for name in names if name.endswith(".py")}
        heads = {name: archive.read(name)[:8] for name in names if name.endswith(".pyc")}
    assert {str(Path(source_from_cache(name))) for name in heads} == sources
    # PEP 552: the magic number of the functions' Python, and the flags of a file whose hash is not checked.
    assert set(heads.values()) == {bytes.fromhex(started["magic"]) + (0b01).to_bytes(4, "little")}


def test_equal_sources_make_equal_bytecode(tmp_path: Path) -> None:
    made = []
    for copy in (tmp_path / "one", tmp_path / "other/place"):
        shutil.copytree(
            ROOT / "chalicelib", copy, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
        )
        compile_modules(copy, Path(sys.executable))
        made.append({str(file.relative_to(copy)): file.read_bytes() for file in copy.rglob("*.pyc")})
    assert made[0] == made[1]
    assert made[0]


def test_a_module_that_is_no_python_is_not_packaged(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def")
    with pytest.raises(PackagingError, match="broken"):
        compile_modules(tmp_path, Path(sys.executable))


def test_a_package_without_a_hash_is_not_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unhashed = tmp_path / "requirements.txt"
    unhashed.write_text("simplejson==4.3.0\n")
    monkeypatch.setattr(dependencies, "REQUIREMENTS", unhashed)
    monkeypatch.setattr(dependencies, "BUILD", tmp_path)
    with pytest.raises(PackagingError, match="--hash"):
        installed_dependencies(RUNTIME, None)


def test_the_package_stays_small_enough_to_start_fast(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.code) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    assert packaged.code.stat().st_size < 16e6
    assert unpacked < 50e6


def test_the_same_sources_are_not_packaged_twice(packaged: Packaged) -> None:
    before = packaged.code.stat().st_mtime_ns
    assert package("prod", packaged.code.parent, python=RUNTIME).code.stat().st_mtime_ns == before
    assert installed_dependencies(RUNTIME, find_interpreter(RUNTIME)).is_dir()


def test_two_processes_may_package_at_once_and_pack_no_file_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.aws.package", "--stage", "local", "--out", str(tmp_path / "package")]
    # As most people have it: Python keeps the bytecode of what it imports.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert outputs[0] == outputs[1]
    with zipfile.ZipFile(tmp_path / "package/deployment.zip") as packed:
        names = packed.namelist()
    assert sorted(set(names)) == sorted(names)
