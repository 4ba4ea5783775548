"""What one machine remembers for its user. There are four memories, and each answers one question:

    known_logs         where are the parts of the logs that I write to?    $XDG_CONFIG_HOME/tiletree/logs.json
    trusted_keys       by which key do I know a log that I read?           $XDG_CONFIG_HOME/tiletree/trust
    seen_checkpoints   what was the last checkpoint I saw of a log?        $XDG_STATE_HOME/tiletree/visits/
    tile_cache         which full tiles were verified before?              $XDG_CACHE_HOME/tiletree/tiles/

Losing the first two means typing options again; losing the third means that one change of a log's history may go
unnoticed; losing the fourth only costs time. `places` combines what a call names with what is known of a log, and
`files` writes all of them. `pinned` is what comes of the second: by which policy a log is read, and why. `exposed`
tells whether a place for private things is one that is published.

The rule: nothing here holds a credential, and nothing here is believed about a log because of where it lies. A
checkpoint is verified when it is read back, and a cached tile like one that was just fetched.
"""
