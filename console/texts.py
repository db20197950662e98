"""Texts: the policy and the roster as they stand in the repository at a commit, and the pair that is in force."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from console.in_force import InForce, policy_of_file
from stages.refusal import Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from console.config import Settings
    from console.ports import Repository
    from stages.policy import Policy
    from stages.roster import Roster
    from stages.state import Adopted, ControlState


class Texts(Struct, frozen=True):
    """Reads the governing texts. ``policy_file`` (``--policy FILE``) stands in for the repository's policy.

    The repository is asked for when it is first needed. Every call may raise Trouble.
    """

    settings: Settings
    repository: Callable[[], Repository]
    policy_file: Path | None = None

    @property
    def policy_path(self) -> str:
        """Where the policy lives in the repository."""
        self.settings.need("policy")
        return str(self.settings.policy)

    @property
    def roster_paths(self) -> tuple[str, str]:
        """The roster's two files in the repository: allowed signers, members."""
        if self.settings.roster:
            return self.settings.roster.signers, self.settings.roster.members
        folder = self.policy_path.rpartition("/")[0]
        return f"{folder}/allowed_signers".lstrip("/"), f"{folder}/roster.yaml".lstrip("/")

    def policy(self, sha: str) -> tuple[Policy, str]:
        """The policy at a commit, or ``--policy FILE``, with its text."""
        from stages.policy_text import load

        if self.policy_file:
            return policy_of_file(self.policy_file)
        raw = self.repository().read(sha, self.policy_path)
        if raw is None:
            raise Trouble("there is no policy", where=f"{self.policy_path} at {sha[:8]}", fix="correct 'policy'")
        text = raw.decode("utf-8")
        return load(text, self.policy_path), text

    def roster(self, sha: str) -> tuple[Roster, bytes, str]:
        """The roster at a commit: members, allowed signers, digest over both."""
        from stages.roster import load_roster

        signers_path, members_path = self.roster_paths
        signers, members = self.repository().read(sha, signers_path), self.repository().read(sha, members_path)
        if signers is None or members is None:
            missing = signers_path if signers is None else members_path
            raise Trouble("there is no roster", where=f"{missing} at {sha[:8]}", fix="add it beside the policy")
        roster, digest = load_roster(signers, members, members_path)
        return roster, signers, digest

    def in_force(self, state: ControlState) -> InForce:
        """The adopted policy and roster; Trouble when nothing was adopted or the texts do not match their digests."""
        from stages.policy_text import digest

        if state.policy is None or state.roster is None:
            raise Trouble("no policy is adopted yet", fix="run 'rampdeck policy adopt'")
        policy, text = self._adopted_policy(state.policy)
        if self.policy_file and digest(text) != state.policy.digest:
            raise Trouble(
                "is not the adopted policy", where=str(self.policy_file), fix="leave --policy out, or adopt it"
            )
        roster, signers, roster_digest = self.roster(state.roster.commit)
        if digest(text) != state.policy.digest or roster_digest != state.roster.digest:
            raise Trouble("the repository does not hold what the ledger adopted", fix="run 'rampdeck ledger verify'")
        return InForce(policy, text, state.policy.digest, roster, roster_digest, signers)

    def _adopted_policy(self, adopted: Adopted) -> tuple[Policy, str]:
        """At the adopting commit, fetched first when this machine has never seen it."""
        if self.policy_file is None and self.repository().known_head() is None:
            self.repository().fetch()
        return self.policy(adopted.commit)
