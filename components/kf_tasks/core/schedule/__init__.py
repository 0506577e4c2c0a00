"""When scheduled work runs: cron, clock changes, slots, CronJobs."""
