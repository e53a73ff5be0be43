"""The part of a result that one environment stands on."""

from compliance.changes import compare
from compliance.excerpt import excerpt
from compliance.results import Stack
from tests.compliance.results import BALANCER, EXPOSURE, TRUST, result, row

OTHER = Stack(
    name="ShopProduction-Web",
    path="ShopProduction/Web",
    account="444444444444",
    region="eu-west-1",
    environment="shop/production",
    resources=20,
)


def test_what_is_about_other_environments_is_left_out() -> None:
    plain = result()
    exposure = EXPOSURE.model_copy(update={"account": OTHER.account, "stack": OTHER.name})
    trust = TRUST.model_copy(update={"account": OTHER.account, "stack": OTHER.name})
    bootstrap = trust.model_copy(update={"stack": "CDKToolkit", "resource": ""})
    both = result(
        stacks=(*plain.stacks, OTHER),
        rows=(*plain.rows, row("LZ-NET-1", BALANCER.replace("Staging", "Production"), OTHER.name)),
        trust=(*plain.trust, trust, bootstrap),
        exposures=(*plain.exposures, exposure),
    )
    assert compare(excerpt(plain, "shop/staging"), excerpt(both, "shop/staging")).empty


def test_tooling_the_ledger_and_what_is_nowhere_stay() -> None:
    nowhere = EXPOSURE.model_copy(update={"account": "", "stack": "", "resource": ""})
    found = excerpt(result(stacks=(result().stacks[0], OTHER), exposures=(nowhere,)), "shop/staging")
    assert [stack.name for stack in found.stacks] == ["Pipeline"]
    assert {one.stack for one in found.rows} == {"Pipeline"}
    assert found.waivers == result().waivers
    assert found.exposures == (nowhere,)


def test_what_is_about_the_environment_itself_comes_first() -> None:
    plain = result()
    assert plain.rows[0].stack == "Pipeline"
    found = excerpt(plain, "shop/staging")
    own = {stack.name for stack in plain.stacks if stack.environment == "shop/staging"}
    places = [row.stack in own for row in found.rows]
    assert places == sorted(places, reverse=True)
    assert places[0]
    assert [row for row in found.rows if row.stack == "Pipeline"] == [
        row for row in plain.rows if row.stack == "Pipeline"
    ]
