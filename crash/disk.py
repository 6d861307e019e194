"""A disk, as far as a power cut is concerned: what may be found on it afterwards.  Does no input or output itself.

Four models, from the kindest to the most forgetful:

    sync     all operations are on the disk, in order
    ext4     names reach the disk in order, and those before a sync of a folder are there; data are there if synced, otherwise perhaps
    newfile  the same, but the name of a new file comes with the sync of the file, before other names that are older
    posix    only what was synced is there for sure: data of files, names of folders; everything else perhaps
"""

import itertools

FEW = 3  # things that may be there or not, of which all combinations are tried; of more, only none, all, each alone, and all but each


class State:
    """What a disk holds: {name: file}, {file: content}, and which messages had been accepted by then."""

    __slots__ = ("names", "contents", "accepted")

    def __init__(self, names, contents, accepted):
        self.names = {name: file for name, file in names.items() if matters(folder_of(name))}
        self.contents, self.accepted = {file: contents[file] for file in self.names.values()}, accepted

    @property
    def key(self):
        """The same for states that hold the same."""
        return frozenset((name, file, self.contents[file]) for name, file in self.names.items())


class Disk:
    """What programs have done so far, operation by operation as crash/watch.py writes them down."""

    def __init__(self):
        self.names, self.data, self.synced = {}, {}, {}
        self.accepted = frozenset()
        self.files = {}  # inode number: file; numbers are used again, files are not
        self.fresh = itertools.count()
        self.base, self.changes = {}, []  # names at the last sync of a folder, and what happened to names since
        self.folders = {}  # names of each folder at its own last sync
        self.early = {}  # names that came with the sync of a new file
        self.begun = {}  # syncs under way
        self.told = 0  # changes before the last sync of a folder
        self.since, self.count = {}, 0  # when the last sync of a file or folder began; operations so far

    def do(self, word, *rest):
        """One more operation."""
        self.count += 1
        if work := getattr(self, "do_" + word.replace(" ", "_"), None):
            work(*rest)

    def do_accepted(self, name):
        self.accepted |= {name}

    def do_create(self, name, number):
        file = self.files[number] = next(self.fresh)
        self.data[file] = self.synced[file] = b""
        self._change({name: file})

    def do_write(self, number, at, part):
        file = self.files.get(number)
        if file is not None:
            self.data[file] = self.data[file][:at].ljust(at, b"\0") + part + self.data[file][at + len(part):]

    def do_cut(self, number, size):
        file = self.files.get(number)
        if file is not None:
            self.data[file] = self.data[file][:size].ljust(size, b"\0")

    def do_link(self, source, target):
        self._change({target: self.names[source]})

    def do_unlink(self, name):
        self._change({name: None})

    def do_rename(self, source, target):
        self._change({target: self.names[source], source: None})

    def _change(self, change):
        self.changes.append(change)
        apply(self.names, change)

    def do_sync(self, number):
        """One during which nothing else is done."""
        self.do_sync_begins(None, "file", number)
        self.do_sync_ends(None)

    def do_sync_folder(self, folder):
        self.do_sync_begins(None, "folder", folder)
        self.do_sync_ends(None)

    def do_sync_begins(self, count, what, which):
        """What there is now will last when this sync ends; what comes in between may or may not."""
        found = self.files.get(which) if what == "file" else which
        self.begun[count] = what, found, dict(self.names), dict(self.data), self.told + len(self.changes), self.count

    def do_sync_ends(self, count):
        what, which, names, data, changes, begin = self.begun.pop(count)
        if what == "file":
            if which is not None:
                self._keep_data(which, names, data, begin)
            return
        if what == "everything":
            for file in data:
                self._keep_data(file, names, data, begin)
        for folder in [which] if what == "folder" else {folder_of(name) for name in names} | set(self.folders):
            self._keep_names(folder, names, changes, begin)

    def _keep_data(self, file, names, data, begin):
        if self.since.get(file, -1) <= begin:  # else a sync that began later has ended before
            self.since[file], self.synced[file] = begin, data[file]
        self.early.update((name, found) for name, found in names.items() if found == file and self._is_new(name, file))

    def _keep_names(self, folder, names, changes, begin):
        if self.since.get(folder, -1) <= begin:
            self.since[folder], self.folders[folder] = begin, inside(names, folder)
        count = max(changes - self.told, 0)
        for change in self.changes[:count]:
            apply(self.base, change)
        self.told, self.changes = self.told + count, self.changes[count:]
        self.early = {name: file for name, file in self.early.items() if self._is_new(name, file)}

    def _is_new(self, name, file):
        """Whether a name may not be on the disk yet."""
        return any(change.get(name) == file for change in self.changes)

    # what a power cut may leave

    def sync(self):
        """The one state of this model."""
        yield State(dict(self.names), self.data, self.accepted)

    def ext4(self, early=False):
        """Any number of the latest names is missing, and any data that were not synced."""
        for count in range(len(self.changes) + 1):
            names, gone = dict(self.base), set()
            for change in self.changes[:count]:
                apply(names, change)
                gone.update(name for name, file in change.items() if file is None)
            if early:
                names.update((name, file) for name, file in self.early.items() if name not in gone)
            yield from self._with_data(names)

    def newfile(self):
        """The same, and names of new files may be there before older ones."""
        return self.ext4(early=True)

    def posix(self):
        """Each folder is as it was when it was synced, or as it is."""
        folders = {folder_of(name) for name in self.names} | set(self.folders)
        differing = sorted(folder for folder in folders if matters(folder) and self.folders.get(folder, {}) != inside(self.names, folder))
        for latest in choices(differing):
            names = {}
            for folder in folders:
                names.update(inside(self.names, folder) if folder in latest or folder not in differing else self.folders.get(folder, {}))
            yield from self._with_data(names)

    def _with_data(self, names):
        """States with these names: what was not synced is there, or is not."""
        doubtful = sorted({file for name, file in names.items() if matters(folder_of(name)) and self.data[file] != self.synced[file]})
        for there in choices(doubtful):
            contents = {file: self.data[file] if file in there else self.synced[file] for file in names.values()}
            yield State(names, contents, self.accepted)


