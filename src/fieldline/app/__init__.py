"""The only wiring: a data folder's log, snapshots, records and ledger around one engine.

`fieldline` opens it, decides and records; `typed` and `asked` are what people type; all of it goes through the
`journal`, which logs, folds and posts; `recovery` finds it again. Facts are checked, logged, folded: what was refused
left nothing behind. Everything is synchronous and called from one thread (the server's loop); durability is promised
by the returned `Commit`, which the caller waits for before it acknowledges.
"""

from fieldline.app.fieldline import DEFAULT_POLICY, SHELVES, Fieldline, Recorded, WallClock
from fieldline.app.journal import RECENT, Written

__all__ = ["DEFAULT_POLICY", "RECENT", "SHELVES", "Fieldline", "Recorded", "WallClock", "Written"]
