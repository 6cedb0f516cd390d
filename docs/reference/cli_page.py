"""The page of all commands, each with its arguments; argparse's own help has another form in each version of Python."""

import argparse
import re
from collections.abc import Iterator

from docs.reference.programs import arguments, commands, programs, sentence

HEAD = """<!-- Made from the code by `make docs`: correct a help text there. -->

# Commands

Every command has `--help`. A flag can be given in the environment too, by the variable that *env* names. The keys of
the file that `--config` names are in [settings.md](settings.md).
"""


def cli_page() -> str:
    """Makes the page."""
    lines = [HEAD]
    for program in programs():
        top = program.parser()
        for parser in commands(top):
            lines.append(f"{'##' if parser is top else '###'} `{parser.prog}`\n")
            lines += [f"{sentence(_markdown(text))}\n" for text in _texts(parser, top)]
            lines += [*_arguments(parser), ""] if arguments(parser) else []
    return "\n".join(lines).rstrip() + "\n"


def _texts(parser: argparse.ArgumentParser, top: argparse.ArgumentParser) -> Iterator[str]:
    if parser.description:
        yield parser.description
    if parser is top and parser.epilog:
        yield parser.epilog


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    own = arguments(parser)
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action in own]
        if actions and group.description:
            yield f"\n{str(group.title).capitalize()}: {_markdown(group.description)}\n"
        for action in actions:
            yield f"- `{_call(action)}`: {_need(parser, action)}{_help(action)}"


def _call(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return f"[{value}]" if action.nargs == "?" else value
    flag = ", ".join(action.option_strings)
    return flag if action.nargs == 0 else f"{flag} {value}"


def _need(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if action.required and action.option_strings:
        return "required; "
    for group in parser._mutually_exclusive_groups:
        if action in group._group_actions:
            others = ", ".join(f"`{one.option_strings[0]}`" for one in group._group_actions if one is not action)
            return f"{'this or' if group.required else 'not with'} {others}; "
    return ""


def _help(action: argparse.Action) -> str:
    return _markdown(argparse.HelpFormatter("")._expand_help(action)) if action.help else ""


def _markdown(text: str) -> str:
    return re.sub(r"PEERWATT_[\w<>]+(=1)?", r"`\g<0>`", text.replace("*", "\\*"))
