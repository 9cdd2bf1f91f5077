#!/usr/bin/python3
"""`ibakelab kms` and the frame of the program. Argument: the program."""
import os
import stat
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])


def run(*arguments, status=0, cwd=None, **more):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, cwd=cwd, timeout=300, text=True, **more)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def main_program():
    assert "Usage: ibakelab COMMAND" in run("--help") and run("-h") == run("help") == run("--help")
    assert "Exit status" in run("--help") and "ibakelab 0." in run("--version")
    assert "did you mean 'decode'?" in run("decoed", status=2)
    assert "did you mean" not in run("zzzzzz", status=2) and "unknown command" in run("zzzzzz", status=2)
    assert "missing" in run(status=2)
    assert run("help", "kms") == run("kms", "--help")
    assert "unknown command" in run("help", "nothing", status=2)
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 3 and "No space left" in done.stderr, done


def init(directory):
    out = run("kms", "init", "--size", "1024", "--seed", "s", "--out", directory)
    assert "80-bit strength" in out, out
    params, master = read(directory, "kms.params.der"), read(directory, "kms.master.der")
    assert stat.S_IMODE(os.stat(os.path.join(directory, "kms.master.der")).st_mode) == 0o600
    assert "exists already" in run("kms", "init", "--size", "1024", "--seed", "t", "--out", directory, status=2)
    assert read(directory, "kms.params.der") == params
    run("kms", "init", "--size", "1024", "--seed", "t", "--out", directory, "--force", "--quiet")
    assert read(directory, "kms.params.der") != params and read(directory, "kms.master.der") != master
    run("kms", "init", "--size", "1024", "--seed", "s", "--out", directory, "--force")
    assert read(directory, "kms.params.der") == params and read(directory, "kms.master.der") == master
    for name in ("x", "y"):  # the system's randomness
        run("kms", "init", "--size", "1024", "--out", directory, "--name", name)
    assert read(directory, "x.params.der") != read(directory, "y.params.der")
    for bad in (["--size", "1000"], ["--size", "1024x"], ["--size", "-1"], [], ["--size", "1024", "--name", "../x"],
                ["--size", "1024", "more"], ["--nothing"]):
        run("kms", "init", "--out", directory, *bad, status=2)
    run("kms", "init", "--size", "1024", status=2)
    assert "cannot create" in run("kms", "init", "--size", "1024", "--out", "/proc/nothing/x", status=2)


def extract(directory):
    def key(name, *options, status=0, params="kms", master="kms", identity="sip:bob@b.example"):
        return run("kms", "extract", "--params", params + ".params.der", "--master", master + ".master.der", "--identity",
                   identity, "--out", name, *options, status=status, cwd=directory)
    key("a.der", "--date", "20260228")
    key("b.der", identity="sip:bob@b.example20260228")
    key("c.der")
    assert read(directory, "a.der") == read(directory, "b.der") != read(directory, "c.der")
    assert stat.S_IMODE(os.stat(os.path.join(directory, "a.der")).st_mode) == 0o600
    assert "exists already" in key("a.der", status=2)
    key("a.der", "--force")
    assert "not the master secret" in key("d.der", master="x", status=2)
    for date in ("20260229", "2026022", "20261301", "20260100", "today123", "19000229"):
        assert "--date" in key("d.der", "--date", date, status=2)
    key("d.der", "--date", "20240229")
    assert "No such file" in key("e.der", params="none", status=2)
    with open(os.path.join(directory, "bad.params.der"), "wb") as file:
        file.write(read(directory, "kms.params.der")[:-1])
    assert "DER" in key("e.der", params="bad", status=2)
    run("kms", "extract", "--params", "x", status=2)


def show(directory):
    out = run("kms", "show", "kms.params.der", cwd=directory)
    assert "BFPublicParameters" in out and "all checks passed" in out and "(type-1 curve)" in out and "(SHA-1)" in out, out
    out = run("kms", "show", "kms.master.der", "a.der", cwd=directory)
    assert "BFMasterSecret" in out and "BFPrivateKeyBlock" in out and out.count("(secret)") == 3, out
    secret = run("kms", "show", "--secrets", "kms.master.der", cwd=directory)
    assert read(directory, "kms.master.der")[-20:].hex() in secret and "(secret)" not in secret, secret
    for name, text in (("bad.params.der", "octet"), ("none", "No such file")):
        assert text in run("kms", "show", name, status=2, cwd=directory)
    run("kms", "show", status=2)
    run("kms", status=2)
    assert "did you mean 'extract'?" in run("kms", "extrakt", status=2)
    parsed = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", os.path.join(directory, "kms.params.der")],
                            capture_output=True, text=True, check=True).stdout
    ours = run("kms", "show", "kms.params.der", cwd=directory)
    offsets = [int(line.split(":")[0]) for line in parsed.splitlines()]
    assert offsets == [int(line.split()[0]) for line in ours.splitlines()[2:] if line[:6].strip().isdigit()], (parsed, ours)


main_program()
with tempfile.TemporaryDirectory() as place:
    init(place)
    extract(place)
    show(place)
