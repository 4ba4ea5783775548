"""No command prints or keeps what an address holds besides the place: user, password, query, or anything like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command, Done
from tests.support.fault_server import serving
from tests.support.sampling import one_in
from tests.support.signatures import write_signatures
from tests.support.signed_bundles import public, signer

SECRET = "s3cr3t"  # in every form below
NOBODY = "127.0.0.1:9"  # answers at once that nobody listens

FORMS = [
    f"http://me:{SECRET}@{NOBODY}/log",
    f"HTTP://{SECRET}@{NOBODY}/log/",
    f"http://{NOBODY}/log?sig={SECRET}",
    f"http://{NOBODY}/log?X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}",
    f"http://{NOBODY}/?token={SECRET}",
    f"http://{NOBODY}/log#{SECRET}",
    f"https://me:{SECRET}@",
    f"https://me:{SECRET}@a b/log",
    f"https://me:{SECRET}@[::1/log",
    f"https://me:{SECRET}/x@host/log",
    f" http://me:{SECRET}@{NOBODY}/log",
    f"s3://key:{SECRET}@bucket/log",
    f"s3://key:se/{SECRET}@bucket/log",
    f"S3://bucket/log?sig={SECRET}",
    f"s3://bucket/log?endpoint=http://me:{SECRET}@{NOBODY}",
    f"s3://bucket/log?{SECRET}",
    f"s3://bucket/log#{SECRET}",
    f"gs://bucket/log?X-Goog-Signature={SECRET}",
    f"az://container/log?sv=2026&sig={SECRET}",
    f"az://me:{SECRET}@container/log",
    f"sftp://me:{SECRET}@{NOBODY}/log",
    f"fsspec+s3://key:{SECRET}@bucket/log",
    f"zip://log::http://me:{SECRET}@{NOBODY}/a.zip",
    f"zip://log::http://{NOBODY}/a.zip?sig={SECRET}",
    f"reference::http://me:{SECRET}@{NOBODY}/r.json",
    f"nonsense://me:{SECRET}@host/log?sig={SECRET}",
    f"file://me:{SECRET}@host/log",
]

# every place that a call has for an address: X
PLACES = [
    "init X --origin o.example.com --key n",
    "init new --origin o.example.com --key n --private X",
    "init new --origin o.example.com --key n --anchor X",
    "add X a --key k",
    "add X a --dry-run",
    "add log a --key k --private X",
    "add log a --key k --anchor X",
    "sign a --log X --key sk --log-key k",
    "sign a --log log --key sk --log-key k --private X",
    "sign a --log log --key sk --log-key k --anchor X",
    "sign a --log log --key sk --log-key k --url X",
    "attest a --predicate json --type link --log X --key sk --log-key k",
    "upload --artifact a --signature signature --key sk.pub --log X --log-key k",
    "staple unlogged --key sk.pub --log X --log-key k",
    "trust-root X --out made --vkey VKEY",
    "submit X a --submitter ann",
    "submit X a --submitter ann --private log.private",
    "submit X a --submitter ann --private log.private --wait --timeout 0",
    "submit log a --submitter ann --private X",
    "sequence X --key k",
    "refresh X --key k",
    "info X",
    "info X --vkey VKEY",
    "info X --vkey VKEY --verbose",
    "add X a --key k --verbose",
    "info log --compare X --vkey VKEY",
    "loginfo X --vkey VKEY",
    "logproof X --vkey VKEY",
    "status X --key k",
    "revoke a --log X --reason why --log-key k",
    "revoke a --log log --reason why --log-key k --anchor X",
    "status log --private X --key k",
    "status log --anchor X --key k",
    "status X --key k --verbose --log-format json",
    "status log --private X --anchor X --key X --verbose",
    "get X 0 --vkey VKEY",
    "search X a --vkey VKEY",
    "search log a --index X --vkey VKEY",
    "policy check policy X",
    "verify a --proof p --vkey VKEY --log X",
    "verify X --vkey VKEY",
    "verify X a --vkey VKEY",
    "verify X --proof p --vkey VKEY",
    "verify a --proof X --vkey VKEY",
    "verify X --proof X --vkey VKEY",
    "verify a --bundle X --vkey VKEY --key sk.pub",
    "prove X --index 0 --vkey VKEY",
    "audit X --vkey VKEY",
    "monitor X --state state --begin first --vkey VKEY",
    "monitor log --state state --begin first --compare X --index --all --vkey VKEY",
    "import X other --vkey VKEY --key o",
    "import log X --vkey VKEY --key o",
    "mirror X copy --vkey VKEY",
    "mirror log X --vkey VKEY",
    "mirror log copy --vkey VKEY --mirror X",
    "mirror X copy --all --vkey VKEY",
    "info log --vkey VKEY --mirror X",
    "get X 0 --vkey VKEY --mirror log",
    "move X there --key k",
    "move log X --to-private there.private --key k",
    "move log there --to-private X --key k",
    "move log there --private X --key k",
    "move log there --anchor X --key k",
    "repair X --vkey VKEY",
    "repair log --from X --vkey VKEY",
    "repair log --private X --vkey VKEY",
    "index build X --key k",
    "index build X new --vkey VKEY --key k",
    "index build log X --vkey VKEY --key k",
    "index check X --vkey VKEY",
    "index stop X",
    "index stop log --private X",
    "gc X",
    "gc log --private X",
    "page X",
    "witness init w --name w.example.com --state X",
    "witness begin w.conf X --vkey VKEY",
    "serve X --port 0",
    "shim X --key k",
    "shim X --submit --submitter ann --private log.private",
    "shim log --key k --private X",
    "shim log --key k --anchor X",
    "endorse X --in log --log-key k",
    "endorse log --in X --log-key o",
    "endorse other --in log --log-key k --private X",
    "endorse other --in log --log-key k --anchor X",
    "endorse X --out made",
    "disclose X 0 --through o.example.com --public-vkey VKEY -o made",
    "withhold X 0 --reason why --key k",
    "withhold log 0 --reason why --key k --anchor X",
    "freeze X --yes --key k",
    "admission X",
    "admission log --private X",
    "key show X --key k",
    "key show log --key k --private X",
    "key trust X VKEY",
    "key forget X",
    "key adopt X --key k",
    "key add X --key k",
    "key add log --key k --anchor X",
    "key retire X VKEY --key k",
    "key adopt log --key k --anchor X",
]
# where somebody may put one by mistake; if that is a name which can be made, it is one
MISTAKEN = [
    "init new --origin o.example.com --key X",
    "init new --origin X",
    "add log a --key X",
    "admission log --set X --yes --key k",
    "add log a --key k --policy X",
    "add log a --key k --proofs-in X",
    "add log X --key k --proofs",
    "prove log X --beside",
    "add log X --key k",
    "add log --lines X --key k",
    "sign X --log log --key sk --log-key k",
    "sign a --log log --key X --log-key k",
    "sign a --log log --key sk --log-key X",
    "sign a --log log --key sk --log-key k -o X",
    "attest a --predicate X --type link --log log --key sk --log-key k",
    "attest a --predicate json --type X --log log --key sk --log-key k",
    "upload --artifact X --signature signature --key sk.pub --log log --log-key k",
    "upload --artifact-hash X --signature signature --key sk.pub --log log --log-key k",
    "upload --artifact a --signature X --key sk.pub --log log --log-key k",
    "upload --artifact a --signature signature --key X --log log --log-key k",
    "upload --artifact a --signature signature --key sk.pub --pki-format X --log log --log-key k",
    "verify a --signature X --key s.pub",
    "verify a --signature signature --key X",
    "staple X --key sk.pub --log log --log-key k",
    "trust-root log --out X --vkey VKEY",
    "trust-root log --out made --vkey VKEY --start X",
    "trust-root log --out made --vkey VKEY --ca X",
    "trust-root log --out made --vkey VKEY --rekor-url X",
    "submit log a --submitter X",
    "submit log X --submitter ann",
    "submit log X --payload --submitter ann",
    "submit log a --submitter ann --receipt X",
    "submit log --bundle X --submitter ann",
    "submit log --bundle unlogged --public-key X --submitter ann",
    "submit log a --submitter ann --wait -o X",
    "sequence log --key k --admission X",
    "sequence log --key k --witness-timeout X",
    "sequence log --key k --wait-extra X",
    "endorse log --out X",
    "endorse log --proof X --public-vkey VKEY",
    "endorse log --proof p --entry X --public-vkey VKEY",
    "endorse log --proof p --public-vkey X",
    "endorse log --proof p --public-policy X",
    "endorse other --in log --submit --submitter X",
    "disclose log 0 --through X --public-vkey VKEY -o made",
    "disclose log 0 --through a --public-vkey VKEY -o X",
    "disclose log X --through a -o made",
    "prove log --index 0 --through X --public-vkey VKEY -o made",
    "verify a --proof p --vkey VKEY --endorsement X --public-vkey VKEY",
    "verify a --proof p --vkey VKEY --endorsement p --public-vkey X",
    "verify --disclosure X --public-vkey VKEY",
    "withhold log X --reason why --key k",
    "status log --key k --max-age X",
    "cost --entries-per-day X",
    "cost --entries-per-day 5 --assume X",
    "cost --entries-per-day 5 --assume X=1",
    "info log --vkey X",
    "info log --policy X",
    "info log X",
    "info log --at X",
    "verify a --proof p --max-age X",
    "info log --X",
    "policy check X",
    "search log X --vkey VKEY",
    "search log --kind X --vkey VKEY",
    "search log --identity X --vkey VKEY",
    "search log --key X --vkey VKEY",
    "search log a --index index --index-key X --vkey VKEY",
    "verify --search-proof p --index-key X --vkey VKEY",
    "revoke X --log log --reason why --log-key k",
    "revoke a --log log --reason why --log-key k --by X",
    "search log a --prove X --vkey VKEY",
    "get log X --vkey VKEY",
    "get log 0 --vkey VKEY -o X",
    "get log --uuid X --vkey VKEY",
    "get log --artifact X --signature signature --public-key sk.pub --vkey VKEY",
    "get log --artifact a --signature X --public-key sk.pub --vkey VKEY",
    "get log --artifact a --signature signature --public-key X --vkey VKEY",
    "get log 0 --format X --vkey VKEY",
    "get log 0 --layout X --vkey VKEY",
    "get log 0 --origin X --vkey VKEY",
    "info log --origin X --vkey VKEY",
    "key trust log VKEY --origin X",
    "key forget log --seen --vkey VKEY --origin X",
    "prove log X --vkey VKEY",
    "prove log --index 0 -o X --vkey VKEY",
    "prove log --all --out-dir X --vkey VKEY",
    "prove log a X --out-dir made --vkey VKEY",
    "trust-root log --out made --vkey VKEY --also X",
    "staple unlogged --key sk.pub --log log --log-key k --timestamp X",
    "verify a --proof p --vkey X",
    "verify a --bundle p --trusted-root X --key k",
    "verify a --bundle p --vkey VKEY --key X",
    "verify a --bundle p --vkey VKEY --certificate-identity X --certificate-oidc-issuer X",
    "verify a --bundle p --vkey VKEY --certificate-identity a --certificate-oidc-issuer a --certificate-claim X",
    "verify a --bundle p --vkey VKEY --require X",
    "verify a --bundle p --vkey VKEY --require k --name X",
    "verify --fork X --vkey VKEY",
    "verify --search-proof X --vkey VKEY",
    "verify --checksums X --vkey VKEY",
    "audit log --jobs X",
    "audit log --vkey VKEY --executor X",
    "import log other --vkey VKEY --key o --executor X",
    "repair log --vkey VKEY --executor X",
    "index build log --key k --executor X",
    "index check log --vkey VKEY --executor X",
    "monitor log --state state --begin first --vkey VKEY --jobs X",
    "monitor log --state X --begin first --vkey VKEY",
    "monitor log --state state --begin first --match X --vkey VKEY",
    "monitor log --state state --begin first --key X --vkey VKEY",
    "monitor log --state state --begin first --exec X --vkey VKEY",
    "monitor log --state state --begin first --endorsed X --vkey VKEY",
    "mirror log copy --vkey VKEY --cosign X",
    "index build log --key k --kind X",
    "index build log new --key X",
    "index check log --vkey VKEY --against X",
    "page log --policy X",
    "serve log --port X",
    "witness init X --name w.example.com --state seen",
    "witness init w --name X --state seen",
    "witness init w --name w.example.com --state seen --key X",
    "witness begin w.conf --vkey X",
    "witness begin X log --vkey VKEY",
    "witness run X",
    "witness serve w.conf --listen X",
    "key generate X --out x",
    "key generate x --out X",
    "key show X",
    "key trust log X",
    "key retire log X --key k",
    "key list X",
    "completion X",
    "X log",
    "key X",
]
NAMES = {  # of a log or witness, which would publish it
    "init new --origin X",
    "key generate X --out x",
    "witness init w --name X --state seen",
}
CELLS = [(call, form) for call in PLACES + MISTAKEN for form in FORMS]
LIVE = [  # with an address at which a log is
    "info X",
    "info X --verbose",
    "info X --vkey VKEY",
    "get X 0",
    "prove X --index 0 -o q",
    "audit X",
    "monitor X --state state --begin first --all",
    "import X other --key o",
    "mirror X copy",
    "info log --mirror X",
    "submit X a --submitter ann --private log.private",
    "submit X a --submitter ann --private log.private --wait --timeout 0",
    "repair log --from X",
    "key trust X VKEY",
    "key forget X",
    "key list",
]


def kept(directory: Path) -> dict[Path, bytes]:
    """Return all files by their paths."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def check(tiletree: Command, vkey: str, call: str, address: str, *options: str) -> Done:
    """Run a call with an address, and look for the secret in all that it prints and leaves behind."""
    words = [{"X": address, "--X": f"--{address}", "VKEY": vkey}.get(word, word) for word in call.split()]
    before = kept(tiletree.directory) if call in PLACES + LIVE else {}
    done = tiletree(*words, *options)
    printed = done.err if done.code == 0 and call not in PLACES + LIVE else done.out + done.err
    assert SECRET not in printed, (call, address, done)
    assert done.code == 2 or call not in NAMES, (call, address, done)
    if call in PLACES + LIVE:
        for path, data in kept(tiletree.directory).items() - before.items():
            assert SECRET.encode() not in data, (call, address, path, data)
            assert SECRET not in str(path), (call, address, path)
    return done


