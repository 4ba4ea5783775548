"""Signatures over files by other signers than Sigstore's: formats, and the checks on them. Pure.

    digests      what is known of the file that was signed
    ssh_key      keys of OpenSSH, and signatures by them
    ssh_text     the lines and the armor in which OpenSSH writes them
    ssh          signatures over files by such keys, as `ssh-keygen -Y sign` makes them
    minisign     keys and signatures of minisign
    openpgp      certificates and detached signatures of OpenPGP, by PySequoia
    formats      all three by name, and which of them a file is in
    entry        what is logged of such a signature

Parsing verifies nothing. A check raises; it takes the key that the verifier names, never one that only the signature
names.
"""
