"""A run on the disk: its settings, its study, its lock, its log.

============  ================================================================================
`settings`    what two starts must share to continue one run
`study`       opens, continues and writes the study; one process owns it
`trials`      what is finished, what is missing, what is on the frontier
`expected`    what its networks are expected to reach, from counts and raw scores
`lock`        one process a run
`parameters`  the axes of a network as Optuna's parameters
`storage`     how the storage is opened, and what it raises
`log`         what happened, one JSON object a line; `counts`: of it
`duration`    how long a run would take
============  ================================================================================
"""
