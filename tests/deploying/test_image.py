"""The image of all processes of ours. It cannot be built here."""

import re

from tests.deploying.files import OBJECTS, PODS, SERVICES
from tests.support.repository import ROOT

LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_it_copies_files_that_exist() -> None:
    sources = [source for line in re.findall(r"^COPY (.+) \S+$", LINES, re.MULTILINE) for source in line.split()]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_kubernetes_and_compose_run_the_same_image_as_its_user_in_its_folders() -> None:
    [user] = re.findall(r"useradd --uid (\d+)", LINES)
    [data] = re.findall(r"CONTINUO_DATA=(\S+)", LINES)
    [project] = re.findall(r"^WORKDIR (\S+)$", LINES, re.MULTILINE)[1:]
    for pod in PODS.values():
        [container] = pod["containers"]
        assert container["image"] == SERVICES["gateway"]["image"]
        assert pod["securityContext"]["runAsUser"] == int(user)
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {data, project, "/tmp"}
    assert ("ConfigMap", "continuo-project") in OBJECTS


def test_what_it_installs_is_of_the_lock_of_the_tests_and_no_tool_of_theirs() -> None:
    of_tests, of_image = (
        {*re.findall(r"^\S+==\S+", (ROOT / f"requirements{part}.lock").read_text(encoding="utf-8"), re.MULTILINE)}
        for part in ("", "-image")
    )
    assert of_image < of_tests
    assert not {line.partition("==")[0] for line in of_image} & {"pytest", "kubernetes-validate", "playwright"}
