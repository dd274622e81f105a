"""The command line of `python -m search`.

============  ================================================================================
`options`     its words; `arguments`: what they mean; `sweep`: of listed networks
`console`     a line a network, and on a terminal a bar
`status`      how a run stands, from another terminal
`dry_run`     what a run would sample and cost
`which_axis`  `python -m search pays`
============  ================================================================================
"""