MODELS = {"sync": Disk.sync, "ext4": Disk.ext4, "newfile": Disk.newfile, "posix": Disk.posix}


def states(operations):
    """{key: (State, model, number of operations before the cut)}: every state that a power cut could leave, each once.

    Of the moments that could leave it, it is the one by which most messages had been accepted.
    """
    found, disk = {}, Disk()
    for count, operation in enumerate(operations, 1):
        disk.do(*operation)
        for model, possible in MODELS.items():
            for state in possible(disk):
                known = found.get(state.key)
                if known is None or len(known[0].accepted) < len(state.accepted):
                    found[state.key] = state, model, count
    return found


def choices(things):
    """Which of some things may be there: each set of them, or of many the extreme ones."""
    if len(things) <= FEW:
        return [set(some) for size in range(len(things) + 1) for some in itertools.combinations(things, size)]
    return [set(), set(things), *({one} for one in things), *(set(things) - {one} for one in things)]


def apply(names, change):
    """Change names in place."""
    for name, file in change.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def matters(folder):
    """Whether anybody looks into a folder: what is in tmp of a Maildir is nobody's mail."""
    return not folder.endswith("/tmp")


def folder_of(name):
    return name.rpartition("/")[0]


def inside(names, folder):
    """The names in one folder."""
    return {name: file for name, file in names.items() if folder_of(name) == folder}


def renumbered(operations, old, new):
    """The operations, with a message's number changed: as if its file had got the inode number of an earlier message.

    old, new  as text.  The queue must not be split, since the number says in which folder a message's files are.
    """
    def name(word):
        folder, _, last = word.rpartition("/")
        return f"{folder}/{new}" if folder.startswith("queue/") and last == old else word

    return [tuple(name(word) if isinstance(word, str) else word for word in operation) for operation in operations]
