"""The reader of assemblies that the rules use, under the name that tests know."""

from compliance.contents import walk
from compliance.templates import Assembly, Json, Resource, Stack

__all__ = ["Assembly", "Json", "Resource", "Stack", "walk"]
