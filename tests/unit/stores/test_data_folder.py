"""The data folder: one process at a time, one version, nothing of others touched."""

import subprocess
import sys
from pathlib import Path

import pytest

from fieldline.errors import DataFolderError
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.stores.folder import DataFolder, reset

HOLD = """
import sys, time
from pathlib import Path
from fieldline.stores.folder import DataFolder
held = DataFolder.open(Path(sys.argv[1]), create=True)
print("held", flush=True)
time.sleep(60)
"""


def refused(path: Path, create: bool = False) -> str:
    """Open a folder that is refused and return the one line that says why."""
    with pytest.raises(DataFolderError) as refusal:
        DataFolder.open(path, create)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """Without `create` a missing folder is refused and not made."""
    assert refused(tmp_path / "none") == f"{tmp_path / 'none'} does not exist"
    assert not (tmp_path / "none").exists()


def test_a_folder_is_made_and_opened_again(tmp_path: Path) -> None:
    """With `create` the folder is made, with its parents, and opens again without."""
    DataFolder.open(tmp_path / "a" / "b", create=True).close()
    with DataFolder.open(tmp_path / "a" / "b", create=False) as folder:
        assert (folder.path / "VERSION").read_text() == "fieldline 1\n"


@pytest.mark.parametrize("create", [False, True])
def test_foreign_folders_are_refused(tmp_path: Path, create: bool) -> None:
    """A folder with other things in it, another VERSION, or a plain file is refused and stays as it was."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"a")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "VERSION").write_text("1.2.3\n")
    (tmp_path / "file").write_text("x")
    assert "not a Fieldline data folder" in refused(tmp_path / "photos", create)
    assert "not a Fieldline data folder" in refused(tmp_path / "other", create)
    assert "is a file" in refused(tmp_path / "file", create)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.jpg"]


def test_a_newer_folder_is_refused(tmp_path: Path) -> None:
    """A folder of a newer version is refused, and is free for that version afterwards."""
    (tmp_path / "VERSION").write_text("fieldline 99\n")
    for _ in range(2):
        assert refused(tmp_path).endswith("is of version 99; this program reads up to 1")


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    """A second opening is refused with the owner's process id until the first lets go, even when killed."""
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"held\n"
    assert refused(tmp_path).endswith(f"is in use by another Fieldline (process {owner.pid})")
    owner.kill()
    owner.communicate()
    DataFolder.open(tmp_path, create=False).close()


def test_the_stores_of_a_folder_open_by_its_urls(tmp_path: Path) -> None:
    """The folder's URLs open stores inside it, also where its name needs escaping."""
    with DataFolder.open(tmp_path / "数据 100%25 ?#x", create=True) as folder:
        log = open_log(folder.log_url)
        log.append([b"x"]).wait()
        log.close()
        open_snapshots(folder.snapshots_url).save(1, b"state")
        open_records(folder.records_url).close()
        open_ledger(folder.records_url).close()
        names = {path.name for path in folder.path.iterdir()}
        assert {"log", "snapshots", "records.sqlite"} <= names
        assert open_snapshots(folder.snapshots_url).newest() == (1, b"state")


def test_reset_empties_a_folder(tmp_path: Path) -> None:
    """Reset removes all that Fieldline keeps, leaves the rest, and the folder can be made again."""
    with DataFolder.open(tmp_path, create=True) as folder:
        open_log(folder.log_url).close()
        open_records(folder.records_url).close()
    (tmp_path / "notes.txt").write_text("mine")
    reset(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / "notes.txt").unlink()
    DataFolder.open(tmp_path, create=True).close()


def test_reset_refuses_what_is_not_its_own(tmp_path: Path) -> None:
    """Reset of a missing, a foreign or a used folder is refused and removes nothing."""
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "log").mkdir()
    with pytest.raises(DataFolderError, match="does not exist"):
        reset(tmp_path / "none")
    with pytest.raises(DataFolderError, match="not a Fieldline data folder"):
        reset(tmp_path / "foreign")
    assert (tmp_path / "foreign" / "log").is_dir()
    with DataFolder.open(tmp_path / "used", create=True):
        with pytest.raises(DataFolderError, match="in use"):
            reset(tmp_path / "used")
        assert (tmp_path / "used" / "VERSION").exists()
