"""CloudWatch metric math, as far as scaling alarms use it: arithmetic, comparisons, IF and FILL on single values."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Value = float | None  # None: the metric has no data

_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Mapping[str, Callable[[list[float]], float]] = {
    "ABS": lambda values: abs(values[0]),
    "CEIL": lambda values: float(math.ceil(values[0])),
    "FLOOR": lambda values: float(math.floor(values[0])),
    "MAX": max,
    "MIN": min,
}


class ExpressionError(ValueError):
    """An expression that is not understood here."""


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """Evaluate an expression on the newest value of each metric.

    Args:
        expression: the expression.
        values: id of a metric or of another expression -> its value.

    Returns:
        Its value; None where AWS would have no data point, as after a division by zero.

    Raises:
        ExpressionError: it holds something that is not understood here.
    """
    try:
        tree = ast.parse(expression.replace("&&", " and ").replace("||", " or "), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{expression!r} is not understood") from error
    return _value(tree.body, values)


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:  # noqa: PLR0911 (a case for each kind of node)
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            if name not in values:
                raise ExpressionError(f"{name} is no metric of the alarm")
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            positive = _value(operand, values)
            return None if positive is None else -positive
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            return _joined(_ARITHMETIC[type(sign)], left, right, values)
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
            return _joined(_COMPARISONS[type(sign)], left, right, values)
        case ast.BoolOp(op=sign, values=parts):
            found = [_value(part, values) for part in parts]
            return float((all if isinstance(sign, ast.And) else any)(found)) if None not in found else None
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments, values)
    raise ExpressionError(f"{ast.unparse(node)} is not understood")


def _joined(
    operation: Callable[[float, float], Any], left: ast.expr, right: ast.expr, values: Mapping[str, Value]
) -> Value:
    first, second = _value(left, values), _value(right, values)
    if first is None or second is None:
        return None
    try:
        return float(operation(first, second))
    except ZeroDivisionError:
        return None


def _call(name: str, arguments: list[ast.expr], values: Mapping[str, Value]) -> Value:
    if name == "IF":
        condition, *branches = arguments
        chosen = _value(condition, values)
        if chosen is None:
            return None
        index = 0 if chosen else 1
        return _value(branches[index], values) if index < len(branches) else None
    if name == "FILL":
        number = _value(arguments[0], values)
        return _value(arguments[1], values) if number is None else number
    if name not in _FUNCTIONS:
        raise ExpressionError(f"the function {name} is not understood")
    numbers = [_value(argument, values) for argument in arguments]
    return None if None in numbers else _FUNCTIONS[name]([number for number in numbers if number is not None])
