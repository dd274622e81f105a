"""The command line of `python -m search`.

============  ================================================================================
`options`     its words; `request`: what they ask for; `arguments`: from one to the other
`sweep`       listed networks in place of samples
`scoring`     what a run goes by unless it is told
`executors`   where networks are measured
`console`     a line a network, and on a terminal a bar
`status`      how a run stands, from another terminal
`dry_run`     what a run would sample and cost
`which_axis`  `python -m search pays`
============  ================================================================================
"""
