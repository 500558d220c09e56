"""The made market's words: categories, cities, and the parts that names and titles are put together from."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

Pair = tuple[str, str]
"""Chinese, English."""


class Good(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of good: its name, its typical price in yuan, and what may stand before and after its name."""

    name: Pair
    price: float
    makes: tuple[str, ...]
    sizes: tuple[str, ...]


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category: what is sold and told in it; without goods it is told about only."""

    word: str
    trade: Pair
    """What a shop of this category calls itself."""
    local: bool
    """Whether it is used up on the spot, in the buyer's city."""
    stories_of: str
    """Name of the shared titles its videos use, if any."""
    stories: tuple[Pair, ...]
    """Titles of its own."""
    goods: tuple[Good, ...]


class City(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city: its Chinese name, its word in traits, and where it is in degrees."""

    name: str
    word: str
    latitude: float
    longitude: float


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All words of the made market."""

    brands: tuple[Pair, ...]
    shops: tuple[Pair, ...]
    homes: tuple[Pair, ...]
    people: tuple[Pair, ...]
    habits: tuple[Pair, ...]
    stories: dict[str, tuple[Pair, ...]]
    """Titles of videos shared by categories; {zh} and {en} stand for a good's name."""
    cities: tuple[City, ...]
    categories: tuple[Category, ...]

    def titles(self, category: Category) -> tuple[Pair, ...]:
        """Return the titles that videos of a category may have."""
        return category.stories or self.stories[category.stories_of]


@cache
def words() -> Words:
    """Return the words, read once from `words.toml` beside this file."""
    text = files("fieldline.lab.world").joinpath("words.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Words)


AGES = ("18-24", "25-34", "35-44", "45-54", "55+")
GENDERS = ("f", "m")
SCENES = ("video", "live", "mall", "search", "follow", "local")
