"""Dockerfile, compose.yaml and the manifests for Kubernetes: valid, hardened, and in step with the server."""

import subprocess
import sys
from pathlib import Path

import click
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from burgee_server.app import LAST_SECONDS
from burgee_server.cli import main
from burgee_server.cli.serve import serve
from burgee_server.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "compose.yaml"
DOCKERFILE = ROOT / "Dockerfile"
KUSTOMIZATIONS = sorted((ROOT / "deploy/kubernetes").glob("*/kustomization.yaml"))
MANIFESTS = sorted(path for path in (ROOT / "deploy/kubernetes").glob("*/*.yaml") if path not in KUSTOMIZATIONS)
KUBERNETES = "1.31", "1.37"
"""The oldest and the newest that the manifests are checked against."""
SETTINGS = {f"BURGEE_{name.upper()}" for name in Settings.model_fields}
SECRET = {"BURGEE_DATABASE", "BURGEE_REDIS", "BURGEE_WAREHOUSE", "BURGEE_BOOTSTRAP_KEY"}


def read(path):
    """The documents of a YAML file, as plain values."""
    return list(YAML(typ="safe", pure=True).load_all(path))


def manifests():
    """Every object, by file and kind."""
    return [(path, each) for path in MANIFESTS for each in read(path)]


def pods():
    """Every object that runs pods, and the pods' specification."""
    return [(path, each, each["spec"]["template"]["spec"]) for path, each in manifests() if "template" in each["spec"]]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_manifest_is_valid_and_has_no_field_that_kubernetes_does_not_know(path, version):
    """By the schemas of that version of Kubernetes, strictly."""
    for document in read(path):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_schema_finds_a_field_that_is_misspelt():
    """The check checks."""
    [document] = read(ROOT / "deploy/kubernetes/scaled/api.yaml")
    document["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_a_kustomization_names_every_manifest_beside_it(path):
    """And none that is not there."""
    [kustomization] = read(path)
    assert sorted(kustomization["resources"]) == sorted(each.name for each in MANIFESTS if each.parent == path.parent)


def test_pods_run_as_nobody_on_a_file_system_that_cannot_be_written():
    """Without privileges, without a token of the cluster, with requests and a limit of memory."""
    for _, _, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_pods_are_probed_where_they_listen_and_given_time_to_finish():
    """By gRPC's own health, at the port of BURGEE_LISTEN; a supervisor waits longer than a server takes to end."""
    for _, _, pod in pods():
        [container] = pod["containers"]
        environment = {each["name"]: each.get("value") for each in container["env"]}
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert ports["grpc"] == int(environment["BURGEE_LISTEN"].rpartition(":")[2])
        assert ports["metrics"] == int(environment["BURGEE_METRICS_LISTEN"].rpartition(":")[2])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["grpc"]["port"] == ports["grpc"]
        drains = Settings.model_fields["drain_seconds"].default + float(
            environment.get("BURGEE_DRAIN_NOTICE_SECONDS") or Settings.model_fields["drain_notice_seconds"].default
        )
        assert pod["terminationGracePeriodSeconds"] > drains + LAST_SECONDS


def test_environments_name_settings_that_exist_and_secrets_only_by_reference():
    """What is misspelt would keep the server from starting; what is written out is in everybody's repository."""
    for _, _, pod in pods():
        for each in pod["containers"][0]["env"]:
            assert each["name"] in SETTINGS, each["name"]
            assert ("valueFrom" in each) is (each["name"] in SECRET)
    for service in read(COMPOSE)[0]["services"].values():
        for name, value in service.get("environment", {}).items():
            assert name in SETTINGS or not name.startswith("BURGEE_"), name
            if name in SECRET or "PASSWORD" in name:
                assert "${" in value
    told = {word.partition("=")[0] for word in DOCKERFILE.read_text().split() if word.startswith("BURGEE_")}
    assert told <= SETTINGS


def test_commands_can_be_typed():
    """`burgee` with these words, in every pod, every service and the image itself."""
    lines = [container["args"] for _, _, pod in pods() for container in pod["containers"]]
    lines += [
        each["command"]
        for each in read(COMPOSE)[0]["services"].values()
        if each.get("image") == "burgee" and "command" in each
    ]
    known = {spelling for option in serve.params for spelling in option.opts}
    for words in lines:
        assert words[0] == "serve"
        assert {word for word in words if word.startswith("--")} <= known
        with serve.make_context("serve", list(words[1:])):
            pass
    assert {"serve", "health"} <= set(main.list_commands(click.Context(main)))


def test_selectors_find_their_pods():
    """Of services, budgets and of the deployments themselves, in each folder."""
    for folder in {path.parent for path in MANIFESTS}:
        here = [each for path, each in manifests() if path.parent == folder]
        labels = [each["spec"]["template"]["metadata"]["labels"] for each in here if "template" in each["spec"]]
        for each in here:
            selector = each["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            assert any(selector.items() <= found.items() for found in labels), each["metadata"]["name"]


def test_each_role_has_a_deployment_and_those_that_answer_have_a_budget():
    """A drained node of the cluster must not take every server at once."""
    scaled = [each for path, each in manifests() if path.parent.name == "scaled"]
    deployments = {each["metadata"]["name"]: each for each in scaled if each["kind"] == "Deployment"}
    [budget] = [each for each in scaled if each["kind"] == "PodDisruptionBudget"]
    assert deployments.keys() == {"burgee-api", "burgee-loader"}
    assert budget["spec"]["selector"] == deployments["burgee-api"]["spec"]["selector"]
    assert deployments["burgee-api"]["spec"]["replicas"] > budget["spec"]["maxUnavailable"]


def test_compose_is_valid():
    """By the schema of the Compose specification."""
    _check("check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))


def test_services_of_compose_are_hardened_and_wait_for_stores_that_say_when_they_are_ready():
    """A file system that cannot be written, no capability; dependencies with a health check."""
    services = read(COMPOSE)[0]["services"]
    for service in services.values():
        if service.get("image") == "burgee":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in services[name]


def test_the_dockerfile_has_nothing_that_hadolint_would_do_otherwise():
    """And ends as somebody without privileges."""
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    users = [line.split()[1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("USER ")]
    assert users[-1].partition(":")[0] not in ("0", "root")


def test_the_dockerfile_copies_what_is_there_and_what_the_build_needs():
    """And .dockerignore lets it through."""
    copied = [
        word
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    assert set(copied) == let_through


def _check(module, *arguments):
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
