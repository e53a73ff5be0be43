"""Names of artifacts: no two images share a folder of the artifact bucket."""

from hypothesis import given
from hypothesis import strategies as st

from config.artifacts import ASSEMBLY, FOLDER_LENGTH, folder_of, image_steps, output_of, source_of

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)


def folders(workloads: list[str]) -> list[str]:
    return [folder_of(output_of(step)) for step in image_steps(workloads).values()]


def test_an_image_step_is_called_by_its_workload() -> None:
    assert image_steps(["my-django-app", "shop"]) == {
        "my-django-app": "Image-my-django-app",
        "shop": "Image-shop",
    }


def test_where_names_begin_alike_a_hash_tells_the_folders_apart() -> None:
    steps = image_steps(["shop-web", "shop-api", "blog"])
    assert steps["blog"] == "Image-blog"
    assert [name.rpartition("-shop-")[2] for name in (steps["shop-web"], steps["shop-api"])] == ["web", "api"]
    assert len(set(folders(["shop-web", "shop-api", "blog"]))) == 3
    assert image_steps(["shop-web", "shop-api"])["shop-web"] == steps["shop-web"], "others do not rename it"


@given(st.lists(NAMES, unique=True, min_size=1, max_size=20))
def test_whatever_workloads_are_called_their_images_have_folders_of_their_own(workloads: list[str]) -> None:
    found = folders(workloads)
    assert len(set(found)) == len(workloads)
    assert all(len(folder) <= FOLDER_LENGTH for folder in found)
    others = {folder_of(name) for name in (ASSEMBLY, output_of("Images-1"), output_of("Release-MyDjangoApp"))}
    assert not others & set(found)


def test_a_source_is_called_by_its_repository() -> None:
    assert source_of("acme/landing-zone") == "acme_landing_zone_Source"
