# What the objects of a log are called, and which of them change: tiles/records/paths.py. `make terraform` holds the
# policies that are made of this against each name that the code has.
locals {
  # Objects that are replaced; everything else in the bucket is written once.
  replaced = {
    public  = concat(["checkpoint", "pending", "policy.txt", "index/*/head", "probe/*"], local.page)
    private = ["head", "settings", "stopped-indexes", "probe/*"]
    anchor  = ["anchor", "probe/*"]
  }
  # The verifying page. No object of the log itself ends like this.
  page = ["*.html", "*.css", "*.js", "*.svg"]

  # What the sequencer writes. Only the operator writes the page.
  written = {
    public  = ["checkpoint", "pending", "policy.txt", "tile/*", "checkpoints/*", "payload/*", "index/*", "probe/*"]
    private = ["head", "settings", "stopped-indexes", "staging/*", "policies/*", "decided/*", "rejected/*", "set-aside/*", "probe/*"]
    anchor  = ["anchor", "probe/*"]
  }
  # What the sequencer deletes: decided submissions, batches that are published, and what trying out a store leaves.
  cleared = {
    public  = ["probe/*"]
    private = ["inbox/*", "staging/*", "probe/*"]
    anchor  = ["probe/*"]
  }
  # What the operator deletes besides: what `tiletree gc` finds, and what `tiletree repair` replaces.
  collected = {
    public  = ["tile/*", "index/*", "payload/*"]
    private = ["decided/*", "rejected/*", "set-aside/*"]
    anchor  = []
  }
}
