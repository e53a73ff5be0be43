"""The reader of assemblies that the rules use, under the name that tests know."""

from compliance.templates import Assembly, Json, Resource, Stack, walk

__all__ = ["Assembly", "Json", "Resource", "Stack", "walk"]
