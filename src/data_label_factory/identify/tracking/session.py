"""Frames of one camera, one after the other → tracks with lasting
ids.

What is known is held where it lies (`alignment`); only what is
new is searched for, when the picture changes and now and then
(`watch`), beside the frames that follow (`searching`). Every
search is a look, and looks add up (`evidence`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Executor

import numpy as np

from data_label_factory.identify.images import RGB, Picture, as_rgb
from data_label_factory.identify.quad import Quad, quad_iou
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.geometry import Matrix
from data_label_factory.identify.tracking.alignment import Anchors, find_again, hold
from data_label_factory.identify.tracking.flow import GrayFrame, follow_quads
from data_label_factory.identify.tracking.searching import (
    SAME_PLACE,
    Found,
    Search,
    Searcher,
    bring_forward,
)
from data_label_factory.identify.tracking.track import (
    KEPT_FOR,
    SHOWN_FOR,
    Look,
    Track,
    TrackedDetection,
)
from data_label_factory.identify.tracking.watch import Watch

_NEAR = 1.0  # diagonals that a thing may have moved while it was out of sight
_COMPARED_PER_FRAME = 4  # tracks; more take turns, and meanwhile flow carries them
_CARRIED_FOR = 0.5  # seconds that flow alone may carry a track …
_CARRIED_BY_EMBEDDING = 1.2  # … and one that no reference can be laid onto
_FOUND_AGAIN_FOR = 0.3  # seconds that a thing is looked for around its last place
_MOST_TRACKS = 64
_PICTURES_KEPT = 64  # of tracks, also of ended ones; about 80 KB each


class Session:
    """What one camera has shown so far. Safe to call from several
    threads, which wait for each other.

    Searches run in threads of `executor`; None takes those that
    all sessions share.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self._searcher = Searcher(executor)
        self._lock = threading.Lock()
        self._recognizer: Recognizer | None = None
        self._tracks: list[Track] = []
        self._before: GrayFrame | None = None
        self._before_at = -np.inf
        self._watch = Watch()
        self._anchors = Anchors()
        self._pictures: OrderedDict[int, bytes] = OrderedDict()
        self._numbers = 0
        self._at = -np.inf

    def see(
        self, picture: Picture, recognizer: Recognizer, at: float | None = None
    ) -> list[TrackedDetection]:
        """What is in the next frame, in order of id.

        `picture` and the errors are those of
        `Recognizer.recognize`. `at` is when it was taken, in
        seconds of any clock; None stands for now. Time does not
        go back: an older frame counts as taken with the last.
        With another `recognizer` than before, tracks keep their
        ids, and everything is looked at anew.
        """
        frame = as_rgb(picture)
        with self._lock:
            self._at = max(self._at, time.monotonic() if at is None else at)
            if recognizer is not self._recognizer:
                self._adopt(recognizer)

            gray = GrayFrame(frame)
            self._searcher.add(gray)
            self._hold_tracks(frame, gray, recognizer)
            self._take_in_finished(frame)
            self._search_if_due(frame, gray, recognizer)

            self._before, self._before_at = gray, self._at
            return self._tell(frame, recognizer.strictness)

    def picture(self, number: int) -> bytes | None:
        """The best picture of a track, straightened, as JPEG;
        None if there is none.
        """
        with self._lock:
            return self._pictures.get(number)

    def _adopt(self, recognizer: Recognizer) -> None:
        """Forget what rests on another index; ids are found again by name."""
        self._recognizer = recognizer
        self._watch = Watch()
        self._anchors = Anchors()
        for track in self._tracks:
            track.pose = None

    def _hold_tracks(self, frame: RGB, gray: GrayFrame, recognizer: Recognizer) -> None:
        """Find known things where they lie now: first those in
        view, and of these the ones that were not compared for
        longest.
        """
        if self._before is None:
            return
        tracks = [track for track in self._tracks if self._at - track.seen_at <= SHOWN_FOR]
        motions = follow_quads(self._before, gray, [track.quad for track in tracks])
        pairs = list(zip(tracks, motions, strict=True))
        pairs.sort(key=lambda pair: (pair[0].followed_at < self._before_at, pair[0].verified_at))

        budget = _COMPARED_PER_FRAME
        for track, motion in pairs:
            can_compare = track.pose is not None and recognizer.references is not None
            if can_compare and budget > 0:
                budget -= 1
                self._compare(track, frame, motion, recognizer)
            elif motion is not None and track.followed_at == self._before_at:
                carried_for = self._at - max(track.verified_at, track.looked_at)
                most = _CARRIED_FOR if can_compare else _CARRIED_BY_EMBEDDING
                track.be_moved(motion, self._at, is_seen=carried_for <= most)

    def _compare(
        self, track: Track, frame: RGB, motion: Matrix | None, recognizer: Recognizer
    ) -> None:
        """See whether a thing is where it was, or where flow has carried it."""
        assert track.pose is not None
        assert recognizer.references is not None
        pose = hold(frame, track.pose, motion, self._anchors, recognizer.references)
        is_recent = self._at - track.seen_at <= _FOUND_AGAIN_FOR
        if pose is None and track.was_confident and is_recent:
            others = [other.quad for other in self._tracks if other is not track]
            pose = find_again(frame, track.pose, others, recognizer.references)
        if pose is not None:
            track.be_seen(pose, pose.quad, self._at)
        elif (
            motion is not None
            and track.followed_at == self._before_at
            and self._at - track.seen_at <= _CARRIED_FOR
        ):
            track.be_moved(motion, self._at, is_seen=False)

    def _search_if_due(self, frame: RGB, gray: GrayFrame, recognizer: Recognizer) -> None:
        """Search beside the frames that follow, or at once where
        an answer without it would be worth little.
        """
        at, strictness = self._at, recognizer.strictness
        in_view = [track for track in self._tracks if track.seen_at == at]
        # Of guesses, nothing is lost.
        known = [track for track in self._tracks if track.was_confident]
        lost = [track for track in known if 0 < at - track.seen_at <= SHOWN_FOR]
        has_just_lost = any(track.seen_at == self._before_at for track in lost)
        is_due = has_just_lost or self._is_due(gray, in_view, bool(lost), strictness)
        waits = has_just_lost or not in_view
        if not is_due or (self._searcher.is_busy and not waits):
            return

        search = Search(frame, gray, recognizer, self._choose_explained(recognizer), at)
        if waits:
            self._take_in_all(search.run(), [gray], frame)
        else:
            self._searcher.begin(search)
            self._take_in_finished(frame)

    def _is_due(
        self, gray: GrayFrame, in_view: list[Track], is_lost: bool, strictness: float
    ) -> bool:
        explained = [track.quad for track in in_view if track.pose is not None]
        is_unsure = any(not track.is_sure(self._at, strictness) for track in in_view)
        return self._watch.is_due(gray, explained, self._at, is_lost=is_lost, is_unsure=is_unsure)

    def _choose_explained(self, recognizer: Recognizer) -> list[Quad]:
        """The quads of what is sure and in its place, but for the
        one thing that is due for another look for longest.
        """
        held = [
            track
            for track in self._tracks
            if track.seen_at == self._at
            and track.pose is not None
            and track.is_sure(self._at, recognizer.strictness)
        ]
        due = [track for track in held if track.is_due(self._at)]
        again = min(due, key=lambda track: track.looked_at, default=None)
        if again is not None:
            again.looked_at = self._at
        return [track.quad for track in held if track is not again]

    def _take_in_finished(self, frame: RGB) -> None:
        taken = self._searcher.take()
        if taken is not None and taken[0].search.recognizer is self._recognizer:
            self._take_in_all(*taken, frame)

    def _take_in_all(self, found: Found, path: list[GrayFrame], frame: RGB) -> None:
        """Take in what a search has found, in this frame or, by
        the `path` of frames since, in one before.
        """
        self._watch.note_search(found.search.gray, found.search.at, found.seconds)
        is_this = len(path) == 1
        looks = found.looks if is_this else bring_forward(found, path, frame, self._anchors)
        for look in looks:
            self._take_in(look)

    def _take_in(self, look: Look) -> None:
        """Give a look to the track of the thing that it shows, or begin one."""
        at = self._at
        rivals = [t for t in self._tracks if quad_iou(t.quad, look.quad) > SAME_PLACE]
        own = self._find_own(look, rivals)
        if own is not None:
            own.take_in(look, at)
            self._end([t for t in rivals if t is not own and t.seen_at < at])
            return

        in_view = [track for track in rivals if track.seen_at == at]
        if in_view and not look.detection.confident:
            in_view[0].take_in(look, at)
            return
        if any(track.pose and not track.is_doubted for track in in_view):
            # It was held there a moment ago, and now another name is sure. The next
            # look decides; until then neither is.
            for track in in_view:
                track.is_doubted = True
            return

        if look.detection.confident:
            self._end(rivals)
        if len(self._tracks) < _MOST_TRACKS:
            self._tracks.append(Track.begin(look, at))

    def _find_own(self, look: Look, rivals: list[Track]) -> Track | None:
        """The track of the same name in that place, or one that
        has come back.
        """
        same = [track for track in rivals if look.names_the_same(track.look)]
        if not same:
            same = [
                track
                for track in self._tracks
                if track.seen_at < self._at
                and look.names_the_same(track.look)
                and (look.detection.confident or _is_near(track, look))
            ]
        return max(same, key=lambda track: track.seen_at, default=None)

    def _end(self, tracks: list[Track]) -> None:
        self._tracks = [track for track in self._tracks if track not in tracks]

    def _tell(self, frame: RGB, strictness: float) -> list[TrackedDetection]:
        """What is to be said about this frame; what is long gone
        is forgotten.
        """
        at = self._at
        self._tracks = [track for track in self._tracks if at - track.seen_at <= KEPT_FOR]
        shown = [track for track in self._tracks if track.is_shown(at, strictness)]
        for track in shown:
            if not track.number:
                self._numbers += 1
                track.number = self._numbers
            if track.seen_at == at and track.is_sure(at, strictness):
                self._keep_picture(track, frame)
        return [track.describe(at, strictness) for track in sorted(shown, key=lambda t: t.number)]

    def _keep_picture(self, track: Track, frame: RGB) -> None:
        picture = track.take_better_picture(frame)
        if picture is None:
            return
        self._pictures[track.number] = picture
        self._pictures.move_to_end(track.number)
        if len(self._pictures) > _PICTURES_KEPT:
            self._pictures.popitem(last=False)


def _is_near(track: Track, look: Look) -> bool:
    """Whether a look is no further from where the track was than
    the thing is large.
    """
    away = np.linalg.norm(track.quad.mean(axis=0) - look.quad.mean(axis=0))
    return bool(away <= _NEAR * np.linalg.norm(track.quad[2] - track.quad[0]))
