"""From a rendered stack to resources: `direct` for processes, `pulumi` for Docker; leases, locks and the reaper."""
