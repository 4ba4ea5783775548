"""The commit: entries → plan → stage → commit → tiles → sign → cosign → checkpoint.

    sequencer   the write path, a method a step; begin here
    results     what a run says it has done
    state       what loading returns: head, checkpoint and anchor, and the versions to hand to `swap`
    load        step 1: what is committed and what is published, or a refusal
    recover     step 2: finishing what an earlier run has committed
    once        what of a batch is new, if equal entries are to be logged once
    payloads    what the next batch takes of the inbox, with the files that it publishes before its commit
    ahead       steps 3 and 4 for entries that a caller gives, also ahead of their turn
    complete    steps 5 to 10, for a batch that is staged
    commit      steps 4 and 5: staging, and the one swap that decides
    publish     steps 6 to 9: tiles, signature, checkpoint
    cosign      step 8: how witnesses are asked, what it comes to, and policies that no log can be published by
    witnesses   step 8: asking all of them at once, and believing none
    witness_requests   how one witness is reached
    pending     the signed checkpoint before its quorum, for witnesses that come by themselves
    tidy        step 10: what is kept, and what goes
    rekey       commits of keys: the log has another one, or one less, and a statement says so
    last_used   where the anchor was last used, and where the log was moved to, for messages
    amend       commits that add nothing: the log is closed, or admits by another policy
    adopt       a new anchor for a log that exists
    move        to other stores, so that at no instant two places can sign
    copying     the objects of a log, copied in an order that holds beside a run that tidies up
    lost_head   a head that is gone, or was put back, made again
    signed_before   what the log's key has signed, as far as it can be known: `pending`, kept checkpoints, witnesses
    remains     what is left of a private part whose head is lost
    in_the_way  tiles that stop a writer, and when they may be set aside
    own_tree    the log's own checkpoint, tiles and right edge
    prepare     from the log's settings to stores that can be written to
    parts       the public and the private part, together

Step 3, planning, is `tiles.tree.plan`. docs/data-flow.md says why a crash at each step does no harm.
"""
