"""Tasks as values, and the engines that run them: in this process, in workers beside it, or on a cluster."""
