"""What the values of an experiment file have in common: strict types, short forms, texts in two languages."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from lambdatui.experiment.language import Language


class Model(BaseModel):
    """Strict, because YAML has types: `timeout: "3"` is a mistake worth a word."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Shorthand(Model):
    """May also be written as the bare value of its field `bare`."""

    bare: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: object) -> object:
        return value if isinstance(value, dict) else {cls.bare: value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        short = {key: value for key, value in schema["properties"][cls.bare].items() if key not in ("title", "default")}
        return {"anyOf": [short, dict(schema)]}


class Text(Shorthand):
    """Words for the reader: one text, or one for each language. Markdown where it is longer than a line."""

    bare = "en"
    en: str | None = None
    zh_hant: str | None = Field(default=None, alias="zh-Hant")

    @model_validator(mode="after")
    def _says_something(self) -> Text:
        if self.en is None and self.zh_hant is None:
            raise ValueError("has no text")
        return self

    def in_language(self, language: Language) -> str:
        """In that language, or in the other where there is no such text."""
        texts = (self.zh_hant, self.en) if language == "zh-Hant" else (self.en, self.zh_hant)
        return next(text for text in texts if text is not None).strip()
