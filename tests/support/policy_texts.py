"""Policy files, as they may be and as they may not."""

from __future__ import annotations

from hashlib import sha256

from tests.support.signed_text import (
    COSIGNATURE,
    LOG,
    LOG_LINE,
    ORIGIN,
    WITNESS_LINES,
    WITNESSES,
    X1,
    X1_PUBLIC,
    X2,
    X3,
)
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import MAX_POLICY_LINES, MAX_POLICY_SIZE

VALID = {
    "no logs": "quorum none\n",
    "quorum first": f"quorum none\n{LOG_LINE}",
    "lines in any order": f"witness X1 {X1}\n{LOG_LINE}quorum X1\nwitness X2 {X2}\n",
    "white space, empty lines, comments": f" \t\n#\n\t # quorum X2\n\t witness\t \tX1  {X1} \t\n\n quorum\tX1 \n#",
    "URLs": f"log {LOG.verifier.vkey} https://log.example.com/\nwitness X1 {X1} https://w.example/#a\nquorum none\n",
    "numbers, keywords and marks as names": (
        f"witness 1 {X1}\nwitness all {X2}\nwitness #x {X3}\ngroup any any 1 all #x\nquorum any\n"
    ),
    "group of all by number": f"{WITNESS_LINES}group g 6 X1 X2 X3 Y1 Y2 Y3\nquorum g\n",
    "group of one": f"witness X1 {X1}\ngroup g all X1\nquorum g\n",
    "group that nothing uses": f"witness X1 {X1}\ngroup g any X1\nquorum none\n",
    "quorum that is a member too": f"witness X1 {X1}\ngroup g any X1\nquorum X1\n",
    "one Ed25519 key as log and as witness": (
        f"{LOG_LINE}witness w {VerifierKey('w', COSIGNATURE, LOG.verifier.public).vkey}\nquorum none\n"
    ),
}
W = f"witness X1 {X1}\nwitness X2 {X2}\n"
RENAMED = VerifierKey("renamed.example.com", WITNESSES["X1"].verifier.type, X1_PUBLIC).vkey
LOG_AGAIN = VerifierKey("again.example.com", COSIGNATURE, LOG.verifier.public).vkey
ONE, OTHER = (
    VerifierKey("witness.example.com", COSIGNATURE, sha256(n.to_bytes(4, "big")).digest()).vkey for n in (53156, 80019)
)
INVALID = {
    "nothing": ("", "policy: no quorum line"),
    "no quorum": (LOG_LINE, "policy: no quorum line"),
    "two quorums": (f"{W}quorum X1\nquorum X2\n", "policy line 4: a second quorum line: 'X2'"),
    "one quorum twice": ("quorum none\nquorum none\n", "policy line 2: a second quorum line: 'none'"),
    "quorum nobody defined": (
        f"{W}quorum X3\n",
        "policy line 3: no witness or group of this name on a preceding line: 'X3'",
    ),
    "quorum before its definition": (
        f"quorum X1\n{W}",
        "policy line 1: no witness or group of this name on a preceding line: 'X1'",
    ),
    "quorum in another case": (
        f"{W}quorum x1\n",
        "policy line 3: no witness or group of this name on a preceding line: 'x1'",
    ),
    "quorum of two": (f"{W}quorum X1 X2\n", "policy line 3: not a log, witness, group or quorum line: 'quorum X1 X2'"),
    "quorum of nothing": ("quorum\n", "policy line 1: not a log, witness, group or quorum line: 'quorum'"),
    "last line cut short": (f"{W}quorum X1", "policy: the last line does not end in newline: 'quorum X1'"),
    "unknown keyword": (f"{W}quorums X1\n", "policy line 3: not a log, witness, group or quorum line: 'quorums X1'"),
    "keyword in upper case": (
        "QUORUM none\n",
        "policy line 1: not a log, witness, group or quorum line: 'QUORUM none'",
    ),
    "no comment after a line": (
        f"{LOG_LINE.strip()} https://log.example.com # the log\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "comment as name of the quorum": (
        "quorum none # no witnesses\n",
        "policy line 1: not a log, witness, group or quorum line: 'quorum none # no witnesses'",
    ),
    "log with two URLs": (
        f"{LOG_LINE.strip()} a b\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "log with three URLs": (
        f"{LOG_LINE.strip()} a b c\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "witness with two URLs": (
        f"witness X1 {X1} a b\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "log without a key": ("log\nquorum none\n", "policy line 1: not a log, witness, group or quorum line: 'log'"),
    "log with a name": (
        f"log {ORIGIN} {LOG.verifier.vkey}\nquorum none\n",
        "policy line 1: verifier key: not <name>+<key id>+<base64>: 'log.example.com'",
    ),
    "log with a broken key": (
        LOG_LINE.replace("log.", "lag.") + "quorum none\n",
        "policy line 1: verifier key: key id is not 16aa7059:",
    ),
    "log with a key that is not UTF-8": (
        "log \udcff\nquorum none\n",
        "policy line 1: verifier key: not UTF-8 at byte 0: b'\\xff'",
    ),
    "log with a key of a reserved type": (
        "log a+12345678+Aw==\nquorum none\n",
        "policy line 1: verifier key: unknown signature type: 'a+12345678+Aw=='",
    ),
    "one log twice": (
        LOG_LINE * 2 + "quorum none\n",
        "policy line 2: the public key is on another line already: 'log.example.com+04603546'",
    ),
    "one log key under two names": (
        f"{LOG_LINE}log {LOG_AGAIN}\nquorum none\n",
        "policy line 2: the public key is on another line already: 'again.example.com+8d347a6c'",
    ),
    "witness without a key": (
        "witness X1\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line: 'witness X1'",
    ),
    "witness named none": (f"witness none {X1}\nquorum none\n", "policy line 1: the name is defined already: 'none'"),
    "witness with a text-signing key": (
        f"witness w {LOG.verifier.vkey}\nquorum none\n",
        "policy line 1: a witness key has signature type 0x04 or 0x06: '0x01'",
    ),
    "one witness name twice": (f"{W}witness X1 {X3}\nquorum X1\n", "policy line 3: the name is defined already: 'X1'"),
    "group named as a witness": (
        f"{W}group X1 any X2\nquorum none\n",
        "policy line 3: the name is defined already: 'X1'",
    ),
    "one witness key twice": (
        f"{W}witness X3 {X1}\nquorum X1\n",
        "policy line 3: the public key is on another line already: 'X1.example.com+8c3808f7'",
    ),
    "one witness key under two key names": (
        f"{W}witness X3 {RENAMED}\nquorum X1\n",
        "policy line 3: the public key is on another line already: 'renamed.example.com+f5a7b413'",
    ),
    "two keys of one name and id": (
        f"witness a {ONE}\nwitness b {OTHER}\nquorum a\n",
        "policy line 2: another key has the same name and key id: 'witness.example.com+01b97fbd'",
    ),
    "group named none": (f"{W}group none any X1\nquorum none\n", "policy line 3: the name is defined already: 'none'"),
    "witness named as a group": (
        f"{W}group g any X2\nwitness g {X3}\nquorum none\n",
        "policy line 4: the name is defined already: 'g'",
    ),
    "one group name twice": (
        f"{W}group g any X1\ngroup g any X2\nquorum g\n",
        "policy line 4: the name is defined already: 'g'",
    ),
    "group without members": (
        f"{W}group g any\nquorum none\n",
        "policy line 3: not a log, witness, group or quorum line: 'group g any'",
    ),
    "group without a threshold": (
        f"{W}group g X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: 'X1'",
    ),
    "group of none": (
        f"{W}group g any none\nquorum none\n",
        "policy line 3: no witness or group of this name on a preceding line: 'none'",
    ),
    "group of itself": (
        f"{W}group g any X1 g\nquorum none\n",
        "policy line 3: no witness or group of this name on a preceding line: 'g'",
    ),
    "group of a later one": (
        f"{W}group g any h\ngroup h any X1\nquorum g\n",
        "policy line 3: no witness or group of this name on a preceding line: 'h'",
    ),
    "one member twice": (f"{W}group g 2 X1 X1\nquorum g\n", "policy line 3: a member of a group already: 'X1'"),
    "one member of two groups": (
        f"{W}group g any X1\ngroup h any X1\nquorum g\n",
        "policy line 4: a member of a group already: 'X1'",
    ),
    "one group of two groups": (
        f"{W}group g any X1\ngroup h any g\ngroup i any g X2\nquorum g\n",
        "policy line 5: a member of a group already: 'g'",
    ),
    "threshold 0": (f"{W}group g 0 X1 X2\nquorum none\n", "policy line 3 threshold: less than 1: 0"),
    "threshold above n": (f"{W}group g 3 X1 X2\nquorum none\n", "policy line 3 threshold: number above 2: '3'"),
    "threshold -1": (
        f"{W}group g -1 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '-1'",
    ),
    "threshold +1": (
        f"{W}group g +1 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '+1'",
    ),
    "threshold 01": (
        f"{W}group g 01 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '01'",
    ),
    "threshold 1_0": (
        f"{W}group g 1_0 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '1_0'",
    ),
    "threshold in Arabic digits": (
        f"{W}group g ١ X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '١'",
    ),
    "threshold ANY": (
        f"{W}group g ANY X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: 'ANY'",
    ),
    "carriage returns": ("quorum none\r\n", "policy: control character: '\\r'"),
    "form feed as white space": ("quorum\fnone\n", "policy: control character: '\\x0c'"),
    "null": ("quorum none\n\0\n", "policy: control character: '\\x00'"),
    "delete": ("#\x7f\nquorum none\n", "policy: control character: '\\x7f'"),
    "control character in a comment": ("# \x1b[2J\nquorum none\n", "policy: control character: '\\x1b'"),
    "no-break space as white space": (
        "quorum\u00a0none\n",
        "policy line 1: not a log, witness, group or quorum line: 'quorum\\xa0none'",
    ),
    "byte order mark": (
        "\ufeffquorum none\n",
        "policy line 1: not a log, witness, group or quorum line: '\\ufeffquorum none'",
    ),
    "too many lines": ("#\n" * MAX_POLICY_LINES + "quorum none\n", "policy: more than 1024 lines: 1025"),
    "too long": ("#" * MAX_POLICY_SIZE + "\nquorum none\n", "policy: more than 1048576 bytes: 1048589"),
}
