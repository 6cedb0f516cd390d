"""What a piece of code may be changed into, by kind of syntax node.

Left out on purpose: None for an argument or a value. Almost any test notices it, and the share would flatter.
"""

from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst
import libcst.matchers as m

Operator = Callable[[Any], Iterable[cst.CSTNode]]

TWINS: dict[type[cst.CSTNode], type[cst.CSTNode]] = {
    cst.LessThan: cst.LessThanEqual, cst.LessThanEqual: cst.LessThan,
    cst.GreaterThan: cst.GreaterThanEqual, cst.GreaterThanEqual: cst.GreaterThan,
    cst.Equal: cst.NotEqual, cst.NotEqual: cst.Equal,
    cst.Is: cst.IsNot, cst.IsNot: cst.Is,
    cst.In: cst.NotIn, cst.NotIn: cst.In,
    cst.And: cst.Or, cst.Or: cst.And,
    cst.Add: cst.Subtract, cst.Subtract: cst.Add,
    cst.Plus: cst.Minus, cst.Minus: cst.Plus,
    cst.Multiply: cst.Divide, cst.Divide: cst.Multiply,
    cst.FloorDivide: cst.Divide, cst.Modulo: cst.Divide, cst.Power: cst.Multiply,
    cst.LeftShift: cst.RightShift, cst.RightShift: cst.LeftShift,
    cst.BitAnd: cst.BitOr, cst.BitOr: cst.BitAnd, cst.BitXor: cst.BitAnd,
    cst.AddAssign: cst.SubtractAssign, cst.SubtractAssign: cst.AddAssign,
    cst.BitAndAssign: cst.BitOrAssign, cst.BitOrAssign: cst.BitAndAssign,
    cst.Continue: cst.Break, cst.Break: cst.Return,
}  # fmt: skip
"""Each operator or keyword with the one that it is taken for most easily."""

METHOD_TWINS = dict(
    pair
    for left, right in (
        ("lower", "upper"), ("lstrip", "rstrip"), ("find", "rfind"), ("index", "rindex"), ("ljust", "rjust"),
        ("partition", "rpartition"), ("removeprefix", "removesuffix"),
    )
    for pair in ((left, right), (right, left))
)  # fmt: skip


def twin(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """Another operator, or another keyword."""
    if type(node) in TWINS:
        yield TWINS[type(node)]()


def one_more(node: cst.BaseNumber) -> Iterable[cst.CSTNode]:
    if isinstance(node, cst.Integer | cst.Float):
        yield node.with_changes(value=repr(node.evaluated_value + 1))


def another_text(node: cst.BaseString) -> Iterable[cst.CSTNode]:
    """A text with XX at both ends; what stands in three quotes is SQL or a docstring, and no test reads all of it."""
    if isinstance(node, cst.SimpleString) and not node.quote.startswith(('"""', "'''")):
        yield node.with_changes(value=f"{node.prefix}{node.quote}XX{node.raw_value}XX{node.quote}")


def other_truth(node: cst.Name) -> Iterable[cst.CSTNode]:
    if node.value in ("True", "False"):
        yield node.with_changes(value=str(node.value == "False"))


def without_sum(node: cst.AugAssign) -> Iterable[cst.CSTNode]:
    """``a += b`` that forgets what ``a`` was."""
    yield cst.Assign([cst.AssignTarget(node.target)], node.value, node.semicolon)


def without_not(node: cst.UnaryOperation) -> Iterable[cst.CSTNode]:
    if isinstance(node.operator, cst.Not | cst.BitInvert):
        yield node.expression


def other_method(node: cst.Call) -> Iterable[cst.CSTNode]:
    """The method of a text that does the same from the other end, or to the other case."""
    if isinstance(node.func, cst.Attribute) and node.func.attr.value in METHOD_TWINS:
        yield node.with_deep_changes(node.func.attr, value=METHOD_TWINS[node.func.attr.value])


def one_branch(node: cst.IfExp) -> Iterable[cst.CSTNode]:
    """An expression that always takes the same of its two branches."""
    condition = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    for operator, constant in ((cst.And(), "False"), (cst.Or(), "True")):
        yield node.with_changes(test=cst.BooleanOperation(condition, operator, cst.Name(constant)))


def without_keyword(node: cst.Call) -> Iterable[cst.CSTNode]:
    """A setting that is not passed on; a description is for people, and their reference is compared elsewhere."""
    starts_task = m.matches(node.func, m.Attribute(attr=m.Name("create_task")))
    for argument in node.args:
        if argument.keyword is None or argument.keyword.value == "description":
            continue
        if not (starts_task and argument.keyword.value == "name"):
            yield node.with_changes(args=[other for other in node.args if other is not argument])


def without_check(node: cst.If) -> Iterable[cst.CSTNode]:
    """A check that is never true, where its branch only raises, returns or goes on."""
    leaves = m.SimpleStatementLine(body=[m.Raise() | m.Return() | m.Continue() | m.Break()])
    if m.matches(node.body, m.IndentedBlock(body=[leaves])):
        yield node.with_changes(test=cst.Name("False"), whitespace_before_test=cst.SimpleWhitespace(" "))


def without_call(node: cst.Expr) -> Iterable[cst.CSTNode]:
    """A call for its effect that is not made."""
    if m.matches(node.value, m.Call() | m.Await()):
        yield cst.Pass()


OPERATORS: tuple[tuple[type, Operator], ...] = (
    (cst.CSTNode, twin),
    (cst.BaseNumber, one_more),
    (cst.BaseString, another_text),
    (cst.Name, other_truth),
    (cst.AugAssign, without_sum),
    (cst.UnaryOperation, without_not),
    (cst.Call, other_method),
    (cst.IfExp, one_branch),
    (cst.Call, without_keyword),
    (cst.If, without_check),
    (cst.Expr, without_call),
)
