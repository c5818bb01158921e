"""Tests that press Ctrl-C pass in a background job, too, and clean up after themselves."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from processes import started

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")

SLEEPS = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"]
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}


@pytest.fixture
def ignored() -> Iterator[None]:
    """SIGINT is ignored, as in `make test &` of a script."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignored")
def test_a_command_hears_ctrl_c_where_the_tests_ignore_it() -> None:
    with started(SLEEPS, **PIPES) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == -signal.SIGINT


def test_a_test_that_fails_leaves_no_process_behind() -> None:
    with pytest.raises(AssertionError), started(SLEEPS, **PIPES) as process:
        raise AssertionError
    assert process.returncode == -signal.SIGKILL
