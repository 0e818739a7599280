"""The night's work and the morning's page: what cron runs, and what is read afterwards."""
