"""Prints what is there of a run's log: every line marked with its task, without secrets and control sequences."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from ..core import marks
from ..core.api import Object
from ..core.log.masking import Masker
from ..core.log.reader import LogReader
from ..core.log.stamps import Stamped
from ..core.log.stored import place_of
from ..core.run import outcome
from ..core.run.summary import RunSummary
from ..errors import ArchiveError, ClusterError, NotFound, Unreachable
from .archives import url_of
from .log_form import Form, warn
from .target import TargetSpace


class LogPrinter:
    """Prints the logs of runs of one Space; `unread` is whether one of them is there and could not be read."""

    def __init__(self, space: TargetSpace, form: Form) -> None:
        self.space, self.form, self.unread = space, form, False
        self._maskers: dict[frozenset[str], Masker] = {}
        self._get = functools.cache(space.cluster.get)
        self._runs = functools.cache(lambda app: space.cluster.list_runs(space.name, app))
        self._warn = functools.cache(warn)

    def dump(self, run: RunSummary) -> None:
        """Prints the log of a run, or says why there is none."""
        try:
            whole = self.space.whole_run(run.name)
        except NotFound:
            self.form.note(run, "was deleted just now")
            return
        pods = self.space.cluster.pods(self.space.name, run.name)
        if not pods and self._elsewhere(run, whole):
            return
        if not pods:
            self.form.note(
                run, f"its pod is gone, and its log with it ({run.reason})" if run.finished else "has no pod yet"
            )
        for pod in pods:
            if outcome.started(pod):
                self._dump_pod(run, pod["metadata"]["name"], self.reader(whole, pods))
            else:
                self.form.note(run, f"has not started: {outcome.waiting(pod) or run.reason}")

    def reader(self, whole_run: Object, pods: Sequence[Object] = (), *, anew: bool = False) -> LogReader:
        """A reader that hides what `masker` does."""
        return LogReader(self.masker(whole_run, pods, anew=anew))

    def masker(self, whole_run: Object, pods: Sequence[Object] = (), *, anew: bool = False) -> Masker:
        """What hides the values of the Secrets that a run had; every line, where they are not known.

        Each Secret is read once, unless `anew` says that it may have been changed since then.
        """
        from ..runs.secrets import secret_values

        unknown = list[str]()
        get = self.space.cluster.get if anew else self._get
        others = functools.partial(self._runs, whole_run["metadata"]["labels"].get(marks.NAME))
        values = secret_values(get, self.space.name, whole_run, self._warn, unknown.append, pods=pods, others=others)
        key = frozenset(values)
        if key not in self._maskers:
            self._maskers[key] = Masker(values)
        for text in unknown:
            advice = "so its lines are hidden; kf logs --unmasked shows them as they are"
            self._warn(f"run {whole_run['metadata']['name']}: {text}{'' if self.form.unmasked else f': {advice}'}")
        if not unknown or self.form.unmasked:
            return self._maskers[key]
        blind = Masker()
        blind.hide_all()
        return blind

    def _elsewhere(self, run: RunSummary, whole: Object) -> bool:
        """Prints the log of a run whose pod is gone: from the archive, or as the schedule that replaced it kept it."""
        from ..log.archive import Archive
        from ..runs.archiving import copied

        url = url_of(self.space, run.labels.get(marks.NAME))
        try:
            record = Archive.of(url).record(place_of(whole)) if url else None
            if record and not record.missing:
                self.form.stored(Archive.of(url or ""), record)
                return True
        except ArchiveError as error:
            self.form.note(run, str(error))
        chunks = list(copied(self.space.cluster, self.space.name, whole))
        if not chunks:
            return False
        reader = self.reader(whole)
        kept = [line for chunk in chunks for line in reader.feed(chunk)] + reader.finish()
        self.form.show(run, kept[-self.form.lines :])
        return bool(kept)

    def _dump_pod(self, run: RunSummary, pod: str, reader: LogReader) -> None:
        from ..log.pump import ended_log

        cluster, namespace, form = self.space.cluster, self.space.name, self.form
        shown = form.reader(reader)
        chunks: Iterator[bytes]
        if run.finished and not form.lines:
            chunks = ended_log(cluster, namespace, pod, since=form.since, stamps=form.timestamps)
        else:
            chunks = cluster.log(namespace, pod, tail=form.lines or None, since=form.since, stamps=form.timestamps)
            chunks = map(Stamped(keep=True).feed, chunks) if form.timestamps else chunks
        try:
            for chunk in chunks:
                self.form.show(run, shown.feed(chunk))
            self.form.show(run, shown.finish())
        except Unreachable:
            raise
        except ClusterError as error:
            self.form.show(run, shown.finish())
            self.form.note(run, f"its log cannot be read: {error}")
            self.unread = True