@pytest.fixture
def prepared(tiletree: Command, log: str) -> str:
    """Return the vkey of a log, beside one that may import it, and what is to be signed."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o", "--no-page")
    write_signatures(b"content of a\n")
    tiletree.ok("witness", "init", "w.conf", "--name", "w.example.com", "--state", "seen")
    Path("policy").write_text(f"log {log}\nquorum none\n")
    return log


def in_all_cells(tiletree: Command, vkey: str, cells: list[tuple[str, str]]) -> None:
    """Check cells of the table, with --json every other one."""
    for number, (call, address) in enumerate(cells):
        check(tiletree, vkey, call, address, *(["--json"] if number % 2 else []))


def test_no_credentials_are_shown(tiletree: Command, prepared: str) -> None:
    """A sample of all commands and all forms of addresses."""
    in_all_cells(tiletree, prepared, one_in(24, CELLS))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_no_credentials_are_ever_shown(tiletree: Command, prepared: str, part: int) -> None:
    """All commands with all forms of addresses, in every place of a call."""
    in_all_cells(tiletree, prepared, CELLS[part::4])


def test_no_credentials_of_a_log_that_is_read(tiletree: Command, prepared: str) -> None:
    """First use, trust, memory and evidence hold the address as it is shown."""
    objects = {
        path.relative_to("log").as_posix(): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()
    }
    with serving(objects) as server:
        address = server.url.replace("http://", f"http://me:{SECRET}@") + f"?sig={SECRET}&X-Amz-Signature={SECRET}"
        for call in LIVE:
            done = check(tiletree, prepared, call, address)
            assert done.code in (0, 8), (call, done)


@pytest.mark.parametrize("option", ["--policy", "--admission", "--vkey", "--proof", "--bundle", "--require"])
@pytest.mark.parametrize("given", ["key file", "password"])
def test_what_is_in_a_wrong_file_is_not_shown(tiletree: Command, prepared: str, option: str, given: str) -> None:
    """A key that is named, or given, in place of something else is not in the message that says so."""
    secret = Path("k").read_text() if given == "key file" else f"password={SECRET}\n"
    Path("wrong").write_text(secret)
    Path("s.pub").write_bytes(public(signer()).pem)
    word = secret if option == "--vkey" else "wrong"
    words = {
        "--admission": "sequence log --key k",
        "--proof": f"verify a --vkey {prepared}",
        "--bundle": f"verify a --vkey {prepared} --key s.pub",
        "--require": f"verify a --vkey {prepared}",
    }.get(option, "info log")
    done = tiletree(*words.split(), option, word, "--json")
    assert done.code in (1, 2), done
    assert secret.strip()[-20:] not in done.out + done.err
    assert secret.strip()[:40] not in done.out + done.err
