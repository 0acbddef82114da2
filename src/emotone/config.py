"""The base of every configuration: frozen, typed, serialisable; an unknown key is an error naming the valid ones."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from emotone.errors import RecipeError, nearest_first

__all__ = ["Config"]


class Config(BaseModel):
    """A frozen configuration object. Build from outside data with `parse`, which speaks plainly about what is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, data: Any, *, where: str | Path) -> Self:
        """Validate `data`; raise `RecipeError` naming the file, the key, the value and what is allowed."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            problems = [_explain(cls, problem) for problem in error.errors()]
            raise RecipeError(f"{where}: " + "; ".join(problems)) from None


def _explain(cls: type[BaseModel], problem: Any) -> str:
    location = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        valid = _keys_beside(cls, problem["loc"])
        hint = f" Valid: {', '.join(nearest_first(str(problem['loc'][-1]), valid))}." if valid else ""
        return f"unknown key {location!r}.{hint}"
    if problem["type"] == "missing":
        return f"key {location!r} is missing"
    return f"{location!r} is {problem['input']!r}: {problem['msg']}"


def _keys_beside(cls: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Return the keys allowed where `location`'s last part stands, following nested configurations."""
    for part in location[:-1]:
        field = cls.model_fields.get(str(part))
        inner = field.annotation if field else None
        for candidate in (inner, *getattr(inner, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                cls = candidate
                break
        else:
            return []
    return list(cls.model_fields)
