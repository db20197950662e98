"""Signatures by real keys, the inbox as a real folder, and processes that outlive their terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from console.detach import DetachedLauncher, RunningActs
from console.identity import NAMESPACE, SshSigner
from console.inbox import Inbox
from stages.refusal import Trouble

MESSAGE = b'{"action":"ab"}'


def make_key(folder: Path, name: str, passphrase: str = "", kind: str = "ed25519") -> Path:
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(key)], check=True)
    return key


def allowed(*people: tuple[str, Path], options: str = "") -> bytes:
    return "".join(f"{name} {options}{key.with_name(key.name + '.pub').read_text()}" for name, key in people).encode()


@pytest.fixture
def bob(tmp_path: Path) -> Path:
    return make_key(tmp_path, "bob")


def test_no_key_and_a_missing_key_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="no signing key is configured"):
        SshSigner(None).sign(MESSAGE)
    with pytest.raises(Trouble, match=r"nobody: there is no signing key"):
        SshSigner(tmp_path / "nobody").sign(MESSAGE)


def test_a_locked_key_without_a_terminal_is_one_line(tmp_path: Path) -> None:
    key = make_key(tmp_path, "locked", passphrase="secret words")
    script = (
        f"from pathlib import Path\nfrom console.identity import SshSigner\nSshSigner(Path({str(key)!r})).sign(b'x')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], start_new_session=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert "the key did not sign" in done.stderr
    assert "unlock it" in done.stderr


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_the_signer_is_found_among_the_allowed(tmp_path: Path, bob: Path, kind: str) -> None:
    carol = make_key(tmp_path, f"carol-{kind}", kind=kind)
    signature = SshSigner(carol).sign(MESSAGE)
    assert "\n" not in signature
    everybody = allowed(("bob", bob), ("carol", carol))
    assert SshSigner(None).verify(MESSAGE, signature, everybody) == "carol"


def test_a_stranger_a_changed_message_and_a_broken_signature_are_nobody(tmp_path: Path, bob: Path) -> None:
    signature = SshSigner(bob).sign(MESSAGE)
    verifier = SshSigner(None)
    assert verifier.verify(MESSAGE + b" ", signature, allowed(("bob", bob))) is None
    assert verifier.verify(MESSAGE, signature[:-8] + "AAAAAAA=", allowed(("bob", bob))) is None
    assert verifier.verify(MESSAGE, signature, allowed(("eve", make_key(tmp_path, "eve")))) is None
    assert verifier.verify(MESSAGE, signature, b"") is None
    assert verifier.verify(MESSAGE, "not base64!", allowed(("bob", bob))) is None


def test_a_signature_for_another_purpose_is_no_approval(tmp_path: Path, bob: Path) -> None:
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(bob)], input=MESSAGE, capture_output=True, check=True
    )
    lines = done.stdout.decode().splitlines()
    assert SshSigner(None).verify(MESSAGE, "".join(lines[1:-1]), allowed(("bob", bob))) is None


def test_a_key_that_is_no_longer_valid_signs_nothing(bob: Path) -> None:
    signature = SshSigner(bob).sign(MESSAGE)
    assert SshSigner(None).verify(MESSAGE, signature, allowed(("bob", bob), options='valid-before="20200101" ')) is None
    only = allowed(("bob", bob), options=f'namespaces="{NAMESPACE}" ')
    assert SshSigner(None).verify(MESSAGE, signature, only) == "bob"


def test_an_agent_signs_for_a_public_key(tmp_path: Path, bob: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = f"/tmp/rampdeck-agent-{os.getpid()}"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        assert agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        subprocess.run(["ssh-add", "-q", str(bob)], check=True, capture_output=True)
        bob.unlink()
        signature = SshSigner(bob).sign(MESSAGE)
        assert SshSigner(None).verify(MESSAGE, signature, allowed(("bob", bob))) == "bob"
    finally:
        agent.terminate()
        agent.wait(10)
        Path(socket).unlink(missing_ok=True)


# -------------------------------------------------------------------------------------------------------------- inbox

PLAN = "b81c07d2" + "0" * 56


def test_requests_and_answers_travel_as_files(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox")
    assert inbox.requests() == ()
    assert inbox.answers(PLAN) == ()
    path = inbox.ask(PLAN, {"id": PLAN})
    assert path.name == "request-b81c07d2.json"
    inbox.answer(PLAN, "bob", "rda1.a.b")
    inbox.answer(PLAN, "erin", "rda1.c.d", rejected=True)
    found = inbox.answers(PLAN)
    assert [(each.approver, each.rejected, each.text) for each in found] == [
        ("bob", False, "rda1.a.b"),
        ("erin", True, "rda1.c.d"),
    ]
    inbox.set_aside(found[0])
    assert [each.approver for each in inbox.answers(PLAN)] == ["erin"]
    inbox.withdraw(PLAN)
    assert inbox.requests() == ()


def test_alien_half_written_and_dangerous_files_are_passed_over(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / "answer-b81c07d2-bob.token").write_bytes(b"\xff\xfe")
    (tmp_path / "answer-b81c07d2-carol.token").write_text("")
    (tmp_path / "answer-b81c07d2-dave.token.tmp").write_text("rda1.a.b")
    (tmp_path / "answer-b81c07d2-erin.token").symlink_to("/etc/hostname")
    (tmp_path / "answer-b81c07d2-fay.token").mkdir()
    (tmp_path / "holiday.jpg").write_bytes(b"\0" * 10)
    os.mkfifo(tmp_path / "answer-b81c07d2-gus.token")
    assert inbox.answers(PLAN) == ()
    inbox.answer(PLAN, "../../etc/passwd", "rda1.a.b")
    assert all(path.parent == tmp_path for path in tmp_path.iterdir())


def test_an_inbox_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("a file stands here")
    with pytest.raises(Trouble, match="the inbox cannot be used"):
        Inbox(tmp_path / "inbox").ask(PLAN, {})


# ------------------------------------------------------------------------------------------------------------- detach


def test_what_is_launched_survives_the_hangup_of_its_parent(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    module = tmp_path / "console"
    module.mkdir()
    (module / "__init__.py").touch()  # a package of its own, found before the installed one
    (module / "__main__.py").write_text(
        "import os, sys\nfrom pathlib import Path\n"
        f"answer = open({str(gate)!r}).read()\n"
        "Path(sys.argv[1]).write_text(f'{os.getsid(0) == os.getpid()} {answer} {sys.argv[2:]}')\n"
        f"open({str(gate)!r}, 'w').write('done')\n"
    )
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[1])\n"
        "from console.detach import DetachedLauncher\nos.chdir(sys.argv[2])\n"
        "launcher = DetachedLauncher(Path('logs'), ('--config', 'c.yaml'))\n"
        "print(launcher.launch([sys.argv[2] + '/out', 'x']), flush=True)\n"
        "signal.pause()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(Path(__file__).resolve().parents[2]), str(tmp_path)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) > 0
    os.killpg(parent.pid, signal.SIGHUP)
    parent.wait(10)
    gate.write_text("on")
    assert gate.read_text() == "done"
    assert (tmp_path / "out").read_text() == "True on ['x', '--config', 'c.yaml']"
    assert (tmp_path / "logs" / "detached.log").exists()


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").write_text("a file stands here")
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    assert DetachedLauncher(tmp_path / "logs").launch(["--version"]) > 0


def test_an_act_is_alive_until_its_process_ends(tmp_path: Path) -> None:
    acts = RunningActs(tmp_path / "running")
    assert acts.alive("i1") is None
    with acts.hold("i1"):
        assert acts.alive("i1") is True
    assert acts.alive("i1") is None
    script = (
        "import sys, os, signal\nfrom pathlib import Path\nfrom console.detach import RunningActs\n"
        f"with RunningActs(Path({str(tmp_path / 'running')!r})).hold('i2'):\n"
        "    print('held', flush=True)\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert acts.alive("i2") is True
    finally:
        process.kill()
        process.wait(10)
    assert acts.alive("i2") is False


def test_an_act_whose_mark_cannot_be_made_goes_on(tmp_path: Path) -> None:
    (tmp_path / "running").write_text("a file stands here")
    done = threading.Event()
    with RunningActs(tmp_path / "running").hold("i1"):
        done.set()
    assert done.is_set()
