"""The base of every configuration: frozen, typed, serialisable; an unknown key is an error naming the valid ones."""

import re
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from emotone.errors import RecipeError, nearest_first, quoted

__all__ = ["Config", "read_yaml"]

_MOST_VALUES = 10_000  # in a file that people write; aliases of aliases make billions of a few lines
_DEEPEST = 50  # brackets within brackets


class Config(BaseModel):
    """A frozen configuration object. Build from outside data with `parse`, which speaks plainly about what is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, data: Any, *, where: str | Path) -> Self:
        """Validate `data`; raise `RecipeError` naming the file, the key, the value and what is allowed."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            problems = [_explain(cls, problem) for problem in error.errors()]
            raise RecipeError(f"{where}: " + "; ".join(problems)) from None


def read_yaml(path: Path, *, missing: str) -> Any:
    """Read a YAML file; a `RecipeError` names the file, and says `missing` where there is none."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses deep brackets before PyYAML, whose time grows with the square of their depth, gets lost in them."""

        def fetch_flow_collection_start(self, token: type) -> None:
            if self.flow_level >= _DEEPEST:
                raise yaml.YAMLError(f"brackets within brackets, more than {_DEEPEST} deep")
            super().fetch_flow_collection_start(token)

    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise RecipeError(f"{path}: {missing}") from None
    except RecursionError:
        raise RecipeError(f"{path}: cannot be read as YAML: brackets within brackets without end") from None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, yaml.YAMLError) as error:
        # The reader of `!!int x` or of a thirteenth month raises what Python does.
        raise RecipeError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())[:300]}") from None
    if not _is_small(data):
        raise RecipeError(f"{path}: holds more than {_MOST_VALUES:,} values, or one that holds itself")
    return data


def _is_small(data: Any) -> bool:
    """Tell whether there are few values in it, those that stand there by an alias counted each time."""
    waiting, seen = [data], 0
    while waiting and seen <= _MOST_VALUES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += value
    return seen <= _MOST_VALUES


def _explain(cls: type[BaseModel], problem: Any) -> str:
    """Say what is wrong in one clause: the key as it stands in the file, its value, what is allowed."""
    key, beside = _follow(cls, problem["loc"])
    context = problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            valid = nearest_first(str(problem["loc"][-1]), beside)
            return f"unknown key {quoted(key)}. Valid: {', '.join(valid)}"
        case "missing":
            return f"key {key!r} is missing"
        case "literal_error":
            valid = nearest_first(str(problem["input"]), _quoted(context["expected"]))
            return f"{key!r} is {quoted(problem['input'])}. Valid: {', '.join(valid)}"
        case "union_tag_invalid":
            valid = nearest_first(context["tag"], _quoted(context["expected_tags"]))
            tag = f"{key}.{context['discriminator'].strip(chr(39))}"
            return f"{tag!r} is {quoted(context['tag'])}. Valid: {', '.join(valid)}"
        case "value_error":
            return f"{key!r}: {context['error']}" if key else str(context["error"])
    return f"{key!r} is {quoted(problem['input'])}: {problem['msg']}"


def _follow(cls: type[BaseModel], location: tuple[str | int, ...]) -> tuple[str, list[str]]:
    """Return the key at `location` as a user wrote it, and the keys that are valid where its last part stands."""
    shown: list[str] = []
    beside, models = [cls], [cls]
    for part in location:
        if len(models) > 1 and part not in models[0].model_fields:  # pydantic's note which of several models it is
            models = [model for model in models if any(field.default == part for field in model.model_fields.values())]
            continue
        shown.append(str(part))
        if isinstance(part, str):
            beside = models
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            models = [model for field in fields for model in _models_in(field.annotation)]
    return ".".join(shown), sorted({name for model in beside for name in model.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _quoted(choices: str) -> list[str]:
    """Return the choices that pydantic lists, as in "'a', 'b' or 'c'"."""
    return re.findall(r"'([^']*)'", choices)
