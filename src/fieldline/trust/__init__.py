"""Trust: what merchants' service taught about them, and what their repeat buyers say."""

from dataclasses import dataclass, field

import numpy as np

from fieldline.trust.appeals import Appeals
from fieldline.trust.evidence import Evidence
from fieldline.trust.index import Index
from fieldline.trust.marks import Marks
from fieldline.trust.peers import Floats
from fieldline.trust.voices import Voices


@dataclass(slots=True)
class Trust:
    """All that is known of how far merchants can be trusted."""

    evidence: Evidence = field(default_factory=Evidence)
    index: Index = field(default_factory=Index)
    appeals: Appeals = field(default_factory=Appeals)
    voices: Voices = field(default_factory=Voices)
    """What repeat buyers said."""
    marks: Marks = field(default_factory=Marks)
    """Whose purchases earn a merchant nothing."""
    lookers: Floats = field(default_factory=lambda: np.zeros(16))
    """[V] how far each viewer's looks count, as of the last midnight."""
