"""Looking after a log.

    status          what the next run will find and do
    alarms          what of that somebody should be woken for
    status_metrics  that in numbers, for scrapers
    metrics         what a run did, in numbers, for whoever monitors a log
    log_line        a line of a structured log, as JSON
    exposition      metrics in the text formats of Prometheus and OpenMetrics
    audit           read everything, recompute everything, report every finding
    objects         for audit and repair: tiles and bundles, fetched, and judged past every cache
    strays          what a listing shows beside the tree
    gc              deleting what is of no use any more
    superseded      for gc: partial tiles and index runs whose place larger ones have taken
    withhold        saying, signed, that the bytes of entries are denied to readers
    endorse         keeping the proof that another log holds this one's checkpoint
    import_log      appending another log's entries
    repair          putting back what is lost or damaged
    rebuild         for repair: the tree, from what there is of it
    candidates      for repair: what could be a lost tile, unproven
    replace         for repair: setting aside what is wrong, then putting the right object there

All of it can run beside writers and readers, and be stopped at any moment.
"""
