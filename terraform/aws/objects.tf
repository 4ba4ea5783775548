# What the objects of a log are called, and which of them change: tiles/records/paths.py. `make terraform` holds the
# policies that are made of this against each name that the code has.
locals {
  # Objects that are replaced; everything else in the bucket is written once.
  replaced = {
    public  = concat(["checkpoint", "pending", "policy.txt", "index/*/head", "withheld/*", "endorsed/*/newest", "probe/*"], local.page)
    private = ["head", "settings", "stopped-indexes", "moved", "moving", "probe/*"]
    anchor  = ["anchor", "probe/*"]
  }
  # The verifying page, and whose log it says that it is. No object of the log itself ends like this.
  page = ["*.html", "*.css", "*.js", "*.svg", "site.txt"]

  # What sequencer and operator write.
  written = {
    public  = ["checkpoint", "pending", "policy.txt", "tile/*", "checkpoints/*", "payload/*", "index/*", "withheld/*", "keys/*", "endorsed/*", "probe/*"]
    private = ["head", "settings", "stopped-indexes", "staging/*", "policies/*", "decided/*", "rejected/*", "set-aside/*", "probe/*"]
    anchor  = ["anchor", "probe/*"]
  }
  # What the operator alone writes, and deletes: the page, and where a log was moved to (`tiletree move`).
  operated = {
    public  = local.page
    private = ["moved", "moving"]
    anchor  = []
  }
  # What the sequencer deletes: decided submissions, batches that are published, and what trying out a store leaves.
  cleared = {
    public  = ["probe/*"]
    private = ["inbox/*", "staging/*", "probe/*"]
    anchor  = ["probe/*"]
  }
  # What the operator deletes besides: what `tiletree gc` finds, what `tiletree repair` replaces, what is withheld no more.
  collected = {
    public  = ["tile/*", "index/*", "payload/*", "withheld/*"]
    private = ["decided/*", "rejected/*", "set-aside/*"]
    anchor  = []
  }
}
