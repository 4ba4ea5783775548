"""Measuring: `make bench` against other implementations, `make scale` a log of a hundred million entries.

    bench.py             `make bench`: runs the parts below, prints tables, writes JSON
    contest.py           contestants that take turns, round by round, and how busy the machine was meanwhile
    processes.py         running one process, and what it took; memory.py: that of a process and all that it started
    given.py             the entries that everyone gets
    workers.py           one thing to measure, in a process of its own; aics.py: the same under another interpreter
    peers.py             the contestants that others have written, and where they come from (go/peers for those in Go)
    publish.py lines.py audits.py proofs.py starts.py object_store.py searches.py costs.py      the parts
    instructions.py      counting instructions, which do not depend on how busy the machine is
    machine.py           what machine and versions the figures are of
    table.py             rates and ratios of what was measured, and tables of text. Pure
    report.py            `python -m tests.bench.report`: docs/performance.md out of the figures
    large_logs.py        the part of that page on large logs. Pure
    scale.py             `make scale`: runs the stages of scale_stages.py, each of which goes on where it stopped
    simulate.py          a log of up to 10¹⁰ entries, computed instead of stored; simulate_table.py: its table
    plot.py              memory over entries, as SVG. Pure

Every measurement is a process of its own. A ratio is taken round by round, so that a machine that slows down slows all
contestants. Nothing here is a test, and no test measures time.
"""
