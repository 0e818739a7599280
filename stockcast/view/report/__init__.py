"""The morning page: what a report says and shows, as one HTML file that needs nothing else."""
