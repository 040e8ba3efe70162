"""What keeps a shelf in order: its locks, what is removed, checked, swept and repaired."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from modelshelf.core.errors import BarcodeError, ShelfError
from modelshelf.core.garbage import uncollected
from modelshelf.shelf import check, removing, repair
from modelshelf.shelf.database import Database
from modelshelf.shelf.files import Files
from modelshelf.shelf.locks import locked
from modelshelf.shelf.records import StoredFile
from modelshelf.shelf.removing import Removal
from modelshelf.shelf.studies import Studies

__all__ = ["Upkeep"]


class Upkeep:
    """The part of a `Shelf` that looks after what is on it."""

    def __init__(self, database: Database) -> None:
        self.path = database.path  #: the folder
        self._database = database
        self._files = Files(database.path)
        self._studies = Studies(database)
        self._held: set[str] = set()

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a study while it is trained. It is given back even where the process is killed.

        Raises `ShelfError` where another process holds it.
        """
        number = self._studies.id(name)
        with locked(self.path, number, name):
            self._studies.learn()  # another process may have removed it
            if self._studies.id(name) != number:
                raise ShelfError(
                    f"The study {name!r} was removed meanwhile, and another has its name. Run the "
                    "command again."
                )
            self._held.add(name)
            try:
                yield
            finally:
                self._held.discard(name)

    def removal(self, what: str, study: str | None = None) -> Removal:
        """What removing would take that goes by this name; nothing is removed.

        That is a study, by its name or how it begins; or the networks of a barcode or a copy id in
        one study, in `study` where it is given. Raises `ShelfError` or `BarcodeError` where it is
        nothing, or several things.
        """
        parts = self._database, self._files, self._studies
        names = [each.name for each in self._studies.all()] if study is None else []
        if what in names:
            return removing.of_study(*parts, what)
        begins = what != "" and any(each.startswith(what) for each in names)
        try:
            found = removing.networks_named(self._database, self._studies, what, study)
        except BarcodeError as error:
            if begins:
                return removing.of_study(*parts, self._studies.named(what).name)
            raise BarcodeError(
                str(error) if study else f"No study begins so, and {error}"
            ) from None
        if begins:
            raise BarcodeError(
                f"{what!r} is the beginning of study {self._studies.named(what).name!r}, and of "
                f"network {found[0].barcode}. Say more of it."
            )
        return removing.of_networks(*parts, found)

    def remove_study(self, name: str) -> Removal:
        """Take a study of this very name off the shelf: its log, its result, and its networks.

        Raises `ShelfError` where there is none, or it is being trained.
        """
        with self._holding(name):
            taken = removing.of_study(self._database, self._files, self._studies, name)
            removing.remove_study(self._database, self._files, self._studies.id(name))
            repair.sweep_shared(self._database, self._files, self._locked)
        self._studies.learn()
        return taken

    def remove_network(self, barcode: str, *, study: str | None = None) -> Removal:
        """Take the networks of a barcode, or a copy id, off the shelf; their study's log stays.

        Raises `BarcodeError` where it names none, or networks of several studies and `study` does
        not say which; `ShelfError` where the study is being trained, or may go on with one.
        """
        found = removing.networks_named(self._database, self._studies, barcode, study)
        name = found[0].study
        with self._holding(name):
            found = removing.networks_named(self._database, self._studies, barcode, name)
            taken = removing.of_networks(self._database, self._files, self._studies, found)
            number = self._studies.id(name)
            removing.remove_networks(self._database, self._files, number, taken.trials)
            repair.sweep_shared(self._database, self._files, self._locked)
        return taken

    @contextmanager
    def _holding(self, name: str) -> Iterator[None]:
        """The study's lock, where it is not held yet."""
        with nullcontext() if name in self._held else self.lock(name):
            yield

    @property
    def _locked(self) -> list[int]:
        return [self._studies.id(name) for name in self._held if name in self._studies]

    def sweep(self, study: str) -> int:
        """Delete the files that a kill left in a study's folder, and half-written ones elsewhere.

        Returns how many there were. Raises `RuntimeError` unless the study's lock is held: what
        another process has just written, and not yet named, must stay.
        """
        if study not in self._held:
            raise RuntimeError(f"sweeping study {study!r} needs its lock: use `with shelf.lock()`")
        return len(repair.sweep(self._database, self._files, self._studies.id(study)))

    def repair(self) -> tuple[str, ...]:
        """Delete what was left behind, and damaged networks; what was done, a sentence each.

        A network that is gone is trained again by the command that began its study. Studies that
        are being trained are left alone. Raises `ShelfError` where it cannot be written.
        """
        if any(check.damage(self._database)):  # what it does not name may be what it lost
            return ("Nothing was repaired: the database itself is damaged. Put back a copy of it.",)
        found = repair.repaired(self._database, self._files, self._studies, self._locked)
        return tuple(found)

    def lost(self, study: str) -> tuple[int, ...]:
        """Numbers of a study's trials whose file is missing, or of another size than was written.

        Quick, for no file is read: one that is damaged and of the right size is found by `check`.
        """
        return repair.lost(self._database, self._files, self._studies.id(study))

    def restore(self, study: str, number: int, file: StoredFile, copy: str) -> None:
        """Name a trial's network anew, where it was lost and has been trained again."""
        self._files.sync([file.name])
        repair.restore(self._database, self._studies.id(study), number, file, copy)

    @uncollected()
    def check(self) -> tuple[str, ...]:
        """All that is wrong with the shelf, a sentence each; nothing where it is sound."""
        return tuple(dict.fromkeys(check.problems(self._database, self._files)))

    def orphans(self) -> tuple[str, ...]:
        """Files that nothing names: of networks at work, or left by a kill. No problem."""
        return tuple(check.orphans(self._database, self._files))
