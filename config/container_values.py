"""The forms of text that say how a workload's containers are built, run, asked and configured."""

from typing import Annotated

from config import typical_mistakes
from config.formats import Format

Argument = Annotated[
    str,
    Format(
        pattern=r"^[^\x00]*[^\s\x00][^\x00]*$",
        problem="an empty argument",
        allowed="text that is not blank",
        fix="write the argument, or remove it from the list",
        example="bin/web",
    ),
]

UrlPath = Annotated[
    str,
    Format(
        pattern=r'^/[!"$-~]*$',
        problem="not a path of a URL",
        allowed='a path that starts with "/", without spaces and without #',
        fix='write a path like "/status/"',
        example="/status/",
        longest=1024,
        explain=typical_mistakes.url_path,
    ),
]

Origin = Annotated[
    str,
    Format(
        pattern=typical_mistakes.ORIGIN,
        problem="not an origin",
        allowed='https:// and a host, without a path; or "*", outside of production',
        fix='write an origin like "https://app.acme.example"',
        example="https://app.acme.example",
        explain=typical_mistakes.origin,
    ),
]

VariableName = Annotated[
    str,
    Format(
        pattern=r"^(?!AWS_(ACCESS|SECRET|SESSION))[A-Z_][A-Z0-9_]*$",
        problem="not a name of an environment variable",
        allowed="capitals, digits and underscores, not starting with a digit; no name of AWS credentials",
        fix='write a name like "FEATURE_FLAGS"',
        example="FEATURE_FLAGS",
        longest=128,
        explain=typical_mistakes.variable_name,
    ),
]

BuildTarget = Annotated[
    str,
    Format(
        pattern="^[A-Za-z][A-Za-z0-9_.-]*$",
        problem="not the name of a stage of a Dockerfile",
        allowed="letters, digits, dots, hyphens and underscores; starts with a letter",
        fix='write the name after AS, such as "prod"',
        example="prod",
        longest=128,
    ),
]

# Elastic Load Balancing, "Health checks for Application Load Balancer target groups": 200 to 499.
StatusCodes = Annotated[
    str,
    Format(
        pattern="^[2-4][0-9]{2}([,-][2-4][0-9]{2})*$",
        problem="not a list of HTTP status codes",
        allowed="codes from 200 to 499 with commas, and ranges with a hyphen, without spaces",
        fix='write "200", or what your page answers, such as "200,301" or "200-399"',
        example="200",
        longest=100,
    ),
]

# Text with the names of parts in braces; which names there are, is a rule.
Template = Annotated[
    str,
    Format(
        pattern=r"^([^{}\x00]|\{[^{}\x00]*\})+$",
        problem="not a text with parts in braces",
        allowed="text in which every { has its }, and a name between them",
        fix='write it like "https://{DJANGO_ALLOWED_HOSTS}/"',
        example="postgresql://{DATABASE_USER}:{DATABASE_PASSWORD}@{DATABASE_HOST}:{DATABASE_PORT}/{DATABASE_NAME}",
        longest=1000,
    ),
]
